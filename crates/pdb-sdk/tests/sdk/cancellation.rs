//! Calls whose future is dropped.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use crate::harness::{Db, n, s};

/// Polls a future a number of times, and drops it.
async fn dropped_after(polls: u32, future: impl Future) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let is_done = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        if is_done {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn put(sk: String, total: i64) -> TransactWriteItem {
    let put =
        Put::builder().table_name("orders").item("pk", s("c1")).item("sk", s(&sk)).item("amount", n(total));
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

#[tokio::test]
async fn a_dropped_call_is_done_or_not_done() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    for round in 0..60 {
        let transaction = db.items.transact_write_items();
        let transaction = transaction.transact_items(put(format!("{round}-a"), round));
        let transaction = transaction.transact_items(put(format!("{round}-b"), round));
        dropped_after(round as u32 % 4, transaction.send()).await;
        dropped_after(round as u32 % 3, db.items.scan().table_name("orders").send()).await;
    }
    // It serves the next as if nothing had been, and behind everything that was begun.
    db.put("c1", "last", 1).await;

    let scan = db.items.scan().table_name("orders").into_paginator().items().send();
    let items: Vec<_> = scan.collect::<Result<_, _>>().await.unwrap();
    let table: BTreeMap<String, String> = items
        .iter()
        .map(|item| (item["sk"].as_s().unwrap().clone(), item["amount"].as_n().unwrap().clone()))
        .collect();
    for round in 0..60 {
        let written = ["a", "b"].map(|half| table.contains_key(&format!("{round}-{half}")));
        assert_eq!(written[0], written[1], "transaction {round} is half done");
    }
    let mut replayed = BTreeMap::new();
    for record in db.records(&arn).await {
        let image = record.dynamodb().unwrap().new_image().unwrap();
        replayed.insert(image["sk"].as_s().unwrap().clone(), image["amount"].as_n().unwrap().clone());
    }
    assert_eq!(replayed, table);
}

#[tokio::test]
async fn an_aborted_task_breaks_nothing() {
    let db = Db::in_memory();
    db.create_orders().await;
    for round in 0..20 {
        let items = db.items.clone();
        let task = tokio::spawn(async move {
            loop {
                items
                    .put_item()
                    .table_name("orders")
                    .item("pk", s("c1"))
                    .item("sk", s("o1"))
                    .send()
                    .await
                    .unwrap();
                items
                    .query()
                    .table_name("orders")
                    .key_condition_expression("pk = :pk")
                    .expression_attribute_values(":pk", s("c1"))
                    .send()
                    .await
                    .unwrap();
            }
        });
        for _ in 0..round * 3 {
            tokio::task::yield_now().await;
        }
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    db.put("c1", "o2", 2).await;
    let found = db.items.scan().table_name("orders").send().await.unwrap().count();
    assert!((1..=2).contains(&found), "{found}");
}
