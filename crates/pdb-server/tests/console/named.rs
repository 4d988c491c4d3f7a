//! The console of a named database, and of a region.

use std::sync::Arc;

use pdb_server::{NamedDatabase, NamedDatabases, ServerOptions};
use pretender::Pretender;
use pretender::time::{EpochMillis, ManualClock};
use serde_json::json;

use crate::browser::browse;
use crate::stand::{START, Stand};
use crate::tail::{wait_for_rows, wait_until_live};

#[test]
fn pages_of_a_named_database_lead_to_no_other() {
    browse(|browser| {
        let databases = NamedDatabases::new(None, |_name| {
            let clock = Arc::new(ManualClock::held_at(EpochMillis(START)));
            let builder = Pretender::builder().in_memory().clock(clock.clone()).sweep_interval(None);
            Ok(NamedDatabase { regions: builder.open()?.into(), clock: Some(clock) })
        });
        let options = ServerOptions { databases: Some(databases), ..ServerOptions::default() };
        let stand = Stand::with(options).within("/db/test-1");
        let key = json!({ "id": { "S": "o1" } });
        stand.create_table("orders");
        stand.put("orders", &json!({ "id": { "S": "o1" }, "n": { "N": "1" } }));

        browser.open(&stand.url(""));
        assert_eq!(browser.text("header .location"), "test-1");
        browser.follow("tbody th a");
        browser.click_to("main a", "Items");
        browser.follow("table.items tbody th a");
        browser.click_to("nav.tabs a", "Edit");
        let text = browser.text_of_field("textarea[name=item]");
        browser.enter("textarea[name=item]", &text.replace(r#""n": 1"#, r#""n": 2"#));
        browser.follow("button.main");
        assert_eq!(stand.get("orders", &key)["n"], json!({ "N": "2" }));
        browser.click_to("main a", "Stream");
        wait_until_live(browser);
        stand.put("orders", &json!({ "id": { "S": "o2" } }));
        wait_for_rows(browser, 3);
        browser.click_to("nav a", "Instrument");
        browser.click_to("#clock button", "+15 min");
        assert_eq!(stand.command("clock/hold", &json!({}))["epoch_millis"], START + 15 * 60_000);
        // The server's own database has another clock, and no tables.
        assert_eq!(stand.pretender.env().clock.now().0, START);
        assert_eq!(browser.url(), stand.url("instrument?said=clock%2Fadvance%3A0%3A0%3A0%3A0%3A0%3A0#clock"));
        let stand = stand.within("");
        browser.open(&stand.url(""));
        assert!(browser.page_text().contains("There is no table yet"));
    });
}

#[test]
fn a_region_stays_chosen() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        browser.open(&stand.url("?region=us-east-1"));
        for (selector, text) in
            [("nav a", "orders"), ("main a", "Items"), ("main button", "Search"), ("nav a", "Instrument")]
        {
            browser.click_to(selector, text);
            assert!(browser.url().contains("region=us-east-1"), "{text}: {}", browser.url());
        }
        browser.click_to("#clock button", "+1 s");
        assert!(browser.url().contains("region=us-east-1"), "{}", browser.url());
    });
}
