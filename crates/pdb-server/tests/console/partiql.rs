//! The page of PartiQL.

use serde_json::{Value, json};

use crate::access::take_refusals;
use crate::browser::browse;
use crate::stand::Stand;

#[test]
fn statements_are_executed_when_a_person_says_so() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        let key = json!({ "id": { "S": "o1" } });
        stand.put("orders", &json!({ "id": { "S": "o1" }, "note": { "S": "before" } }));

        // An address fills in a statement, and executes nothing.
        let delete = "DELETE%20FROM%20%22orders%22%20WHERE%20%22id%22%20%3D%20%27o1%27";
        browser.open(&stand.url(&format!("partiql?statement={delete}")));
        assert!(browser.text_of_field("textarea[name=statement]").starts_with("DELETE"));
        assert_ne!(stand.get("orders", &key), Value::Null);

        browser.enter("textarea[name=statement]", "SELECT * FROM \"orders\" WHERE \"note\" = ?");
        browser.enter("input[name=parameters]", "[\"before\"]");
        browser.follow("button.main");
        assert!(browser.text("[role=status]").contains("Done: 1 item"), "{}", browser.page_text());
        assert_eq!(browser.texts("table.items tbody td"), ["o1", "before"]);

        browser.enter(
            "textarea[name=statement]",
            "UPDATE \"orders\" SET \"note\" = 'after' WHERE \"id\" = 'o1'",
        );
        browser.enter("input[name=parameters]", "");
        browser.follow("button.main");
        assert_eq!(stand.get("orders", &key)["note"], json!({ "S": "after" }));

        browser.enter("textarea[name=statement]", "SELEC * FROM orders");
        browser.follow("button.main");
        assert!(browser.text("[role=alert]").contains("ValidationException"));
        take_refusals(browser, "400");
    });
}
