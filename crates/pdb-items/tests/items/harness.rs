//! A database with tables and the operations on their items.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_items::{
    ConsumedCapacity, DeleteItemInput, GetItemInput, GetItemOutput, ItemManager, ItemsConfig, ItemsError,
    PutItemInput, QueryInput, ReturnConsumedCapacity, ScanInput, UpdateItemInput,
};
use pdb_model::{
    AttributeValue, EncodedItem, IndexKind, Item, KeyAttribute, KeySchema, Projection, ScalarType,
    SecondaryIndex, StreamViewType, TableName,
};
use pdb_testkit::{TestDb, definition, key_schema};

/// A database with the table `orders`: hash key `p` (S), range key `s` (N), a stream with both images, and
///
/// - the local index `by-l` on `p`, `l` (S), which projects keys only;
/// - the global index `by-g` on `g` (S), `h` (N), which includes `x`;
/// - the global index `all` on `g`, which projects everything;
/// - the global index `many` on `g`, `g2` and `h`, `h2`, which projects everything.
///
/// The table `plain` has hash key `p` (S) and nothing else.
pub(crate) struct Db {
    pub(crate) db: TestDb,
    pub(crate) items: ItemManager,
}

pub(crate) fn table(name: &str) -> TableName {
    name.parse().expect("the name of a table")
}

impl Db {
    pub(crate) fn new() -> Self {
        Self::with_config(ItemsConfig::default())
    }

    pub(crate) fn with_config(config: ItemsConfig) -> Self {
        let db = TestDb::new();
        let mut orders = definition("orders", key_schema(("p", ScalarType::S), Some(("s", ScalarType::N))));
        let local = key_schema(("p", ScalarType::S), Some(("l", ScalarType::S)));
        let global = key_schema(("g", ScalarType::S), Some(("h", ScalarType::N)));
        let many = KeySchema {
            hash: vec![attribute("g", ScalarType::S), attribute("g2", ScalarType::S)],
            range: vec![attribute("h", ScalarType::N), attribute("h2", ScalarType::N)],
        };
        orders.indexes = vec![
            index("by-l", IndexKind::Local, local, Projection::KeysOnly),
            index("by-g", IndexKind::Global, global, Projection::Include(vec!["x".to_owned()])),
            index("all", IndexKind::Global, key_schema(("g", ScalarType::S), None), Projection::All),
            index("many", IndexKind::Global, many, Projection::All),
        ];
        db.create_table(&orders);
        db.enable_stream("orders", StreamViewType::NewAndOldImages);
        db.create_table(&definition("plain", key_schema(("p", ScalarType::S), None)));
        let items = ItemManager::new(db.store.clone(), db.env.clone(), config);
        Self { db, items }
    }

    /// Puts an item into `orders`.
    #[track_caller]
    pub(crate) fn put(&self, item: Item) {
        self.items.put_item(PutItemInput::new(table("orders"), item)).expect("the item is put");
    }

    /// Puts items into `orders` with keys `p` and 1 to `count`.
    pub(crate) fn fill(&self, p: &str, count: i64) {
        (1..=count).for_each(|s| self.put(key(p, s).with("x", s)));
    }

    /// Returns an item of `orders`.
    #[track_caller]
    pub(crate) fn get(&self, key: Item) -> Option<Item> {
        let output: GetItemOutput =
            self.items.get_item(GetItemInput::new(table("orders"), key)).expect("the item is read");
        output.item.map(|item| item.decode().expect("a readable item"))
    }

    #[track_caller]
    pub(crate) fn update(&self, key: Item, expression: &str, values: &[(&str, AttributeValue)]) {
        let input = update(key, expression, values);
        self.items.update_item(input).expect("the item is updated");
    }
}

/// The key of an item of `orders`.
pub(crate) fn key(p: &str, s: i64) -> Item {
    Item::new().with("p", p).with("s", s)
}

pub(crate) fn values(values: &[(&str, AttributeValue)]) -> BTreeMap<String, AttributeValue> {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

pub(crate) fn names(names: &[(&str, &str)]) -> BTreeMap<String, String> {
    names.iter().map(|(placeholder, name)| ((*placeholder).to_owned(), (*name).to_owned())).collect()
}

pub(crate) fn put(item: Item) -> PutItemInput {
    PutItemInput::new(table("orders"), item)
}

pub(crate) fn delete(key: Item) -> DeleteItemInput {
    DeleteItemInput::new(table("orders"), key)
}

pub(crate) fn update(key: Item, expression: &str, with: &[(&str, AttributeValue)]) -> UpdateItemInput {
    UpdateItemInput {
        update_expression: Some(expression.to_owned()),
        expression_attribute_values: values(with),
        ..UpdateItemInput::new(table("orders"), key)
    }
}

pub(crate) fn query(condition: &str, with: &[(&str, AttributeValue)]) -> QueryInput {
    QueryInput {
        key_condition_expression: Some(condition.to_owned()),
        expression_attribute_values: values(with),
        return_consumed_capacity: ReturnConsumedCapacity::Indexes,
        ..QueryInput::new(table("orders"))
    }
}

pub(crate) fn scan() -> ScanInput {
    ScanInput { return_consumed_capacity: ReturnConsumedCapacity::Indexes, ..ScanInput::new(table("orders")) }
}

pub(crate) fn attribute(name: &str, scalar_type: ScalarType) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), scalar_type }
}

pub(crate) fn index(
    name: &str,
    kind: IndexKind,
    key_schema: KeySchema,
    projection: Projection,
) -> SecondaryIndex {
    SecondaryIndex {
        name: name.parse().expect("the name of an index"),
        kind,
        key_schema,
        projection,
        provisioned_throughput: Default::default(),
        on_demand_throughput: None,
        warm_throughput: None,
    }
}

/// A set of texts.
pub(crate) fn ss(members: &[&str]) -> AttributeValue {
    AttributeValue::Ss(members.iter().map(|member| (*member).to_owned()).collect())
}

pub(crate) fn list(elements: impl IntoIterator<Item = AttributeValue>) -> AttributeValue {
    AttributeValue::L(elements.into_iter().collect())
}

pub(crate) fn map(entries: &[(&str, AttributeValue)]) -> AttributeValue {
    AttributeValue::M(values(entries).into())
}

/// The numbers of an attribute, item by item.
pub(crate) fn numbers(items: impl IntoIterator<Item = EncodedItem>, attribute: &str) -> Vec<String> {
    items
        .into_iter()
        .map(|item| item.decode().expect("a readable item")[attribute].as_n().expect("a number").to_string())
        .collect()
}

/// Capacity as one line: the total, the table, then each index.
pub(crate) fn units(consumed: Option<ConsumedCapacity>) -> String {
    let consumed = consumed.expect("consumed capacity");
    let mut text = consumed.total.capacity_units.to_string();
    if let Some(table) = consumed.table {
        text += &format!(" table {}", table.capacity_units);
    }
    for (index, capacity) in consumed.local_secondary_indexes.iter().chain(&consumed.global_secondary_indexes)
    {
        text += &format!(" {index} {}", capacity.capacity_units);
    }
    text
}

/// Asserts that a request is refused with exactly this text.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, ItemsError>, text: &str) {
    let error = result.expect_err("the request is refused");
    assert!(matches!(error, ItemsError::Validation(_)), "{error:?}");
    assert_eq!(error.to_string(), text);
}

/// A wake-up that does nothing: for futures that are ready.
pub(crate) fn now_or_never<F: Future>(future: F) -> Option<F::Output> {
    struct Idle;
    impl std::task::Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }
    let waker = Arc::new(Idle).into();
    match std::pin::pin!(future).poll(&mut std::task::Context::from_waker(&waker)) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
