use pdb_trigger::{InvokeError, Response, Settings, Trigger, TriggerDescription};
use pdb_wire::Wire;
use pretender::prelude::*;
use pretender::time::EpochMillis;

use super::*;

fn monitor(target: &str) -> TriggerMonitor {
    TriggerMonitor::new(TriggerDescription {
        target: target.to_owned(),
        function: "http://127.0.0.1:9000/2015-03-31/functions/function/invocations".to_owned(),
        batch_size: 7,
        settings: vec![
            ("maximum-retry-attempts".to_owned(), "0".to_owned()),
            ("filter".to_owned(), r#"{"a":["<script>alert(1)</script>"]}"#.to_owned()),
            ("bisect-batch-on-function-error".to_owned(), String::new()),
        ],
    })
}

fn shown(db: &Pretender, monitors: &[TriggerMonitor], query: &str) -> String {
    let context = Context::new(Wire::new(db.clone())).with_triggers(monitors);
    match context.answer(&Request::get("triggers", query)) {
        Answer::Page { status: 200, html } => html,
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
fn without_triggers_the_page_says_how_to_start_one() {
    let html = shown(&Pretender::in_memory().unwrap(), &[], "");
    contains(&html, &["pretender serve --trigger orders=127.0.0.1:9000", "pretender trigger --table orders"]);
    assert!(!html.contains("refresh.js"));
    let context = Context::new(Wire::new(Pretender::in_memory().unwrap())).with_name(Some("test-1"), "");
    let Answer::Page { html, .. } = context.answer(&Request::get("triggers", "")) else { panic!() };
    contains(&html, &["not on <code>test-1</code>"]);
}

#[test]
fn a_trigger_that_waits_says_for_what() {
    let waiting = monitor("<orders>");
    waiting.set_phase(MonitorPhase::Waiting("there is no table `<orders>`".to_owned()));
    waiting.sample();
    let html = shown(&Pretender::in_memory().unwrap(), &[waiting], "");
    contains(
        &html,
        &[
            "<strong>waiting</strong>: there is no table `&lt;orders&gt;`",
            "&lt;orders&gt; → ",
            "batches of at most 7 records",
            "<code>maximum-retry-attempts=0</code>",
            "<code>bisect-batch-on-function-error</code>",
            "&lt;script&gt;alert(1)",
            r#"<script src="refresh.js" defer></script>"#,
        ],
    );
    assert!(!html.contains("<orders>") && !html.contains("<script>"));
}

#[test]
fn what_happened_is_counted_and_listed() {
    let db = Pretender::in_memory().unwrap();
    db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
        ..CreateTableInput::new("orders".parse().unwrap(), ("id", ScalarType::S), None)
    })
    .unwrap();
    let running = monitor("orders");
    let noting = running.clone();
    let settings = Settings { maximum_retry_attempts: 0, batch_size: 1, ..Settings::default() };
    let trigger = Trigger::builder(&db, "orders")
        .settings(settings)
        .observe(move |notice| noting.note(EpochMillis(1_772_356_542_017), notice))
        .start(|event: &[u8]| match std::str::from_utf8(event) {
            Ok(event) if event.contains("bad") => Err(InvokeError::failed("<b>".repeat(500))),
            _ => Ok(Response::empty()),
        })
        .unwrap();
    running.set_phase(MonitorPhase::Running(trigger.handle()));
    for id in ["good", "bad"] {
        db.put_item(PutItemInput::new("orders".parse().unwrap(), Item::new().with("id", id))).unwrap();
    }
    assert!(trigger.wait_until_caught_up(std::time::Duration::from_secs(60)));
    running.sample();
    running.note(EpochMillis(0), &Notice::Problem("nobody at home".to_owned()));
    running.note(EpochMillis(0), &Notice::Trimmed { shard_id: "shardId-1".to_owned() });
    let monitors = [running.clone()];
    let html = shown(&db, &monitors, "");
    contains(
        &html,
        &[
            "<strong>running</strong>",
            r#"<a href="stream?table=orders" title="arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/"#,
            "PROBLEM: Function call failed",
            "<dt>Invocations</dt><dd>2</dd>",
            "<dt>Failed</dt><dd>1</dd>",
            "<dt>Records processed</dt><dd>1</dd>",
            "<dt>Discarded</dt><dd>1</dd>",
            "2026-03-01 09:15:42.017Z",
            "RetryAttemptsExhausted",
            "nobody at home",
            "records were trimmed before they were read",
            "Shards being read: 1",
            "Iterator age</strong>: now 0 ms, at most 0 ms",
            "<polyline",
            "&lt;b&gt;",
        ],
    );
    assert!(!html.contains("<b>") && !html.contains(" style="));
    // What the script asks for is what is on the page.
    let part = shown(&db, &monitors, "part=1");
    assert!(html.contains(&part) && !part.contains("<html"), "{part}");
    drop(trigger);
    running.set_phase(MonitorPhase::Ended(running.handle().unwrap()));
    contains(&shown(&db, &monitors, ""), &["<strong>stopped</strong>"]);
}
