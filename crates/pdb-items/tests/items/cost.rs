//! What operations ask of the database: statements and rows, counted.

use std::cell::RefCell;
use std::fmt;
use std::sync::Once;

use pdb_items::{PutItemInput, QueryInput, ScanInput, Select};
use pdb_model::AttributeValue;
use tracing::field::{Field, Visit};
use tracing::span;

use crate::harness::{Db, key, put, query, scan, table};

thread_local! {
    /// The statements of this thread's test while it listens, each as its first word, its table and its rows.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Listens in the whole process, for whichever thread wants to hear.
///
/// A subscriber of one thread would not do: while it is the only one, `tracing` asks the thread that reaches an event first
/// whether anybody listens, and keeps its answer for all.
struct Statements;

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "pdb_store::statement"
    }

    fn event(&self, event: &tracing::Event<'_>) {
        HEARD.with_borrow_mut(|heard| {
            let Some(heard) = heard else { return };
            let mut fields = Fields::default();
            event.record(&mut fields);
            let verb = fields.sql.split(' ').next().unwrap_or_default();
            let table = fields.sql.split('"').nth(1).unwrap_or_default();
            // The store's own tables have no quotes; how it keeps its books is its affair.
            if !table.is_empty() && ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&verb) {
                heard.push(format!("{verb} {table} {}", fields.rows));
            }
        });
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields {
    sql: String,
    rows: u64,
}

impl Visit for Fields {
    fn record_u64(&mut self, _: &Field, value: u64) {
        self.rows = value;
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        self.sql = value.to_owned();
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Runs something and returns the statements it took on tables of items, index entries and records.
fn statements(run: impl FnOnce()) -> Vec<String> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| tracing::subscriber::set_global_default(Statements).expect("nobody else listens"));
    // Places reached while nobody listened yet are asked again.
    tracing::callsite::rebuild_interest_cache();
    HEARD.set(Some(Vec::new()));
    run();
    HEARD.take().expect("what this thread heard")
}

#[test]
fn a_query_reads_no_row_more_than_it_needs() {
    let db = Db::new();
    db.fill("a", 500);
    let rows = |input: QueryInput| statements(|| drop(db.items.query(input).expect("a page")));
    let p = [(":p", AttributeValue::from("a"))];
    assert_eq!(rows(QueryInput { limit: Some(5), ..query("p = :p", &p) }), ["SELECT pdb_item_orders 5"]);
    let one = [(":p", "a".into()), (":s", 7.into())];
    assert_eq!(rows(query("p = :p AND s = :s", &one)), ["SELECT pdb_item_orders 1"]);
    assert_eq!(
        rows(query("p = :p AND s > :s", &[(":p", "a".into()), (":s", 490.into())])),
        ["SELECT pdb_item_orders 10"]
    );
    let last = QueryInput { limit: Some(1), scan_index_forward: false, ..query("p = :p", &p) };
    assert_eq!(rows(last), ["SELECT pdb_item_orders 1"]);
    // The start of a page is a place in the order of keys: nothing before it is read.
    let later = QueryInput { exclusive_start_key: Some(key("a", 495)), ..query("p = :p", &p) };
    assert_eq!(rows(later), ["SELECT pdb_item_orders 5"]);
}

#[test]
fn a_scan_stops_at_its_limit_and_keeps_to_its_segment() {
    let db = Db::new();
    for p in 0..100 {
        db.fill(&format!("p{p}"), 1);
    }
    let rows = |input: ScanInput| statements(|| drop(db.items.scan(input).expect("a page")));
    assert_eq!(rows(ScanInput { limit: Some(3), ..scan() }), ["SELECT pdb_item_orders 3"]);
    let segments: u64 = (0..4)
        .map(|segment| {
            let input = ScanInput { segment: Some(segment), total_segments: Some(4), ..scan() };
            let count = db.items.scan(input.clone()).expect("a page").scanned_count;
            assert_eq!(rows(input), [format!("SELECT pdb_item_orders {count}")]);
            count
        })
        .sum();
    assert_eq!(segments, 100);
}

#[test]
fn a_local_index_fetches_one_item_an_entry() {
    let db = Db::new();
    (1..=9).for_each(|s| db.put(key("a", s).with("l", s.to_string())));
    let input = QueryInput {
        index_name: Some("by-l".parse().expect("the name of an index")),
        limit: Some(2),
        ..query("p = :p", &[(":p", "a".into())])
    };
    assert_eq!(statements(|| drop(db.items.query(input.clone()).expect("a page"))).len(), 1);
    let whole = QueryInput { select: Some(Select::AllAttributes), ..input };
    let found = statements(|| drop(db.items.query(whole).expect("a page")));
    assert_eq!(found[1..], ["SELECT pdb_item_orders 1", "SELECT pdb_item_orders 1"]);
    assert_eq!(found.len(), 3);
    assert!(found[0].ends_with(" 2"), "{found:?}");
}

#[test]
fn an_index_costs_a_write_one_statement_more() {
    let db = Db::new();
    let put = |input: PutItemInput| statements(|| drop(db.items.put_item(input).expect("a put")));
    let plain = put(PutItemInput::new(table("plain"), pdb_model::Item::new().with("p", "a")));
    assert_eq!(plain, ["SELECT pdb_item_plain 0", "INSERT pdb_item_plain 1"]);
    let alone = put(self::put(key("a", 1)));
    let indexed = put(self::put(key("a", 2).with("l", "l")));
    assert_eq!(indexed.len(), alone.len() + 1, "{alone:?} {indexed:?}");
    // The same again: the look, and nothing else.
    assert_eq!(put(self::put(key("a", 2).with("l", "l"))), ["SELECT pdb_item_orders 1"]);
}
