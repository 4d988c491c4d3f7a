//! What the tests of several pages need: a database with hostile contents, and requests.

use pdb_wire::Wire;
use pretender::Pretender;
use serde_json::{Value, json};

use crate::{Answer, Context, Request, call};

/// A text that breaks whatever does not escape it.
pub(crate) const HOSTILE: &str =
    "<script>alert(1)</script> \"q\" 'q' \\ `$(id)` &amp; 😀 \u{202e}\u{0}\r\n${x} {{y}}";

/// Returns the pages of a database with the tables `orders` (keys `customer` and `id`, an index `by-status`) and `plain` (a number as key).
pub(crate) fn context() -> Context<'static> {
    let wire = Wire::new(Pretender::in_memory().unwrap());
    let keys = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
    let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    for input in [
        json!({
            "TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys("customer", "id"),
            "AttributeDefinitions": [attribute("customer", "S"), attribute("id", "S"), attribute("status", "S"), attribute("total", "N")],
            "GlobalSecondaryIndexes": [
                { "IndexName": "by-status", "KeySchema": keys("status", "total"), "Projection": { "ProjectionType": "ALL" } }],
            "LocalSecondaryIndexes": [
                { "IndexName": "by-total", "KeySchema": keys("customer", "total"), "Projection": { "ProjectionType": "KEYS_ONLY" } }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            "Tags": [{ "Key": "team", "Value": "a + b" }],
        }),
        json!({
            "TableName": "plain", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{ "AttributeName": "n", "KeyType": "HASH" }],
            "AttributeDefinitions": [attribute("n", "N")],
        }),
    ] {
        call::dynamodb(&wire, "CreateTable", &input).unwrap();
    }
    Context::new(wire).with_form_token("token")
}

/// Writes an item.
pub(crate) fn put(context: &Context<'_>, table: &str, item: &Value) {
    call::dynamodb(context.wire(), "PutItem", &json!({ "TableName": table, "Item": item })).unwrap();
}

/// Reads an item.
pub(crate) fn get(context: &Context<'_>, table: &str, key: &Value) -> Value {
    let input = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
    call::dynamodb(context.wire(), "GetItem", &input).unwrap()["Item"].take()
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// Returns the status and the HTML of a page.
pub(crate) fn show(context: &Context<'_>, page: &str, query: &[(&str, &str)]) -> (u16, String) {
    page_of(context.answer(&Request::get(page, &encoded(query))))
}

/// Sends a form.
pub(crate) fn send(
    context: &Context<'_>,
    page: &str,
    query: &[(&str, &str)],
    form: &[(&str, &str)],
) -> Answer {
    context.answer(&Request::post(page, &encoded(query), encoded(form).as_bytes()))
}

/// Returns the status and the HTML of an answer that is a page, which holds nothing that was not escaped.
pub(crate) fn page_of(answer: Answer) -> (u16, String) {
    let Answer::Page { status, html } = answer else { panic!("no page: {answer:?}") };
    let own = ["console", "refresh", "stream"]
        .map(|name| html.matches(&format!("<script src=\"{name}.js\" defer></script>")).count());
    assert_eq!(html.matches("<script").count(), own.iter().sum::<usize>(), "{html}");
    assert!(!html.contains(" style=") && !html.contains("onclick"), "{html}");
    (status, html)
}

/// Returns the address that an answer sends the browser to.
pub(crate) fn location(answer: Answer) -> String {
    match answer {
        Answer::SeeOther(location) => location,
        other => panic!("no redirection: {other:?}"),
    }
}

/// Returns the addresses of links with a text.
pub(crate) fn link(html: &str, text: &str) -> Option<String> {
    let end = html.find(&format!(">{text}</a>"))?;
    let start = html[..end].rfind("href=\"")? + 6;
    Some(html[start..].split('"').next()?.replace("&amp;", "&"))
}
