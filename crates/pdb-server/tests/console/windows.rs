//! Two windows at a time, and servers that go away.

use pretender::items::PutItemInput;
use pretender::model::Item;
use serde_json::json;

use crate::browser::browse;
use crate::stand::Stand;
use crate::tail::{open, wait_for_rows, wait_until_live};

#[test]
fn two_windows_show_the_same() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        let windows = browser.second_window();
        for window in &windows {
            browser.switch_to(window);
            open(browser, &stand, "");
        }
        for n in 0..40 {
            stand
                .put("orders", &json!({ "id": { "S": format!("o{}", n % 7) }, "n": { "N": n.to_string() } }));
        }
        let [first, second] = windows.each_ref().map(|window| {
            browser.switch_to(window);
            wait_for_rows(browser, 40);
            browser
                .script("return [...document.querySelectorAll('tr.record')].map((row) => row.dataset.event)")
        });
        assert_eq!(first, second);

        // A window pauses for itself alone.
        browser.click("#pause");
        browser.switch_to(&windows[0]);
        stand.put("orders", &json!({ "id": { "S": "last" } }));
        wait_for_rows(browser, 41);
        browser.switch_to(&windows[1]);
        browser.wait_for("document.querySelector('#tail-state').textContent.includes('1 new meanwhile')");
    });
}

#[test]
fn a_page_says_that_its_server_is_lost_and_goes_on_with_the_next_one() {
    browse(|browser| {
        let mut stand = Stand::new();
        stand.create_table("orders");
        let [tail, overview] = browser.second_window();
        browser.switch_to(&overview);
        browser.open(&stand.url(""));
        browser.switch_to(&tail);
        open(browser, &stand, "");
        stand.put("orders", &json!({ "id": { "S": "before" } }));
        wait_for_rows(browser, 1);

        stand.stop();
        browser.wait_for("document.querySelector('#tail-state').textContent.startsWith('connection lost')");
        browser.switch_to(&overview);
        browser.wait_for_text("The server does not answer");
        // Nobody could show this record when it was made.
        let item = Item::new().with("id", "meanwhile");
        stand.pretender.put_item(PutItemInput::new("orders".parse().unwrap(), item)).unwrap();

        stand.start_again();
        browser.wait_for_text("Live.");
        browser
            .wait_for("[...document.querySelectorAll('tbody td')].some((cell) => cell.textContent === '2')");
        browser.switch_to(&tail);
        wait_until_live(browser);
        wait_for_rows(browser, 2);
        stand.put("orders", &json!({ "id": { "S": "after" } }));
        wait_for_rows(browser, 3);
        let keys = browser.texts("tr.record td.key");
        assert_eq!(keys, [r#"id="after""#, r#"id="meanwhile""#, r#"id="before""#]);
        for complaint in browser.take_complaints() {
            assert!(complaint.contains("net::ERR_"), "{complaint}");
        }
    });
}
