//! The streams client.

use std::time::Duration;

use aws_sdk_dynamodbstreams::operation::get_records::GetRecordsError;
use aws_sdk_dynamodbstreams::primitives::DateTime;
use aws_sdk_dynamodbstreams::types::{AttributeValue, OperationType, ShardIteratorType, StreamStatus};

use crate::harness::{Db, s};

#[tokio::test]
async fn changes_are_read_in_order() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    db.put("c1", "o1", 1).await;
    db.put("c1", "o1", 2).await;
    let delete = db.items.delete_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
    delete.send().await.unwrap();

    let listed = db.streams.list_streams().table_name("orders").send().await.unwrap();
    assert_eq!(listed.streams()[0].stream_arn(), Some(arn.as_str()));
    let described = db.streams.describe_stream().stream_arn(&arn).send().await.unwrap();
    assert_eq!(described.stream_description.unwrap().stream_status(), Some(&StreamStatus::Enabled));

    let records = db.records(&arn).await;
    let names: Vec<_> = records.iter().filter_map(|record| record.event_name.clone()).collect();
    assert_eq!(names, [OperationType::Insert, OperationType::Modify, OperationType::Remove]);
    let change = records[1].dynamodb().unwrap();
    let total =
        |image: Option<&std::collections::HashMap<String, AttributeValue>>| image.unwrap()["amount"].clone();
    assert_eq!(total(change.old_image()), AttributeValue::N("1".to_owned()));
    assert_eq!(total(change.new_image()), AttributeValue::N("2".to_owned()));
    assert_eq!(change.approximate_creation_date_time().unwrap().secs(), 1_772_356_542);
    assert_eq!(records[0].aws_region(), Some("us-east-1"));
}

#[tokio::test]
async fn an_iterator_expires_when_the_test_says_so() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    db.put("c1", "o1", 1).await;
    let iterator = db.iterator(&arn, &db.shards(&arn).await[0]).await;
    let read = || db.streams.get_records().shard_iterator(&iterator).send();
    assert_eq!(read().await.unwrap().records().len(), 1);
    db.clock.advance(Duration::from_secs(15 * 60 + 1));
    let error = read().await.unwrap_err().into_service_error();
    assert!(matches!(error, GetRecordsError::ExpiredIteratorException(_)), "{error:?}");
}

#[tokio::test]
async fn a_split_shard_ends_and_has_children() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    db.put("c1", "o1", 1).await;
    db.pretender.split_shards(&arn.parse().unwrap(), None).unwrap();
    db.put("c1", "o1", 2).await;
    assert_eq!(db.shards(&arn).await.len(), 3);
    assert_eq!(db.records(&arn).await.len(), 2);
}

#[tokio::test]
async fn a_shard_is_read_from_a_time() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    for total in 0..4 {
        db.put("c1", "o1", total).await;
        db.clock.advance(Duration::from_millis(250));
    }
    let shard = db.shards(&arn).await.remove(0);
    // The records are 0, 250, 500 and 750 milliseconds behind the second.
    let second = 1_772_356_542_000;
    for (time, expected) in [
        (DateTime::from_secs(0), 4),
        (DateTime::from_secs(-5), 4),
        (DateTime::from_millis(second), 4),
        (DateTime::from_millis(second + 1), 3),
        (DateTime::from_millis(second + 250), 3),
        (DateTime::from_secs_f64(1_772_356_542.250_9), 3),
        (DateTime::from_millis(second + 251), 2),
        (DateTime::from_millis(second + 751), 0),
    ] {
        let get = db.streams.get_shard_iterator().stream_arn(&arn).shard_id(&shard);
        let get = get.shard_iterator_type(ShardIteratorType::AtTimestamp).timestamp(time);
        let iterator = get.send().await.unwrap().shard_iterator.unwrap();
        let page = db.streams.get_records().shard_iterator(iterator).send().await.unwrap();
        assert_eq!(page.records().len(), expected, "{time}");
    }
    let get = db.streams.get_shard_iterator().stream_arn(&arn).shard_id(&shard);
    let get = get.shard_iterator_type(ShardIteratorType::AtTimestamp);
    let future = get.timestamp(DateTime::from_millis(second + 10_000)).send().await.unwrap_err();
    let expected = "One or more parameter values were invalid: Timestamp must not be in the future";
    assert_eq!(future.into_service_error().meta().message(), Some(expected));
}
