//! Operations on items: one by one, in batches, by query and scan.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, ReturnValue, WriteRequest};

use crate::harness::{Db, n, s};

#[tokio::test]
async fn an_item_is_put_read_changed_and_deleted() {
    let db = Db::in_memory();
    db.create_orders().await;
    db.put("c1", "o1", 42).await;

    let get = || db.items.get_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
    assert_eq!(get().send().await.unwrap().item.unwrap()["amount"], n(42));

    let update = db.items.update_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
    let updated = update
        .update_expression("SET amount = amount + :one, #tags = :tags")
        .expression_attribute_names("#tags", "tags")
        .expression_attribute_values(":one", n(1))
        .expression_attribute_values(
            ":tags",
            aws_sdk_dynamodb::types::AttributeValue::Ss(vec!["new".to_owned()]),
        )
        .return_values(ReturnValue::UpdatedNew)
        .send()
        .await
        .unwrap();
    assert_eq!(updated.attributes.unwrap()["amount"], n(43));

    let delete = db.items.delete_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
    let deleted = delete.return_values(ReturnValue::AllOld).send().await.unwrap();
    assert_eq!(deleted.attributes.unwrap().len(), 4);
    assert_eq!(get().send().await.unwrap().item, None);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let db = Db::in_memory();
    db.create_orders().await;
    for at in 0..50 {
        db.put("c1", &format!("o{at:02}"), at).await;
    }
    db.put("c2", "o1", 1).await;

    let query = db.items.query().table_name("orders").key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", s("c1")).into_paginator().page_size(7);
    let found: Vec<_> = query.items().send().collect::<Result<_, _>>().await.unwrap();
    let totals: Vec<_> = found.iter().map(|item| item["amount"].clone()).collect();
    assert_eq!(totals, (0..50).map(n).collect::<Vec<_>>());

    let scan = db.items.scan().table_name("orders").into_paginator().page_size(9);
    let pages: Vec<_> = scan.send().collect::<Result<Vec<_>, _>>().await.unwrap();
    assert!(pages.len() > 5);
    assert_eq!(pages.iter().map(|page| page.count()).sum::<i32>(), 51);
}

#[tokio::test]
async fn batches_write_and_read() {
    let db = Db::in_memory();
    db.create_orders().await;
    let put = |at: i64| {
        let put =
            PutRequest::builder().item("pk", s("c1")).item("sk", s(&at.to_string())).item("amount", n(at));
        WriteRequest::builder().put_request(put.build().unwrap()).build()
    };
    let written = db.items.batch_write_item().request_items("orders", (0..25).map(put).collect());
    assert!(written.send().await.unwrap().unprocessed_items.unwrap_or_default().is_empty());

    let key = |at: i64| HashMap::from([("pk".to_owned(), s("c1")), ("sk".to_owned(), s(&at.to_string()))]);
    let keys = KeysAndAttributes::builder().set_keys(Some((20..30).map(key).collect())).build().unwrap();
    let read = db.items.batch_get_item().request_items("orders", keys).send().await.unwrap();
    assert_eq!(read.responses.unwrap()["orders"].len(), 5);
}
