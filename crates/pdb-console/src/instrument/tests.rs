use std::sync::Mutex;

use pdb_wire::Wire;
use pretender::prelude::*;
use serde_json::json;

use super::*;
use crate::CommandError;

/// Answers commands with what it is told, and remembers those that change something.
#[derive(Default)]
struct Fake {
    answers: Vec<(&'static str, Value)>,
    refusal: Option<&'static str>,
    executed: Mutex<Vec<String>>,
}

impl Commands for Fake {
    fn execute(&self, command: &str, body: Option<&Value>) -> Result<Value, CommandError> {
        let answer = self.answers.iter().find(|(name, _)| *name == command);
        if let Some(body) = body
            && command != "shards/list"
        {
            self.executed.lock().unwrap().push(format!("{command} {body}"));
            if let Some(refusal) = self.refusal {
                return Err(CommandError(refusal.to_owned()));
            }
        }
        Ok(answer.map(|(_, answer)| answer.clone()).unwrap_or_default())
    }
}

impl Fake {
    fn executed(&self) -> Vec<String> {
        std::mem::take(&mut self.executed.lock().unwrap())
    }
}

fn database() -> Pretender {
    let db = Pretender::in_memory().unwrap();
    for name in ["carts", "orders"] {
        db.create_table(CreateTableInput::new(name.parse().unwrap(), ("id", ScalarType::S), None)).unwrap();
    }
    db
}

fn answer(db: &Pretender, fake: &Fake, request: &Request<'_>) -> Answer {
    Context::new(Wire::new(db.clone()))
        .with_commands(fake)
        .with_form_token("secret")
        .with_region(Some("eu-west-1"))
        .answer(request)
}

#[track_caller]
fn page(db: &Pretender, fake: &Fake, query: &str) -> String {
    match answer(db, fake, &Request::get("instrument", query)) {
        Answer::Page { status: 200, html } => html,
        other => panic!("{other:?}"),
    }
}

/// Returns where a form leads, or the text of its refusal.
#[track_caller]
fn send(db: &Pretender, fake: &Fake, form: &str) -> Result<String, String> {
    match answer(db, fake, &Request::post("instrument", "table=orders&said=trim:1", form.as_bytes())) {
        Answer::SeeOther(address) => Ok(address),
        Answer::Page { status: 400, html } => {
            let (_, text) = html.split_once(r#"role="alert">"#).unwrap();
            Err(text.split_once("</p>").unwrap().0.to_owned())
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn contains(html: &str, texts: &[&str]) {
    for text in texts {
        assert!(html.contains(text), "{text} is not in {html}");
    }
}

#[test]
fn without_the_control_api_the_page_says_how_to_get_it() {
    let context = Context::new(Wire::new(database()));
    for request in
        [Request::get("instrument", ""), Request::post("instrument", "", b"action=reset&confirmed=yes")]
    {
        let Answer::Page { status: 200, html } = context.answer(&request) else { panic!() };
        contains(&html, &["pretender serve --control"]);
        assert!(!html.contains("<form"));
    }
}

#[test]
fn forms_become_commands() {
    let (db, fake) = (database(), Fake::default());
    for (form, expected) in [
        ("action=clock/hold", "clock/hold {}"),
        ("action=clock/run&speed=60", r#"clock/run {"speed":60.0}"#),
        ("action=clock/set&time=+2026-03-01+&confirmed=yes", r#"clock/set {"time":"2026-03-01"}"#),
        ("action=clock/advance&duration=15m", r#"clock/advance {"duration":"15m"}"#),
        ("action=clock/advance&duration=24h&confirmed=yes", r#"clock/advance {"duration":"24h"}"#),
        ("action=shards/rotate&table=orders", r#"shards/rotate {"table":"orders"}"#),
        ("action=shards/split&table=orders&shard_id=s", r#"shards/split {"shard_id":"s","table":"orders"}"#),
        ("action=shards/split&table=", r#"shards/split {"all":true}"#),
        ("action=trim&table=orders&extent=all&before=7&confirmed=yes", r#"trim {"table":"orders"}"#),
        (
            "action=trim&table=orders&extent=before&before=7&confirmed=yes",
            r#"trim {"before":"7","table":"orders"}"#,
        ),
        (
            "action=faults/add&kind=throttling&operations=&table=&times=",
            r#"faults/add {"kind":"throttling"}"#,
        ),
        (
            "action=faults/add&kind=latency&operations=PutItem,+reads&table=orders&probability=0.5&times=3&skip=1&seed=7&delay=1s&items=2",
            r#"faults/add {"delay":"1s","items":2,"kind":"latency","operations":["PutItem","reads"],"probability":0.5,"seed":7,"skip":1,"table":"orders","times":3}"#,
        ),
        ("action=faults/remove&id=3", r#"faults/remove {"id":3}"#),
        ("action=faults/clear&confirmed=yes", "faults/clear {}"),
        ("action=snapshots/save&name=a", r#"snapshots/save {"name":"a"}"#),
        ("action=snapshots/save&file=a.db&confirmed=yes", r#"snapshots/save {"file":"a.db"}"#),
        ("action=snapshots/restore&name=a&confirmed=yes", r#"snapshots/restore {"name":"a"}"#),
        (
            "action=snapshots/restore&file=a.db&clock=yes&confirmed=yes",
            r#"snapshots/restore {"clock":true,"file":"a.db"}"#,
        ),
        ("action=snapshots/delete&name=a&confirmed=yes", r#"snapshots/delete {"name":"a"}"#),
        ("action=reset&extent=all&table=orders&confirmed=yes", "reset {}"),
        ("action=reset&extent=table&table=orders&confirmed=yes", r#"reset {"table":"orders"}"#),
    ] {
        let address = send(&db, &fake, form).unwrap_or_else(|text| panic!("{form}: {text}"));
        assert_eq!(fake.executed(), [expected], "{form}");
        // The choices that the page had are kept; what it said before is not.
        assert!(
            address.starts_with("instrument?table=orders&said=") && !address.contains("trim%3A1&"),
            "{address}"
        );
        assert!(address.contains("&region=eu-west-1#"), "{address}");
    }
}

/// The page requires the box. The server must require it, too: a request may be written by hand.
#[test]
fn what_destroys_has_to_be_confirmed() {
    let fake = Fake {
        answers: vec![("snapshots", json!({ "snapshots": [{ "name": "Kept", "size_bytes": 1 }] }))],
        ..Fake::default()
    };
    let db = database();
    for form in [
        "action=clock/set&time=2026-03-01",
        "action=clock/advance&duration=24h",
        "action=clock/advance&duration=86400s",
        "action=clock/advance&duration=+1d+",
        "action=trim&table=orders",
        "action=faults/clear",
        "action=snapshots/save&name=kept",
        "action=snapshots/save&file=a.db",
        "action=snapshots/restore&name=Kept",
        "action=snapshots/delete&name=Kept",
        "action=reset&extent=all",
        "action=reset&extent=all&confirmed=",
        "action=reset&extent=all&confirmed=no",
    ] {
        let text = send(&db, &fake, form).unwrap_err();
        assert!(text.starts_with("Not done: ") && text.contains("Tick the box"), "{form}: {text}");
        assert_eq!(fake.executed(), [""; 0], "{form}");
    }
}

#[test]
fn a_refused_form_is_shown_again_with_what_was_entered() {
    let (db, fake) = (database(), Fake { refusal: Some("`<x>` is <refused>"), ..Fake::default() });
    for (form, entered) in [
        (
            "action=clock/advance&duration=\"><script>",
            r#"name="duration" required size="12" value="&quot;&gt;&lt;script&gt;""#,
        ),
        ("action=clock/run&speed=7", r#"name="speed" min="0.001" step="any" required size="8" value="7""#),
        (
            "action=faults/add&kind=conflict&table=<t>&operations=nonsense",
            r#"<option value="&lt;t&gt;" selected>&lt;t&gt;</option>"#,
        ),
        ("action=faults/add&kind=conflict", r#"<option value="conflict" selected>conflict</option>"#),
        ("action=snapshots/save&name=%F0%9F%98%80", "value=\"\u{1f600}\""),
        (
            "action=reset&extent=table&table=carts&confirmed=yes",
            r#"<option value="carts" selected>carts</option>"#,
        ),
    ] {
        let answered = answer(&db, &fake, &Request::post("instrument", "", form.as_bytes()));
        let Answer::Page { status: 400, html } = answered else { panic!("{form}: {answered:?}") };
        contains(&html, &[entered, r#"role="alert">`&lt;x&gt;` is &lt;refused&gt;<"#]);
        assert!(!html.contains("<script>") && !html.contains("<refused>"));
        assert_eq!(html.matches(r#"role="alert""#).count(), 1);
    }
    for (form, text) in [
        ("action=clock/run&speed=fast", "`fast` is not a number (speed)"),
        ("action=clock/run&speed=inf", "`inf` is not a number (speed)"),
        ("action=faults/add&kind=conflict&times=-1", "`-1` is not a whole number (times)"),
        ("action=trim&table=orders&extent=before&confirmed=yes", "enter the sequence number"),
        ("action=reset&confirmed=yes", "choose what to reset"),
        ("action=reset&extent=table&confirmed=yes", "choose the table to reset"),
        ("action=compact", "does not know"),
        ("", "does not know"),
    ] {
        let refusal = send(&db, &Fake::default(), form).unwrap_err();
        assert!(refusal.contains(text), "{form}: {refusal}");
    }
}

#[test]
fn forms_carry_the_token_and_the_box() {
    let fake = Fake {
        answers: vec![("snapshots", json!({ "snapshots": [{ "name": "a", "size_bytes": 1 }] }))],
        ..Fake::default()
    };
    let html = page(&database(), &fake, "");
    let forms: Vec<&str> = html
        .split(r#"<form method="post""#)
        .skip(1)
        .map(|form| form.split_once("</form>").unwrap().0)
        .collect();
    assert!(forms.len() > 10);
    for form in forms {
        contains(form, &[r#"name="form_token" value="secret""#, "region=eu-west-1#"]);
        let is_dangerous = form.contains("class=\"danger\"");
        let is_confirmed = form.contains(r#"name="confirmed" value="yes" required"#);
        assert!(is_confirmed || !is_dangerous, "{form}");
    }
    assert!(!html.contains(" style=") && !html.contains(" onclick="));
}

#[test]
fn what_was_done_is_said_where_it_was_done() {
    let html = page(&database(), &Fake::default(), "said=shards/split:2");
    contains(
        &html,
        &[r#"id="shards-title">Shards</h2><p class="notice good" role="status">Split: 2 new shards.</p>"#],
    );
    let html = page(&database(), &Fake::default(), "said=<script>alert(1)</script>");
    assert!(!html.contains(r#"role="status""#) && !html.contains("<script>alert"));
}

#[test]
fn clock_and_shards_are_shown() {
    let shard = |id: &str, more: Value| {
        let mut shard = json!({
            "stream_arn": "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-03-01T09:15:42.017",
            "shard_id": id, "starting_sequence_number": "100", "open": true, "opened_epoch_millis": 0,
        });
        shard.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        shard
    };
    let closed = json!({ "open": false, "ending_sequence_number": "200", "closed_epoch_millis": 1 });
    let shards = vec![shard("shard-1", closed), shard("shard-2", json!({ "parent_shard_id": "shard-1" }))];
    let fake = Fake {
        answers: vec![
            (
                "clock",
                json!({ "epoch_millis": 1_772_356_542_017_i64, "time": "2026-03-01T09:15:42.017Z", "held": false, "speed": 60.0 }),
            ),
            ("shards/list", json!({ "shards": shards })),
        ],
        ..Fake::default()
    };
    let db = database();
    let html = page(&db, &fake, "table=orders");
    contains(
        &html,
        &[
            r#"data-clock="1772356542017" data-speed="60">2026-03-01 09:15:42.017Z"#,
            "running at 60 times",
            "child of shard-1",
            r#"<option value="orders" selected>"#,
            r#"aria-label="Split shard-2""#,
            "Rotate all open shards of orders",
            r#"<input type="hidden" name="region" value="eu-west-1">"#,
        ],
    );
    // A closed shard cannot be split.
    assert!(!html.contains(r#"aria-label="Split shard-1""#));
    let all = page(&db, &fake, "table=");
    contains(&all, &["<td>orders</td>", "Trim all streams"]);
    assert!(!all.contains(r#"name="before""#) && !all.contains(r#"aria-label="Split"#));
    let many = vec![("shards/list", json!({ "shards": vec![shard("s", json!({})); 300] }))];
    let html = page(&db, &Fake { answers: many, ..Fake::default() }, "table=orders");
    contains(&html, &["Only the newest 200 of 300 shards are shown."]);
    let empty = page(&Pretender::in_memory().unwrap(), &Fake::default(), "");
    contains(&empty, &["There is no table, and so no stream."]);
}

#[test]
fn faults_and_their_injections_are_shown() {
    let injection = |n: usize| json!({ "time": format!("T{n};"), "fault": 1, "kind": "conflict", "operation": "PutItem", "tables": ["a", "b"] });
    let injected: Vec<Value> = (0..150).map(injection).collect();
    let faults = json!([
        { "id": 1, "kind": "conflict", "operations": ["PutItem", "writes"], "probability": 0.5, "skip": 2, "seed": 7,
          "matched": 9, "injected": 4, "over": true, "table": "orders", "times": 3 },
        { "id": 2, "kind": "latency", "operations": [], "probability": 1.0, "skip": 0, "seed": 0, "matched": 0,
          "injected": 0, "over": false, "delay_millis": [100, 2000] },
    ]);
    let fake = Fake {
        answers: vec![("faults", json!({ "faults": faults, "injected": injected, "forgotten": 5 }))],
        ..Fake::default()
    };
    let db = database();
    let html = page(&db, &fake, "table=orders");
    contains(
        &html,
        &[
            "PutItem, writes on orders",
            "after the first 2, with probability 0.5 (seed 7), at most 3 times",
            "(over)",
            "all that can fail like this</td><td>delay 100 to 2000 ms",
            r#"aria-label="Remove fault 2""#,
            "T149;",
            "T50;",
            "<td>a, b</td>",
            r#"<a href="instrument?table=orders&amp;log=all&amp;region=eu-west-1#faults">Show 50 earlier</a>"#,
            "5 still earlier ones are no longer in the log",
        ],
    );
    assert!(!html.contains("T49;") && html.find("T149;") < html.find("T50;"));
    contains(&page(&db, &fake, "log=all"), &["T0;", "T149;"]);
    let nothing = page(&db, &Fake::default(), "");
    contains(&nothing, &["No fault is in force", "Nothing was injected yet"]);
    for kind in pretender::faults::FaultKind::ALL {
        contains(&nothing, &[&format!("<option value=\"{0}\">{0}</option>", kind.name())]);
    }
}

#[test]
fn snapshots_are_shown_with_what_can_be_done_to_them() {
    let snapshot = json!({ "name": "<s>", "taken": { "time": "2026-03-01T09:15:42.017Z" }, "tables": 2, "items": 10, "size_bytes": 172_000 });
    let fake = Fake { answers: vec![("snapshots", json!({ "snapshots": [snapshot] }))], ..Fake::default() };
    let html = page(&database(), &fake, "");
    contains(
        &html,
        &[
            "&lt;s&gt;</th>",
            "2026-03-01T09:15:42.017Z",
            "172.0 KB",
            r#"name="name" value="&lt;s&gt;""#,
            "Restore",
            "Delete",
        ],
    );
    assert!(!html.contains("<s>"));
    contains(&page(&database(), &Fake::default(), ""), &["There is no snapshot yet."]);
}
