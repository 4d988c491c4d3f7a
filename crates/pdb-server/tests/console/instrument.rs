//! The page of the test instrument.

use pdb_server::ServerOptions;
use pretender::Pretender;
use serde_json::{Value, json};

use crate::access::take_refusals;
use crate::browser::{Browser, browse};
use crate::stand::{START, Stand};

/// Clicks the button of an area with this text, and returns what the page says then.
#[track_caller]
fn press(browser: &Browser, area: &str, text: &str) -> String {
    browser.click_to(&format!("#{area} button"), text);
    browser.texts(&format!("#{area} [role=status], #{area} [role=alert]")).join(" ")
}

fn now(stand: &Stand) -> i64 {
    stand.pretender.env().clock.now().0
}

#[test]
fn the_clock_is_moved() {
    browse(|browser| {
        let stand = Stand::new();
        browser.open(&stand.url("instrument"));
        assert!(press(browser, "clock", "+15 min").contains("moved forward"));
        assert_eq!(now(&stand), START + 15 * 60_000);
        assert!(browser.text("#clock .now").contains("09:30:42"), "{}", browser.text("#clock"));
        assert!(browser.text("header .clock").contains("09:30:42"));

        // What trims records is confirmed.
        browser.click("#clock button[value='24h']");
        assert_eq!(now(&stand), START + 15 * 60_000);
        browser.click("#clock form:has(button[value='24h']) input[type=checkbox]");
        assert!(press(browser, "clock", "+24 h").contains("moved forward"));
        assert_eq!(now(&stand), START + 15 * 60_000 + 24 * 3_600_000);

        assert!(press(browser, "clock", "Run").contains("The clock runs"));
        let before = browser.text("#clock .now time");
        browser.wait_for(&format!(
            "document.querySelector('#clock .now time').textContent !== {}",
            json!(before)
        ));
        assert!(press(browser, "clock", "Hold").contains("The clock is held"));

        // What cannot be is said, and what was typed stays.
        browser.enter("#clock input[name=time]", "soon");
        browser.click("#clock form:has(input[name=time]) input[type=checkbox]");
        assert!(press(browser, "clock", "Set the clock").contains("soon"));
        assert_eq!(browser.text_of_field("#clock input[name=time]"), "soon");
        take_refusals(browser, "400");
    });
}

#[test]
fn shards_are_rotated_split_and_trimmed() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        stand.put("orders", &json!({ "id": { "S": "o1" } }));
        browser.open(&stand.url("instrument"));
        let rows = || browser.count("#shards table.shards tbody tr");
        assert_eq!(rows(), 1);
        assert!(
            press(browser, "shards", "Rotate all open shards of orders").contains("Rotated: 1 new shard")
        );
        assert_eq!(rows(), 2);
        assert!(press(browser, "shards", "Split").contains("Split: 2 new shards"));
        assert_eq!(rows(), 4);
        browser.click("#shards form:has(input[name=before]) input[type=checkbox]");
        assert!(press(browser, "shards", "Trim").contains("Trimmed 1 record"));
        take_refusals(browser, "400");
    });
}

#[test]
fn faults_are_added_seen_and_cleared() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        browser.open(&stand.url("instrument"));
        browser.click("#faults details summary");
        browser.choose("#faults select[name=kind]", "latency");
        browser.enter("#faults input[name=operations]", "GetItem");
        browser.enter("#faults input[name=delay]", "1ms");
        browser.enter("#faults input[name=times]", "1");
        assert!(press(browser, "faults", "Add the fault").contains("Added fault"));
        // The console is not hurt by it, and the API is.
        let key = json!({ "id": { "S": "o1" } });
        browser.open(&stand.url("item?table=orders&key=%7B%22id%22%3A%7B%22S%22%3A%22o1%22%7D%7D"));
        stand.get("orders", &key);
        stand.get("orders", &key);
        browser.open(&stand.url("instrument"));
        let log = browser.texts("#faults .recent tbody tr");
        assert!(log.len() == 1 && log[0].contains("GetItem") && log[0].contains("latency"), "{log:?}");
        browser.click("#faults form:has(button.danger) input[type=checkbox]");
        assert!(press(browser, "faults", "Clear").contains("Removed 1 fault"));
        assert!(browser.text("#faults .empty").contains("No fault is in force"));
        take_refusals(browser, "404");
    });
}

#[test]
fn a_snapshot_brings_everything_back() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        let key = json!({ "id": { "S": "o1" } });
        stand.put("orders", &key);
        browser.open(&stand.url("instrument"));
        browser.enter("#snapshots input[name=name][required]", "before");
        assert!(
            press(browser, "snapshots", "Save the database").contains("Saved the snapshot: 1 table, 1 item")
        );
        stand.call("DeleteItem", &json!({ "TableName": "orders", "Key": key }));

        browser.click("#snapshots tbody tr td details:first-child summary");
        let restore = "#snapshots td details[open] form";
        browser.click(&format!("{restore} button"));
        assert_eq!(stand.get("orders", &key), Value::Null);
        browser.click(&format!("{restore} input[name=confirmed]"));
        browser.follow(&format!("{restore} button"));
        assert!(browser.text("#snapshots [role=status]").contains("Restored the snapshot"));
        assert_eq!(stand.get("orders", &key), key);
    });
}

#[test]
fn a_reset_is_confirmed() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        browser.open(&stand.url("instrument"));
        browser.click("#reset input[value=all]");
        browser.click("#reset button");
        assert_eq!(stand.call("ListTables", &json!({}))["TableNames"], json!(["orders"]));
        browser.click("#reset input[type=checkbox]");
        assert!(press(browser, "reset", "Reset").contains("Removed everything"));
        assert_eq!(stand.call("ListTables", &json!({}))["TableNames"], json!([]));

        // The server does not rely on the page.
        stand.create_table("orders");
        browser.reload();
        browser.script(
            "document.querySelectorAll('#reset [required]').forEach((field) => { field.required = false; })",
        );
        browser.click("#reset input[value=all]");
        assert!(press(browser, "reset", "Reset").contains("Not done"));
        assert_eq!(stand.call("ListTables", &json!({}))["TableNames"], json!(["orders"]));
        take_refusals(browser, "400");
    });
}

#[test]
fn without_its_control_interface_a_server_has_no_instrument() {
    browse(|browser| {
        let stand = Stand::of(Pretender::in_memory().unwrap(), ServerOptions::default());
        browser.open(&stand.url("instrument"));
        assert!(browser.text(".empty").contains("pretender serve --control"));
        assert_eq!(browser.count("main form"), 0);
    });
}
