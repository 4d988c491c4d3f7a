//! The pages of tables and items.

use serde_json::{Value, json};

use crate::access::take_refusals;
use crate::browser::browse;
use crate::stand::Stand;

#[test]
fn an_item_is_created_edited_and_deleted() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        browser.open(&stand.url("table?name=orders"));
        browser.open(&stand.url("items?table=orders"));
        assert!(browser.text(".empty").contains("The table has no items"));
        browser.click_to(".empty a", "Create one here");
        browser.enter("textarea[name=item]", r#"{"id": "o1", "total": 12.50, "tags": ["a", "b"]}"#);
        browser.follow("button.main");
        assert!(browser.text("[role=status]").contains("created"));
        let key = json!({ "id": { "S": "o1" } });
        assert_eq!(stand.get("orders", &key)["total"], json!({ "N": "12.5" }));

        browser.click_to("nav.tabs a", "Edit");
        let text = browser.text_of_field("textarea[name=item]");
        browser.enter("textarea[name=item]", "{not an item");
        browser.follow("button.main");
        assert!(browser.text("[role=alert]").contains("This is not an item"));
        assert_eq!(browser.text_of_field("textarea[name=item]"), "{not an item");
        browser.enter("textarea[name=item]", &text.replace("12.5", "13"));
        browser.follow("button.main");
        assert!(browser.text("[role=status]").contains("saved"));
        assert_eq!(stand.get("orders", &key)["total"], json!({ "N": "13" }));

        // Nothing is deleted by mistake.
        browser.click_text("main > details > summary", "Delete");
        browser.click("button.danger");
        assert_ne!(stand.get("orders", &key), Value::Null);
        browser.click("input[name=confirm]");
        browser.follow("button.danger");
        assert!(browser.text("[role=status]").contains("deleted"));
        assert_eq!(stand.get("orders", &key), Value::Null);
        take_refusals(browser, "400");
    });
}

#[test]
fn an_edit_does_not_overwrite_what_changed_meanwhile() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        let key = json!({ "id": { "S": "o1" } });
        stand.put("orders", &json!({ "id": { "S": "o1" }, "a": { "N": "1" }, "b": { "N": "1" } }));
        let edit = || {
            browser.open(
                &stand.url("item?table=orders&key=%7B%22id%22%3A%7B%22S%22%3A%22o1%22%7D%7D&view=edit"),
            );
            browser.text_of_field("textarea[name=item]")
        };

        // Both changed other attributes.
        let text = edit();
        browser.enter("textarea[name=item]", &text.replace(r#""a": 1"#, r#""a": 2"#));
        stand.put("orders", &json!({ "id": { "S": "o1" }, "a": { "N": "1" }, "b": { "N": "2" } }));
        browser.follow("button.main");
        assert!(browser.text("[role=alert]").contains("The item has changed since you loaded it"));
        assert_eq!(stand.get("orders", &key)["a"], json!({ "N": "1" }));
        assert!(browser.page_text().contains("What changed meanwhile"));
        browser.leave(|| browser.click_text("main button", "Save both"));
        let saved = stand.get("orders", &key);
        assert_eq!((&saved["a"], &saved["b"]), (&json!({ "N": "2" }), &json!({ "N": "2" })));

        // Both changed the same one.
        let text = edit();
        browser.enter("textarea[name=item]", &text.replace(r#""a": 2"#, r#""a": 3"#));
        stand.put("orders", &json!({ "id": { "S": "o1" }, "a": { "N": "4" } }));
        browser.follow("button.main");
        assert!(browser.texts("main button").iter().all(|text| text != "Save both"));
        browser.leave(|| browser.click_text("main button", "Overwrite with my version"));
        assert_eq!(stand.get("orders", &key)["a"], json!({ "N": "3" }));
        take_refusals(browser, "409");
    });
}

#[test]
fn items_are_searched_page_by_page() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_sorted_table("visits");
        for n in 0..12 {
            stand.put(
                "visits",
                &json!({ "id": { "S": "home" }, "at": { "S": format!("{n:02}") }, "n": { "N": "1" } }),
            );
        }
        stand.put("visits", &json!({ "id": { "S": "other" }, "at": { "S": "00" } }));
        let sorts = || browser.texts("table.items tbody td:nth-child(2)");
        browser.open(&stand.url("items?table=visits"));
        assert_eq!(sorts().len(), 13);

        browser.enter("input[name=pk]", "home");
        browser.choose("select[name=so]", ">=");
        browser.enter("input[name=sk]", "03");
        browser.enter("input[name=limit]", "5");
        browser.follow("form.search button.main");
        assert_eq!(sorts(), ["03", "04", "05", "06", "07"]);
        browser.follow("a[rel=next]");
        assert_eq!(sorts(), ["08", "09", "10", "11"]);
        // The address says it all.
        browser.reload();
        assert_eq!(sorts(), ["08", "09", "10", "11"]);
        browser.back();
        assert_eq!(sorts(), ["03", "04", "05", "06", "07"]);
        assert_eq!(browser.script("return document.querySelector('input[name=sk]').value"), "03");
        browser.choose("select[name=order]", "desc");
        browser.follow("form.search button.main");
        assert_eq!(sorts(), ["11", "10", "09", "08", "07"]);

        browser.follow("table.items tbody th a");
        assert!(browser.text("main").contains("home") && browser.text("main").contains("11"));
        browser.back();
        assert_eq!(sorts().len(), 5);
    });
}

#[test]
fn calls_are_copied_for_programs() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        stand.put("orders", &json!({ "id": { "S": "it's \"one\"" } }));
        let key = "%7B%22id%22%3A%7B%22S%22%3A%22it%27s%20%5C%22one%5C%22%22%7D%7D";
        browser.open(&stand.url(&format!("item?table=orders&view=dynamodb&key={key}")));
        browser.allow_clipboard();
        browser.click("button[data-copy]");
        browser.wait_for_text("copied");
        let copied = browser.later("navigator.clipboard.readText().then(arguments[0])", &[]);
        let item: Value = serde_json::from_str(copied.as_str().unwrap()).unwrap();
        assert_eq!(item, json!({ "id": { "S": "it's \"one\"" } }));
    });
}
