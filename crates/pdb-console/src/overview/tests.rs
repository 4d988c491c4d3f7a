use serde_json::json;

use pretender::faults::{Fault, FaultKind};

use crate::testing::{context, put, show};

#[test]
fn tables_are_shown_with_their_streams_and_readers() {
    let context = context();
    put(&context, "orders", &json!({ "customer": { "S": "c1" }, "id": { "S": "1" } }));
    put(&context, "orders", &json!({ "customer": { "S": "c1" }, "id": { "S": "2" } }));
    let (status, html) = show(&context, "", &[]);
    assert_eq!(status, 200);
    for expected in [
        r#"<a href="table?name=orders">orders</a>"#,
        r#"<a href="stream?table=orders">NEW_AND_OLD_IMAGES</a>"#,
        r#"data-rate="captured orders" data-total="2""#,
        r#"data-rate="write orders" data-total="2""#,
        "nobody reads",
        "Nobody has read a stream",
        r#"<script src="refresh.js" defer></script>"#,
    ] {
        assert!(html.contains(expected), "no {expected} in {html}");
    }
    let mut events = context.pretender().subscribe().table("orders").start().unwrap();
    events.next().unwrap().unwrap();
    let (_, html) = show(&context, "", &[("part", "1")]);
    assert!(!html.contains("<html"), "{html}");
    assert!(html.contains("subscription"), "{html}");
}

#[test]
fn faults_in_force_are_told() {
    let context = context();
    let none = show(&context, "", &[]).1;
    assert!(none.contains("<dt>Faults in force</dt><dd>none</dd>"), "{none}");
    context.pretender().faults().add(Fault::new(FaultKind::Throttling)).unwrap();
    let some = show(&context, "", &[]).1;
    assert!(some.contains(r#"<a href="instrument#faults">throttling</a>"#), "{some}");
}
