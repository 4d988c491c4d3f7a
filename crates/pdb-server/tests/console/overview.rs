//! The first page.

use serde_json::json;

use crate::browser::browse;
use crate::stand::Stand;

#[test]
fn tables_are_shown_and_sorted() {
    browse(|browser| {
        let stand = Stand::new();
        browser.open(&stand.url(""));
        assert!(browser.text(".empty").contains("There is no table yet"), "{}", browser.page_text());
        assert_eq!(browser.text(".clock"), "clock 2026-03-01 09:15:42.017Z (held)");

        for (table, items) in [("apples", 2), ("pears", 11), ("cherries", 0)] {
            stand.create_table(table);
            for n in 0..items {
                stand.put(table, &json!({ "id": { "S": format!("item {n}") } }));
            }
        }
        browser.reload();
        let names = || browser.texts("table.sortable tbody th");
        assert_eq!(names(), ["apples", "cherries", "pears"]);
        assert_eq!(browser.texts("nav ul.tables a"), ["apples", "cherries", "pears"]);

        // Numbers are sorted as numbers, and a second click turns the order round.
        browser.click_text("table.sortable thead button", "Items");
        assert_eq!(names(), ["cherries", "apples", "pears"]);
        assert_eq!(browser.texts("thead th[aria-sort=ascending]").len(), 1);
        browser.click("thead th[aria-sort] button");
        assert_eq!(names(), ["pears", "apples", "cherries"]);
        // The order stays when the page looks again by itself.
        stand.put("cherries", &json!({ "id": { "S": "item" } }));
        browser.wait_for("document.querySelector('tbody tr:last-child td').textContent === '1'");
        assert_eq!(names(), ["pears", "apples", "cherries"]);
        assert_eq!(browser.count("thead th[aria-sort=descending]"), 1);
        browser.click_text("table.sortable thead button", "Table");
        assert_eq!(names(), ["apples", "cherries", "pears"]);

        browser.follow("tbody th a");
        assert_eq!(browser.url(), stand.url("table?name=apples"));
        browser.back();
        assert_eq!(browser.url(), stand.url(""));
        assert_eq!(names().len(), 3);
    });
}
