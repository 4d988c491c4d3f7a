//! The page of a stream: its shards, and the records of the past.

use serde_json::{Value, json};

use crate::access::take_refusals;
use crate::browser::{Browser, browse};
use crate::stand::Stand;

/// A server with some changes of `orders`, spread over an hour and two shards.
fn changed() -> Stand {
    let stand = Stand::new();
    stand.create_table("orders");
    stand.put("orders", &json!({ "id": { "S": "o1" }, "total": { "N": "42" } }));
    stand.put("orders", &json!({ "id": { "S": "o2" }, "city": { "S": "Bern" } }));
    stand.command("clock/advance", &json!({ "duration": "1h" }));
    stand.command("shards/rotate", &json!({ "table": "orders" }));
    stand.put("orders", &json!({ "id": { "S": "o1" }, "total": { "N": "43" } }));
    stand.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "o2" } } }));
    stand
}

/// The event and the key of each record that is shown.
fn shown(browser: &Browser) -> Vec<String> {
    let rows = browser.script(
        "return [...document.querySelectorAll('tr.record')].map((row) =>
            row.cells[1].querySelector('.letter').textContent + ' ' + row.cells[2].textContent.trim())",
    );
    serde_json::from_value(rows).unwrap()
}

#[test]
fn shards_are_drawn_with_their_lineage() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        for n in 0..3 {
            stand.put("orders", &json!({ "id": { "S": format!("o{n}") } }));
        }
        stand.command("clock/advance", &json!({ "duration": "1h" }));
        stand.command("shards/rotate", &json!({ "table": "orders" }));
        stand.put("orders", &json!({ "id": { "S": "o1" }, "total": { "N": "42" } }));
        browser.open(&stand.url("stream?table=orders"));
        assert_eq!((browser.count("svg g.shard.open"), browser.count("svg g.shard.closed")), (1, 1));
        assert_eq!(browser.count("svg path.lineage"), 1);
        let label = browser.script("return document.querySelector('svg title').textContent + document.querySelector('svg desc').textContent");
        assert!(label.as_str().unwrap().contains("1 shard open, 1 closed, 4 records"), "{label}");
        // The child is drawn behind its parent.
        let place = "const bar = (name) => document.querySelector(`svg g.shard.${name} rect`).getBoundingClientRect();
            return bar('closed').right <= bar('open').left + 1 && bar('open').width > 1 && bar('closed').width > 1";
        assert_eq!(browser.script(place), true);

        // A program that reads is shown where it is.
        stand.read_some("orders", 1);
        browser.reload();
        assert_eq!(browser.count("svg g.reader"), 1, "{}", browser.page_text());
        stand.command("shards/split", &json!({ "table": "orders" }));
        stand.command("trim", &json!({ "table": "orders" }));
        browser.reload();
        assert_eq!(browser.count("svg g.shard.open"), 2);
        assert!(browser.count("svg rect.trimmed") > 0);
    });
}

#[test]
fn records_are_chosen_by_event_key_pattern_and_time() {
    browse(|browser| {
        let stand = changed();
        browser.open(&stand.url("stream?table=orders&from=trim-horizon"));
        assert_eq!(shown(browser), ["R id=\"o2\"", "M id=\"o1\"", "I id=\"o2\"", "I id=\"o1\""]);

        browser.click("input[name=event][value=INSERT]");
        browser.follow("form.choose button.main");
        assert_eq!(shown(browser), ["I id=\"o2\"", "I id=\"o1\""]);
        browser.reload();
        assert_eq!(shown(browser).len(), 2);
        browser.enter("input[name=key]", "o1");
        browser.follow("form.choose button.main");
        assert_eq!(shown(browser), ["I id=\"o1\""]);
        browser.back();
        assert_eq!(shown(browser).len(), 2);

        browser.open(&stand.url("stream?table=orders&from=trim-horizon"));
        browser.enter("input[name=pattern]", r#"{"dynamodb": {"NewImage": {"city": {"S": ["Bern"]}}}}"#);
        browser.follow("form.choose button.main");
        assert_eq!(shown(browser), ["I id=\"o2\""]);
        browser.enter("input[name=pattern]", r#"{"dynamodb": ["#);
        browser.follow("form.choose button.main");
        assert!(browser.text("section [role=alert]").contains("pattern"), "{}", browser.page_text());
        assert_eq!(browser.text_of_field("input[name=pattern]"), r#"{"dynamodb": ["#);

        browser.open(&stand.url("stream?table=orders"));
        browser.choose("select[name=from]", "time");
        browser.enter("input[name=time]", "30m");
        browser.follow("form.choose button.main");
        assert_eq!(shown(browser), ["R id=\"o2\"", "M id=\"o1\""]);
        take_refusals(browser, "400");
    });
}

#[test]
fn what_is_shown_is_exported() {
    browse(|browser| {
        let stand = changed();
        browser.open(&stand.url("stream?table=orders&from=trim-horizon&event=INSERT"));
        let export = "fetch(document.querySelector('#export').href).then((answer) => answer.text()).then(arguments[0])";
        let lines = browser.later(export, &[]);
        let lines: Vec<Value> =
            lines.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().all(|line| line["eventName"] == "INSERT"), "{lines:?}");
    });
}

#[test]
fn a_record_opens_with_both_images() {
    browse(|browser| {
        let stand = changed();
        browser.open(&stand.url("stream?table=orders&from=trim-horizon&event=MODIFY"));
        browser.click("tr.record td.when a");
        browser.wait_for("document.querySelector('tr.detail table.images')");
        let images = browser.texts("tr.detail table.images tbody tr:has(.hint) td");
        assert!(images[0].contains("42") && images[1].contains("43"), "{images:?}");
        assert_eq!(
            browser.script("return document.querySelector('tr.record a').getAttribute('aria-expanded')"),
            "true"
        );
        assert!(browser.text("tr.detail").contains("Lambda"));
        browser.click("tr.record td.when a");
        assert_eq!(browser.count("tr.detail"), 0);

        // It is also a page.
        let address = browser.script("return document.querySelector('tr.record a').href");
        browser.open(address.as_str().unwrap());
        assert_eq!(browser.count("table.images"), 1);
    });
}

#[test]
fn a_table_without_a_stream_says_how_to_get_one() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        let off = json!({ "TableName": "orders", "StreamSpecification": { "StreamEnabled": false } });
        stand.call("UpdateTable", &off);
        browser.open(&stand.url("stream?table=nothing"));
        assert!(browser.page_text().contains("update-table"), "{}", browser.page_text());
        browser.open(&stand.url("stream?table=orders"));
        assert!(browser.page_text().contains("DISABLED"), "{}", browser.page_text());
        take_refusals(browser, "404");
    });
}
