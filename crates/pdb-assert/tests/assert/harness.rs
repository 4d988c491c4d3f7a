//! A streamed table.

use std::sync::Arc;

use pretender::model::CountingIds;
use pretender::prelude::*;

/// A database with the streamed table `Orders`, whose clock stands still and whose ids are counted.
pub(crate) struct Orders {
    pub(crate) db: Pretender,
    pub(crate) arn: StreamArn,
}

pub(crate) fn orders() -> TableName {
    "Orders".parse().unwrap()
}

impl Orders {
    pub(crate) fn new() -> Self {
        Self::with(StreamViewType::NewAndOldImages)
    }

    pub(crate) fn with(view_type: StreamViewType) -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
        let builder =
            Pretender::builder().clock(clock).ids(Arc::new(CountingIds::starting_at(1))).sweep_interval(None);
        let db = builder.open().unwrap();
        let input = CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(view_type)),
            ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
        };
        let arn = db.create_table(input).unwrap().latest_stream_arn.unwrap();
        Self { db, arn }
    }

    /// Puts an item with this key and these attributes.
    pub(crate) fn put(&self, pk: &str, attributes: Item) {
        self.db.put_item(PutItemInput::new(orders(), attributes.with("pk", pk))).unwrap();
    }

    pub(crate) fn delete(&self, pk: &str) {
        self.db.delete_item(DeleteItemInput::new(orders(), key(pk))).unwrap();
    }

    /// An order that is paid, sent and removed again, and another one.
    pub(crate) fn with_history() -> Self {
        let orders = Self::new();
        orders.put("o1", item("new", 10));
        orders.put("o2", item("new", 20));
        orders.put("o1", item("paid", 10));
        orders.put("o1", item("sent", 12).with("by", "train"));
        orders.delete("o1");
        orders
    }
}

pub(crate) fn key(pk: &str) -> Item {
    Item::new().with("pk", pk)
}

pub(crate) fn item(status: &str, total: i64) -> Item {
    Item::new().with("status", status).with("total", total)
}

pub(crate) fn status(status: &str) -> Item {
    Item::new().with("status", status)
}
