//! The live view of a stream.

use serde_json::{Value, json};

use crate::browser::{Browser, browse, browse_alone};
use crate::stand::Stand;

/// Opens the page of the stream of `orders`, and waits until it is live.
#[track_caller]
pub(crate) fn open(browser: &Browser, stand: &Stand, parameters: &str) {
    browser.open(&stand.url(&format!("stream?table=orders{parameters}")));
    wait_until_live(browser);
}

/// Waits until the page receives records.
#[track_caller]
pub(crate) fn wait_until_live(browser: &Browser) {
    browser.wait_for("document.querySelector('#tail-state').textContent.startsWith('live')");
}

/// Waits until so many records are shown.
#[track_caller]
pub(crate) fn wait_for_rows(browser: &Browser, count: usize) {
    browser.wait_for(&format!("document.querySelectorAll('tr.record').length === {count}"));
}

fn put(stand: &Stand, id: &str) {
    stand.put("orders", &json!({ "id": { "S": id } }));
}

#[test]
fn a_record_appears_soon_after_its_commit() {
    browse_alone(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        open(browser, &stand, "");
        // The page itself writes, so that one clock measures: from the request until the row is there, and until the answer was.
        let script = r#"
            const [n, done] = arguments;
            const headers = {
                'X-Amz-Target': 'DynamoDB_20120810.PutItem', 'X-Amz-Date': '20260301T000000Z',
                'Content-Type': 'application/x-amz-json-1.0',
                'Authorization': 'AWS4-HMAC-SHA256 Credential=k/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00',
            };
            const body = JSON.stringify({ TableName: 'orders', Item: { id: { S: `item ${n}` } } });
            const began = performance.now();
            const appeared = new Promise((resolve) => {
                const observer = new MutationObserver(() => {
                    if (!document.querySelector('#rows').textContent.includes(`item ${n}`)) return;
                    observer.disconnect();
                    resolve(performance.now() - began);
                });
                observer.observe(document.querySelector('#rows'), { childList: true });
            });
            const answered = fetch('/', { method: 'POST', headers, body }).then(() => performance.now() - began);
            Promise.all([appeared, answered]).then(done);"#;
        let measured = (0..30).map(|n| browser.later(script, &[json!(n)]));
        let measured: Vec<(f64, f64)> =
            measured.map(|times| serde_json::from_value(times).unwrap()).collect();
        let mut appeared: Vec<f64> = measured.iter().map(|(appeared, _)| *appeared).collect();
        let mut behind: Vec<f64> = measured.iter().map(|(appeared, answered)| appeared - answered).collect();
        appeared.sort_by(f64::total_cmp);
        behind.sort_by(f64::total_cmp);
        println!(
            "a record is in the page {:.0} ms after its request was sent (median; worst {:.0} ms), {:.0} ms after the answer (worst {:.0} ms)",
            appeared[15], appeared[29], behind[15], behind[29]
        );
        assert!(appeared[15] < 1_000.0, "{appeared:?}");
    });
}

#[test]
fn changes_are_shown_as_they_are_made() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        open(browser, &stand, "");
        assert!(browser.text("#none").contains("no records"));
        stand.put("orders", &json!({ "id": { "S": "o1" }, "address": { "M": { "city": { "S": "Bern" } } } }));
        wait_for_rows(browser, 1);
        assert_eq!(browser.count("#none"), 0);
        stand.put("orders", &json!({ "id": { "S": "o1" }, "address": { "M": { "city": { "S": "Thun" } } }, "paid": { "BOOL": true } }));
        stand.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "o1" } } }));
        wait_for_rows(browser, 3);
        let rows = browser.texts("tr.record");
        assert!(
            rows[0].contains("REMOVE") && rows[1].contains("MODIFY") && rows[2].contains("INSERT"),
            "{rows:?}"
        );
        for part in ["address.city", "Bern", "Thun", "paid"] {
            assert!(rows[1].contains(part), "{part}: {rows:?}");
        }
        // Shards come and go while the page is open.
        stand.command("shards/rotate", &json!({ "table": "orders" }));
        put(&stand, "o2");
        wait_for_rows(browser, 4);
    });
}

#[test]
fn a_filter_holds_for_what_comes() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        let pattern = "%7B%22eventName%22%3A%5B%22REMOVE%22%5D%7D";
        for (parameters, expected) in
            [("&event=REMOVE", 1), ("&key=o2", 1), (&*format!("&pattern={pattern}"), 1), ("", 3)]
        {
            open(browser, &stand, parameters);
            browser.click("#clear");
            put(&stand, "o1");
            put(&stand, "o2");
            stand.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "o1" } } }));
            wait_for_rows(browser, expected);
            // What comes later was sent later, so nothing else was on its way.
            stand.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "o2" } } }));
            let last = expected + usize::from(!parameters.is_empty());
            wait_for_rows(browser, last.max(expected + 1));
        }
    });
}

#[test]
fn a_pause_keeps_what_comes() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        open(browser, &stand, "");
        put(&stand, "o1");
        wait_for_rows(browser, 1);
        browser.click("#pause");
        assert_eq!(browser.text("#pause"), "Continue");
        put(&stand, "o2");
        put(&stand, "o3");
        browser.wait_for("document.querySelector('#tail-state').textContent.includes('2 new meanwhile')");
        assert_eq!(browser.count("tr.record"), 1);
        browser.click("#pause");
        wait_for_rows(browser, 3);
        let newest = browser.script("return document.querySelector('tr.record td.key').textContent.trim()");
        assert_eq!(newest, Value::from("id=\"o3\""));
        browser.click("#clear");
        assert_eq!(browser.count("tr.record"), 0);
        put(&stand, "o4");
        wait_for_rows(browser, 1);
    });
}
