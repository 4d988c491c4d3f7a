//! Every operation in its async form, without any runtime.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use pretender::faults::{Fault, FaultKind};
use pretender::items::partiql::ExecuteStatementInput;
use pretender::prelude::*;

/// Runs a future on this thread, which sleeps while the future waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

/// Futures can be sent to other threads, as runtimes of several threads need it.
fn sendable<T>(future: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    future
}

#[test]
fn operations_of_all_kinds_have_an_async_form() {
    let db = Pretender::in_memory().unwrap();
    block_on(sendable(async {
        let created = CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
            ..CreateTableInput::new(orders(), ("id", ScalarType::S), None)
        };
        let arn = db.create_table_async(created).await.unwrap().latest_stream_arn.unwrap();
        let item = Item::new().with("id", "o1").with("amount", 42);
        db.put_item_async(PutItemInput::new(orders(), item.clone())).await.unwrap();

        let key = Item::new().with("id", "o1");
        let found = db.get_item_async(GetItemInput::new(orders(), key.clone())).await.unwrap();
        assert_eq!(found.item.unwrap().decode().unwrap(), item);
        assert_eq!(db.scan_async(ScanInput::new(orders())).await.unwrap().count, 1);
        let reads = BatchGetItemInput {
            request_items: [(orders(), KeysAndAttributes { keys: vec![key], ..Default::default() })].into(),
            ..Default::default()
        };
        assert_eq!(db.batch_get_item_async(reads).await.unwrap().responses.len(), 1);
        let select = r#"SELECT amount FROM "Orders" WHERE id = 'o1'"#.to_owned();
        let select = ExecuteStatementInput { statement: select, ..Default::default() };
        assert_eq!(db.execute_statement_async(select).await.unwrap().items.len(), 1);

        assert_eq!(db.describe_table_async(&orders()).await.unwrap().table_name, orders());
        assert_eq!(db.list_tables_async(&ListTablesInput::default()).await.unwrap().table_names, [orders()]);
        let table_arn = arn.table.to_string();
        assert_eq!(db.list_tags_of_resource_async(&table_arn).await.unwrap(), []);

        assert_eq!(db.list_streams_async(&ListStreamsInput::default()).await.unwrap().streams.len(), 1);
        let stream = db.describe_stream_async(&DescribeStreamInput::new(arn.clone())).await.unwrap();
        let position = GetShardIteratorInput {
            stream_arn: arn,
            shard_id: stream.shards[0].shard_id.clone(),
            shard_iterator_type: ShardIteratorType::TrimHorizon,
        };
        let iterator = db.get_shard_iterator_async(&position).await.unwrap();
        assert_eq!(db.get_records_async(&iterator, None).await.unwrap().records.len(), 1);
    }));
}

#[test]
fn async_calls_are_affected_by_faults() {
    let db = Pretender::in_memory().unwrap();
    db.faults().add(Fault::new(FaultKind::InternalError)).unwrap();
    let error = block_on(db.list_tables_async(&ListTablesInput::default())).unwrap_err();
    assert_eq!(error.code, ErrorCode::InternalServerError);
    let error = block_on(db.scan_async(ScanInput::new(orders()))).unwrap_err();
    assert_eq!(error.code, ErrorCode::InternalServerError);
    assert_eq!(db.faults().report().injected.len(), 2);
    assert_eq!(db.faults().report().injected[1].tables, [orders()]);
}

#[test]
fn many_calls_wait_at_the_same_time() {
    let db = Pretender::in_memory().unwrap();
    db.create_table(CreateTableInput::new(orders(), ("id", ScalarType::S), None)).unwrap();
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let db = &db;
            async move {
                let item = Item::new().with("id", format!("o{number}"));
                db.put_item_async(PutItemInput::new(orders(), item)).await.unwrap();
                db.query_async(QueryInput {
                    key_condition_expression: Some("id = :id".to_owned()),
                    expression_attribute_values: [(":id".to_owned(), format!("o{number}").into())].into(),
                    ..QueryInput::new(orders())
                })
                .await
                .unwrap()
                .count
            }
        })
        .map(Box::pin)
        .collect();
    // All begin before the first is awaited.
    let mut calls = calls;
    let mut found = vec![None; calls.len()];
    block_on(std::future::poll_fn(|context| {
        for (call, found) in calls.iter_mut().zip(&mut found) {
            if found.is_none()
                && let Poll::Ready(count) = call.as_mut().poll(context)
            {
                *found = Some(count);
            }
        }
        if found.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    }));
    assert_eq!(found, vec![Some(1); 200]);
}
