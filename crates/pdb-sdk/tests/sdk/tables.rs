//! Operations on tables, waiters among them.

use std::time::Duration;

use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::types::TableStatus;
use pretender::Pretender;

use crate::harness::Db;

const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_table_comes_and_goes() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/"), "{arn}");
    db.items.wait_until_table_exists().table_name("orders").wait(PATIENCE).await.unwrap();

    let described = db.items.describe_table().table_name("orders").send().await.unwrap().table.unwrap();
    assert_eq!(described.table_status(), Some(&TableStatus::Active));
    assert_eq!(described.latest_stream_arn(), Some(arn.as_str()));
    let names: Vec<String> =
        db.items.list_tables().into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
    assert_eq!(names, ["orders"]);

    db.items.delete_table().table_name("orders").send().await.unwrap();
    db.items.wait_until_table_not_exists().table_name("orders").wait(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn region_and_account_are_those_of_the_database() {
    let db = Db::of(Pretender::builder().region("eu-central-1").account("123456789012"));
    let arn = db.create_orders().await;
    assert!(arn.starts_with("arn:aws:dynamodb:eu-central-1:123456789012:table/orders/"), "{arn}");
    assert_eq!(db.items.config().region().map(AsRef::as_ref), Some("eu-central-1"));
}

/// Tokio's time is stopped, so the waiter's pauses of 20 seconds take no time; the table's clock is moved meanwhile.
#[tokio::test(start_paused = true)]
async fn a_waiter_waits_for_a_table_that_takes_its_time() {
    let db = Db::of(Pretender::builder().transition_delay(Duration::from_secs(60)));
    db.create_orders().await;
    let described = db.items.describe_table().table_name("orders").send().await.unwrap().table.unwrap();
    assert_eq!(described.table_status(), Some(&TableStatus::Creating));

    let clock = db.clock.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(90)).await;
        clock.advance(Duration::from_secs(61));
    });
    let started = tokio::time::Instant::now();
    db.items.wait_until_table_exists().table_name("orders").wait(PATIENCE).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(90));
}
