//! Waiting for a consumer.

use std::sync::Mutex;
use std::time::Duration;

use expect_test::expect;
use pretender::streams::{Checkpoint, StreamReader, Subscription};
use pretender::testing::CatchUpError;

use crate::harness::{Orders, item};

const SOON: Duration = Duration::ZERO;
const LATE: Duration = Duration::from_secs(60);

fn subscription(orders: &Orders) -> Subscription<StreamReader> {
    orders.db.subscribe().table("Orders").start().unwrap()
}

#[test]
fn a_subscription_that_has_read_all_has_caught_up() {
    let orders = Orders::with_history();
    let mut consumer = subscription(&orders);
    let wait = |at: &Subscription<StreamReader>, deadline| {
        orders.db.wait_until_caught_up("Orders", deadline, || at.checkpoint())
    };
    assert!(matches!(wait(&consumer, SOON), Err(CatchUpError::Behind(_))));
    assert_eq!(consumer.by_ref().count(), 5);
    wait(&consumer, SOON).unwrap();
    orders.put("o3", item("new", 1));
    assert!(matches!(wait(&consumer, SOON), Err(CatchUpError::Behind(_))));
    // Through a rotation, too.
    orders.db.rotate_shards(&orders.arn, None).unwrap();
    orders.put("o3", item("paid", 1));
    assert_eq!(consumer.by_ref().count(), 2);
    wait(&consumer, SOON).unwrap();
    orders.db.wait_until_caught_up(&orders.arn.to_string(), SOON, || consumer.checkpoint()).unwrap();
}

#[test]
fn a_consumer_on_another_thread_is_waited_for() {
    let orders = Orders::with_history();
    let at = Mutex::new(Checkpoint::default());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut consumer = subscription(&orders);
            while consumer.next().is_some() {
                *at.lock().unwrap() = consumer.checkpoint();
            }
        });
        orders.db.wait_until_caught_up("Orders", LATE, || at.lock().unwrap().clone()).unwrap();
    });
}

#[test]
fn unread_records_are_listed_by_shard() {
    let orders = Orders::with_history();
    let first = orders.db.shards(&orders.arn).unwrap().remove(0).shard_id.to_string();
    let number = orders.db.changes("Orders").unwrap()[2].sequence_number.clone();
    orders.db.split_shards(&orders.arn, None).unwrap();
    for n in 0..15 {
        orders.put(&format!("n{n}"), item("new", n));
    }
    let arn = orders.arn.to_string();
    let behind = |at: &dyn Fn() -> Checkpoint| {
        orders.db.wait_until_caught_up("Orders", SOON, at).unwrap_err().to_string()
    };
    let text = behind(&|| Checkpoint::default().after(&arn, &first, &number));
    expect![[r#"
        the consumer has not caught up within 0ns: 17 records unread

        shardId-00000001772356542017-00000002, 2 records
          500000000000000000001  pk="o1"  MODIFY +by="train" status="paid"->"sent" total=10->12
          600000000000000000001  pk="o1"  REMOVE by="train" status="sent" total=12

        shardId-00000001772356542018-00000007, 8 records
          800000000000000000003   pk="n0"   INSERT status="new" total=0
          900000000000000000003   pk="n2"   INSERT status="new" total=2
          1000000000000000000003  pk="n4"   INSERT status="new" total=4
          1100000000000000000003  pk="n5"   INSERT status="new" total=5
          1200000000000000000003  pk="n8"   INSERT status="new" total=8
          1300000000000000000003  pk="n10"  INSERT status="new" total=10
          1400000000000000000003  pk="n12"  INSERT status="new" total=12
          1500000000000000000003  pk="n13"  INSERT status="new" total=13

        shardId-00000001772356542018-00000006, 7 records
          800000000000000000002   pk="n1"   INSERT status="new" total=1
          900000000000000000002   pk="n3"   INSERT status="new" total=3
          1000000000000000000002  pk="n6"   INSERT status="new" total=6
          1100000000000000000002  pk="n7"   INSERT status="new" total=7
          1200000000000000000002  pk="n9"   INSERT status="new" total=9
          1300000000000000000002  pk="n11"  INSERT status="new" total=11
          1400000000000000000002  pk="n14"  INSERT status="new" total=14
    "#]]
    .assert_eq(&text);
    let text = behind(&|| Checkpoint::default().finished(&arn, &first));
    assert!(text.contains("15 records unread") && !text.contains(&first), "{text}");
}

#[test]
fn a_table_without_a_stream_is_an_error() {
    let error = Orders::new().db.wait_until_caught_up("Missing", SOON, Checkpoint::default).unwrap_err();
    expect!["the stream cannot be read: table `Missing` has no stream"].assert_eq(&error.to_string());
}
