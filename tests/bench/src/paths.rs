//! The hot paths, each of them alone, for counting instructions.

use std::error::Error;

use clap::ValueEnum;
use pdb_wire::{Request, Wire};
use pretender::items::{QueryInput, UpdateItemInput};
use pretender::model::{AttributeValue, Item, ScalarType, TableName};
use pretender::tables::CreateTableInput;
use pretender::{Durability, Pretender};

use crate::ours::Ours;
use crate::requests;
use crate::work::Work;

const WORK: Work = Work { item_bytes: 1024, keys: 200 };

/// A hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HotPath {
    /// `put_item` with a record of both images.
    PutItem,
    /// `get_item`.
    GetItem,
    /// `update_item` of two attributes with a record of both images.
    UpdateItem,
    /// `put_item` likewise, to a table with point-in-time recovery.
    PutItemWithHistory,
    /// `update_item` likewise, of a table with point-in-time recovery, whose history gets the old item.
    UpdateItemWithHistory,
    /// `query` of 100 items.
    Query,
    /// `get_records_with` of a page.
    GetRecords,
    /// `PutItem` from the bytes of the body to those of the answer.
    WirePutItem,
    /// `GetItem` from the bytes of the body to those of the answer.
    WireGetItem,
    /// `UpdateItem` from the bytes of the body to those of the answer.
    WireUpdateItem,
    /// `Query` of 100 items from the bytes of the body to those of the answer.
    WireQuery,
}

/// Makes a database in a file, then does `count` operations of a path.
pub(crate) fn run(path: HotPath, count: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ours = Ours::open(Some(&folder.path().join("path.db")), Durability::Normal)?;
    ours.fill(&WORK, 0, WORK.keys)?;
    let sorted = TableName::new("sorted")?;
    fill_sorted(&ours.db, &sorted)?;
    let wire = Wire::new(ours.db.clone());
    let first = WORK.keys;
    if matches!(path, HotPath::PutItemWithHistory | HotPath::UpdateItemWithHistory) {
        ours.db.update_continuous_backups(&ours.table, true, None)?;
    }
    match path {
        HotPath::PutItem | HotPath::PutItemWithHistory => ours.puts(&WORK, first, count).map(drop),
        HotPath::GetItem => ours.gets(&WORK, count).map(drop),
        HotPath::UpdateItem | HotPath::UpdateItemWithHistory => (0..count).try_for_each(|n| update(&ours, n)),
        HotPath::Query => (0..count).try_for_each(|n| query(&ours.db, &sorted, n)),
        HotPath::GetRecords => {
            let iterator = ours.iterators()?.pop().ok_or("the stream has no shard")?;
            (0..count).try_for_each(|_| ours.page(&iterator).map(drop))
        }
        HotPath::WirePutItem => call(&wire, &requests::put_item("bench", WORK, first), count),
        HotPath::WireGetItem => call(&wire, &requests::get_item("bench", WORK), count),
        HotPath::WireUpdateItem => call(&wire, &requests::update_item("bench", WORK, first), count),
        HotPath::WireQuery => call(&wire, &requests::query("sorted"), count),
    }
}

/// Makes a table of one partition of 200 items, through the wire as everybody does.
fn fill_sorted(db: &Pretender, table: &TableName) -> Result<(), Box<dyn Error>> {
    db.create_table(CreateTableInput::new(
        table.clone(),
        ("pk", ScalarType::S),
        Some(("sk", ScalarType::N)),
    ))?;
    let wire = Wire::new(db.clone());
    call(&wire, &requests::put_sorted(table.as_str(), WORK), 2 * requests::QUERY_ITEMS)
}

fn call(wire: &Wire, make: &crate::load::MakeRequest, count: u64) -> Result<(), Box<dyn Error>> {
    for n in 0..count {
        let (target, body) = make(n);
        let response = wire.call(Request::new(Some(target), body)).answer().expect("no fault was asked for");
        if response.status != 200 {
            return Err(String::from_utf8_lossy(&response.body).into());
        }
        std::hint::black_box(response);
    }
    Ok(())
}

fn update(ours: &Ours, n: u64) -> Result<(), Box<dyn Error>> {
    let key = Item::new().with("pk", WORK.key(n));
    ours.db.update_item(UpdateItemInput {
        update_expression: Some("SET #s = :s ADD revision :one".to_owned()),
        expression_attribute_names: [("#s".to_owned(), "status".to_owned())].into(),
        expression_attribute_values: [
            (":s".to_owned(), AttributeValue::from(format!("state {n}"))),
            (":one".to_owned(), AttributeValue::from(1)),
        ]
        .into(),
        ..UpdateItemInput::new(ours.table.clone(), key)
    })?;
    Ok(())
}

fn query(db: &Pretender, table: &TableName, n: u64) -> Result<(), Box<dyn Error>> {
    let from = i64::try_from(n % 100)?;
    let page = db.query(QueryInput {
        key_condition_expression: Some("pk = :p AND sk >= :s".to_owned()),
        expression_attribute_values: [
            (":p".to_owned(), AttributeValue::from("partition")),
            (":s".to_owned(), AttributeValue::from(from)),
        ]
        .into(),
        limit: Some(u32::try_from(requests::QUERY_ITEMS)?),
        ..QueryInput::new(table.clone())
    })?;
    std::hint::black_box(page);
    Ok(())
}
