//! Faults that typed calls and subscriptions meet.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use pretender::Pretender;
use pretender::errors::ErrorCode;
use pretender::faults::{Fault, FaultKind, OperationGroup};
use pretender::items::{
    BatchWriteItemInput, GetItemInput, PutItemInput, TransactAction, TransactWrite, TransactWriteItemsInput,
    WriteRequest,
};
use pretender::model::{Item, Operation, ScalarType, TableName};
use pretender::streams::{Event, EventId, StreamRecord, StreamViewType, TailError};
use pretender::tables::{CreateTableInput, StreamSpecification};

use proptest::collection::vec;
use proptest::prelude::*;

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

fn database() -> Pretender {
    let db = Pretender::builder().sweep_interval(None).open().unwrap();
    let stream = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
    let created = CreateTableInput {
        stream_specification: Some(stream),
        ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
    };
    db.create_table(created).unwrap();
    db
}

fn put(key: &str) -> PutItemInput {
    PutItemInput::new(orders(), Item::new().with("pk", key))
}

/// The keys a subscription hands out, with `!` for each failure in between.
fn subscribed(db: &Pretender) -> String {
    let subscription =
        db.subscribe().table("Orders").poll_interval(Duration::from_millis(1)).caught_up_after(3);
    let shown = |event: Result<Event<StreamRecord>, TailError>| match event {
        Ok(event) => event.record.keys.json().split('"').nth(5).unwrap().to_owned(),
        Err(_) => "!".to_owned(),
    };
    subscription.start().unwrap().take(50).map(shown).collect()
}

#[test]
fn typed_calls_meet_faults_and_a_handle_without_does_not() {
    let db = database();
    db.faults().add(Fault::new(FaultKind::InternalError).on(OperationGroup::All)).unwrap();
    let get = || GetItemInput::new(orders(), Item::new().with("pk", "a"));
    assert_eq!(db.put_item(put("a")).unwrap_err().code, ErrorCode::InternalServerError);
    assert_eq!(db.get_item(get()).unwrap_err().code, ErrorCode::InternalServerError);
    assert_eq!(db.describe_table(&orders()).unwrap_err().code, ErrorCode::InternalServerError);
    assert_eq!(db.list_streams(&Default::default()).unwrap_err().code, ErrorCode::InternalServerError);
    let calm = db.without_faults();
    assert_eq!(calm.get_item(get()).unwrap().item, None);
    calm.put_item(put("a")).unwrap();
    assert!(calm.get_item(get()).unwrap().item.is_some());
    assert_eq!(subscribed(&calm), "a");
    let report = db.faults().report();
    let operations: Vec<Operation> = report.injected.iter().map(|injected| injected.operation).collect();
    assert_eq!(
        operations,
        [Operation::PutItem, Operation::GetItem, Operation::DescribeTable, Operation::ListStreams]
    );
    assert!(report.injected.iter().all(|injected| injected.request_id.is_none()));
    assert_eq!(report.injected[0].tables, [orders()]);
}

#[test]
fn dropped_connections_do_not_concern_typed_calls() {
    let db = database();
    db.faults().add(Fault::new(FaultKind::DropBefore)).unwrap();
    db.put_item(put("a")).unwrap();
    assert_eq!(db.faults().report().faults[0].matched, 0);
}

#[test]
fn subscribers_get_records_twice_and_live_with_the_rest() {
    for (fault, expected) in [
        (Fault::new(FaultKind::Duplicate).times(1), "abcc"),
        // Once a page: the page with the last record alone is not repeated again.
        (Fault::new(FaultKind::Duplicate), "abcc"),
        (Fault::new(FaultKind::ExpiredIterator).times(2), "abc"),
        (Fault::new(FaultKind::Throttling).on(OperationGroup::Streams).skip(3).times(2), "abc"),
        (Fault::new(FaultKind::EmptyPage).times(2), "abc"),
        (Fault::new(FaultKind::InternalError).on(Operation::GetRecords).times(1), "!abc"),
        // As on AWS, the reader begins again with the records that are left.
        (Fault::new(FaultKind::TrimmedData).on(Operation::GetRecords).skip(1).times(1), "abc!abc"),
    ] {
        let db = database();
        ["a", "b", "c"].iter().for_each(|key| drop(db.put_item(put(key)).unwrap()));
        db.faults().add(fault.clone()).unwrap();
        assert_eq!(subscribed(&db), expected, "{fault:?}");
        assert_eq!(subscribed(&db.without_faults()), "abc");
    }
}

/// What can affect a reader that it gets over without losing anything.
const READERS_FAULTS: [FaultKind; 6] = [
    FaultKind::Throttling,
    FaultKind::LimitExceeded,
    FaultKind::ExpiredIterator,
    FaultKind::EmptyPage,
    FaultKind::Duplicate,
    FaultKind::InternalError,
];

/// The records that a subscription hands out until it has caught up, whatever affects it.
fn read(db: &Pretender, page_limit: u32) -> Vec<StreamRecord> {
    let subscription = db.subscribe().table("Orders").poll_interval(Duration::ZERO).page_limit(page_limit);
    // More than there are faults that make a page empty: none of them is taken for the end.
    let events = subscription.caught_up_after(20).start().unwrap();
    events.filter_map(Result::ok).map(|event| event.record).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever affects a subscription, it hands out every record, each item's in order, and again only what a fault repeats.
    #[test]
    fn subscribers_lose_nothing(
        // Writes, with a split of the shards where there is none.
        writes in vec(prop::option::weighted(0.9, 0_u8..8), 0..40),
        faults in vec((prop::sample::select(&READERS_FAULTS), 0.05..0.5, any::<u64>()), 0..4),
        page_limit in 1_u32..6,
    ) {
        let db = database();
        let arn = db.list_streams(&Default::default()).unwrap().streams[0].stream_arn.clone();
        for (number, write) in writes.iter().enumerate() {
            match write {
                Some(key) => {
                    let item = Item::new().with("pk", format!("k{key}")).with("n", number as i64);
                    db.put_item(PutItemInput::new(orders(), item)).unwrap();
                }
                None if number < 5 => drop(db.split_shards(&arn, None).unwrap()),
                None => drop(db.rotate_shards(&arn, None).unwrap()),
            }
        }
        let expected = read(&db.without_faults(), page_limit);
        for (kind, probability, seed) in &faults {
            let fault = Fault::new(*kind).on(Operation::GetRecords).probability(*probability).seed(*seed);
            db.faults().add(fault.times(6)).unwrap();
        }
        let seen = read(&db, page_limit);
        let repeats = db.faults().report().injected.iter().filter(|one| one.kind == FaultKind::Duplicate).count();
        let repeated = seen.len() - expected.len();
        // A reader that has lost its iterator goes on behind the last record it saw, and does not see that one again.
        let loses_iterators = faults.iter().any(|(kind, _, _)| *kind == FaultKind::ExpiredIterator);
        prop_assert!(repeated == repeats || (loses_iterators && repeated < repeats), "{} of {}", repeated, repeats);
        // Each item's records, without repeats: the shards may be read in another order, an item's records may not.
        let by_item = |records: &[StreamRecord]| {
            let mut items = BTreeMap::<String, Vec<EventId>>::new();
            for record in records {
                let ids = items.entry(record.keys.json().to_owned()).or_default();
                if ids.last() != Some(&record.event_id) {
                    ids.push(record.event_id);
                }
            }
            items
        };
        prop_assert_eq!(by_item(&seen), by_item(&expected));
    }
}

#[test]
fn a_subscription_does_not_keep_the_database_open() {
    let db = database();
    let mut subscription = db.subscribe().table("Orders").follow(true).start().unwrap();
    db.put_item(put("a")).unwrap();
    assert!(subscription.next().unwrap().is_ok());
    drop(db);
    assert!(matches!(subscription.next(), Some(Err(TailError::Source(_)))));
}

#[test]
fn batches_and_transactions_fail_in_part_and_as_a_whole() {
    let db = database();
    db.faults().add(Fault::new(FaultKind::Unprocessed).items(100)).unwrap();
    let writes = |keys: &[&str]| BatchWriteItemInput {
        request_items: [(
            orders(),
            keys.iter().map(|key| WriteRequest::Put(Item::new().with("pk", *key))).collect(),
        )]
        .into(),
        ..Default::default()
    };
    // All but one at most: none at all would be an error at AWS.
    let left =
        db.batch_write_item(writes(&["a", "b", "c"])).unwrap().unprocessed_items.remove(&orders()).unwrap();
    assert_eq!((left.len(), subscribed(&db.without_faults()).len()), (2, 1));
    let one = db.batch_write_item(writes(&["d"])).unwrap();
    assert!(one.unprocessed_items.is_empty());

    db.faults().clear();
    db.faults().add(Fault::new(FaultKind::Conflict).table(orders()).times(1)).unwrap();
    let action =
        |key: &str| TransactWrite::new(orders(), TransactAction::Put { item: Item::new().with("pk", key) });
    let input =
        TransactWriteItemsInput { transact_items: vec![action("x"), action("y")], ..Default::default() };
    let refused = db.transact_write_items(input.clone()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::TransactionCanceledException);
    let codes: Vec<&str> = refused.cancellation_reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, ["TransactionConflict", "None"]);
    db.transact_write_items(input).unwrap();
}

#[test]
fn waits_block_only_who_waits() {
    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    let db = database();
    let delay = Duration::from_millis(40);
    db.faults().add(Fault::latency(delay)).unwrap();
    let began = Instant::now();
    db.put_item(put("a")).unwrap();
    assert!(began.elapsed() >= delay);

    // The future waits without its thread, and ends by itself.
    let began = Instant::now();
    let mut waiting = std::pin::pin!(db.put_item_async(put("b")));
    let waker = Waker::from(Arc::new(Nobody));
    let mut context = Context::from_waker(&waker);
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    db.without_faults().put_item(put("c")).unwrap();
    let deadline = began + Duration::from_secs(60);
    loop {
        match waiting.as_mut().poll(&mut context) {
            Poll::Ready(written) => break drop(written.unwrap()),
            Poll::Pending => assert!(Instant::now() < deadline),
        }
        std::thread::yield_now();
    }
    assert!(began.elapsed() >= delay);
}
