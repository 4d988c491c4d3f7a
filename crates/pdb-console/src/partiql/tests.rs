use serde_json::{Value, json};

use crate::testing::{HOSTILE, context, get, page_of, put, send, show};

#[test]
fn statements_read_and_write() {
    let context = context();
    for (statement, parameters, text) in [
        (
            r#"INSERT INTO "plain" VALUE {'n': ?, 'note': ?}"#,
            json!([7, HOSTILE]).to_string(),
            "The statement returned nothing",
        ),
        ("SELECT *\r\nFROM \"plain\"", String::new(), "Done: 1 item"),
        (r#"SELECT * FROM "plain" WHERE n = ?"#, r#"[{"N": "7"}]"#.to_owned(), "&lt;script&gt;"),
        (
            r#"UPDATE "plain" SET big = ? WHERE n = 7 RETURNING ALL NEW *"#,
            "[12345678901234567890.5]".to_owned(),
            "12345678901234567890.5",
        ),
    ] {
        let form = [("statement", statement), ("parameters", &*parameters), ("limit", "50")];
        let (status, html) = page_of(send(&context, "partiql", &[], &form));
        assert!(status == 200 && html.contains(text), "{statement}: {html}");
        assert!(html.contains("capacity unit") && html.contains("aws dynamodb execute-statement"), "{html}");
    }
    assert_eq!(get(&context, "plain", &json!({ "n": { "N": "7" } }))["note"], json!({ "S": HOSTILE }));
}

#[test]
fn an_address_fills_a_statement_in_and_executes_nothing() {
    let context = context();
    put(&context, "plain", &json!({ "n": { "N": "7" } }));
    let (status, html) = show(&context, "partiql", &[("statement", r#"DELETE FROM "plain" WHERE n = 7"#)]);
    assert!(status == 200 && html.contains("DELETE FROM &quot;plain&quot; WHERE n = 7</textarea>"), "{html}");
    assert_ne!(get(&context, "plain", &json!({ "n": { "N": "7" } })), Value::Null);
    let (_, html) = show(&context, "partiql", &[("table", "orders")]);
    assert!(html.contains("SELECT * FROM &quot;orders&quot; WHERE &quot;customer&quot; = 'a'"), "{html}");
    let (_, html) = show(&context, "partiql", &[]);
    assert!(html.contains("SELECT * FROM &quot;orders&quot;"), "{html}");
}

#[test]
fn an_error_leaves_the_statement() {
    let context = context();
    for (statement, parameters, limit, error) in [
        ("SELECT <script>", "", "5", "ValidationException"),
        ("SELECT * FROM \"none\"", "", "5", "ResourceNotFoundException"),
        ("SELECT 1", "{", "5", "The parameters: not JSON"),
        ("SELECT 1", "7", "5", "write a JSON array"),
        ("SELECT 1", "", "x", "between 1 and 1000"),
    ] {
        let form = [("statement", statement), ("parameters", parameters), ("limit", limit)];
        let (status, html) = page_of(send(&context, "partiql", &[], &form));
        let kept = maud::html! { (statement) }.into_string() + "</textarea>";
        assert!(
            status == 400 && html.contains(error) && html.contains("role=\"alert\"") && html.contains(&kept),
            "{html}"
        );
    }
}

#[test]
fn pages_of_statements_follow_each_other() {
    let context = context();
    for number in 0..5 {
        put(&context, "plain", &json!({ "n": { "N": number.to_string() } }));
    }
    let (mut next, mut pages) = (String::new(), 0);
    loop {
        let form = [("statement", "SELECT * FROM plain"), ("limit", "2"), ("next", &next)];
        let (status, html) = page_of(send(&context, "partiql", &[], &form));
        assert_eq!(status, 200, "{html}");
        pages += 1;
        let Some(field) = html.split("name=\"next\" value=\"").nth(1) else { break };
        next = field.split('"').next().unwrap().to_owned();
    }
    assert!((3..=4).contains(&pages), "{pages}");
}
