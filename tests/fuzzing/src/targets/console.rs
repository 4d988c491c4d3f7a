//! Requests for the pages of the console: queries and forms.

use std::sync::Mutex;

use pdb_console::{Answer, CommandError, Commands, Context, Request};
use serde_json::{Value, json};

use crate::Source;
use crate::database::{self, Live};

const PAGES: [&str; 14] = [
    "",
    "instrument",
    "triggers",
    "table",
    "items",
    "item",
    "new-item",
    "partiql",
    "stream",
    "record",
    "export",
    "console.js",
    "sign-in",
    "nowhere",
];

/// Names of parameters and fields of all pages.
const NAMES: [&str; 44] = [
    "action",
    "after",
    "arn",
    "before",
    "bytes",
    "clock",
    "confirm",
    "consistent",
    "difference",
    "done",
    "download",
    "duration",
    "extent",
    "file",
    "filter",
    "format",
    "from",
    "held",
    "index",
    "item",
    "items",
    "key",
    "list",
    "log",
    "name",
    "names",
    "next",
    "number",
    "operations",
    "order",
    "original",
    "parameters",
    "part",
    "region",
    "said",
    "shard",
    "speed",
    "start",
    "statement",
    "table",
    "token",
    "values",
    "view",
    "form_token",
];

const VALUES: [&str; 40] = [
    "Orders",
    "Plain",
    "Vectors",
    "global",
    "local",
    "near",
    "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}}",
    "{\"pk\":\"a\",\"sk\":1}",
    "{\"pk\":{\"S\":\"a\"}}",
    "{}",
    "[]",
    "[1",
    "a",
    "1",
    "0",
    "-1",
    "99999999999999999999",
    "1h",
    "P1D",
    "2026-03-01T09:15:42.017Z",
    "dynamodb",
    "plain",
    "json",
    "LATEST",
    "TRIM_HORIZON",
    "on",
    "true",
    "SELECT * FROM Orders",
    "INSERT INTO Orders VALUE {'pk': 'b', 'sk': 2}",
    "pk = :v",
    "{\":v\":{\"S\":\"a\"}}",
    "{\"#n\":\"a\"}",
    "{\"eventName\":[\"INSERT\"]}",
    "<script>alert(1)</script>",
    "\"'&<>\u{0}",
    "put",
    "delete",
    "save",
    "shards/split",
    "🦀\u{202e}",
];

/// Commands that note what they were asked, and refuse some.
struct Noted(Mutex<Vec<String>>);

impl Commands for Noted {
    fn execute(&self, command: &str, _: Option<&Value>) -> Result<Value, CommandError> {
        self.0.lock().unwrap().push(command.to_owned());
        match command {
            "clock" => Ok(
                json!({"epoch_millis": 1_772_356_542_017_u64, "time": "2026-03-01T09:15:42.017Z", "held": true, "speed": 1}),
            ),
            "snapshots" => Ok(json!({"snapshots": []})),
            "faults" => Ok(json!({"faults": [], "injections": []})),
            _ => Err(CommandError(format!("<{command}> is refused"))),
        }
    }
}

pub(crate) fn run(input: &[u8]) {
    let live = Live::new();
    let item = r#"{"TableName":"Orders","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"a":{"S":"x"},"v":{"M":{"<b>":{"BS":["AA=="]}}}}}"#;
    assert_eq!(live.call(pdb_wire::Operation::PutItem, item).0, 200);
    let commands = Noted(Mutex::new(Vec::new()));
    let mut source = Source::new(input);
    let arn = live.db().latest_stream(&"Orders".parse().unwrap()).unwrap();
    let shard = live.db().shards(&arn).unwrap()[0].shard_id.to_string();
    for _ in 0..6 {
        if source.is_empty() {
            break;
        }
        let page = source.pick(&PAGES);
        let query = parameters(&mut source, &[&arn.to_string(), &shard]);
        let is_post = source.once_in(3);
        let form = if is_post { parameters(&mut source, &[&arn.to_string(), &shard]) } else { String::new() };
        let mut context =
            Context::new(live.wire.clone()).with_form_token("token").with_name(Some("first"), ":memory:");
        if source.once_in(2) {
            context = context.with_commands(&commands);
        }
        let request =
            if is_post { Request::post(page, &query, form.as_bytes()) } else { Request::get(page, &query) };
        check(&context.answer(&request), page, &query);
    }
    database::check_sound(live.db());
    database::check_replay(&live.wire, "Orders");
}

/// Encoded parameters, of which some are not encoded at all.
fn parameters(source: &mut Source<'_>, known: &[&str]) -> String {
    let mut text = String::new();
    for _ in 0..source.below(7) {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(source.pick(&NAMES));
        text.push('=');
        match source.below(8) {
            0 => text.push_str(&encoded(source.pick(known))),
            1 => text.push_str(&encoded(&source.text(16))),
            2 => text.push_str(&source.text(16)),
            _ => text.push_str(&encoded(source.pick(&VALUES))),
        }
    }
    text
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte))
        } else {
            encoded.push_str(&format!("%{byte:02x}"))
        }
    }
    encoded
}

/// A page has a status that is no failure of the server, and nothing in it that a parameter could have put there.
fn check(answer: &Answer, page: &str, query: &str) {
    match answer {
        Answer::Page { status, html } => {
            assert!(matches!(status, 200 | 400 | 404), "{status} for {page}?{query}");
            let scripts = html.matches("<script").count();
            let own = ["console", "refresh", "stream"]
                .map(|name| html.matches(&format!("<script src=\"{name}.js\" defer></script>")).count());
            assert_eq!(scripts, own.iter().sum::<usize>(), "{page}?{query}: {html}");
            assert!(!html.contains("onerror=") && !html.contains("javascript:"), "{page}?{query}: {html}");
        }
        // An address that is relative to the pages, so that no parameter leads elsewhere.
        Answer::SeeOther(location) => {
            let path = location.split('?').next().unwrap_or_default();
            assert!(
                !path.contains([':', '\r', '\n', '\\']) && !path.starts_with('/'),
                "{page}?{query} leads to {location}"
            );
        }
        Answer::Download { file_name, .. } => {
            assert!(
                !file_name.contains(['/', '\\', '"', '\r', '\n']),
                "{page}?{query} is saved as {file_name:?}"
            );
        }
        _ => {}
    }
}
