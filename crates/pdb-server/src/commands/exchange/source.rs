//! Where an export reads from: a database that is opened, or an endpoint.

use std::error::Error;
use std::ops::ControlFlow;

use pretender::bulk::ItemReader;
use pretender::model::Item;
use serde_json::json;

use super::table::{TableInfo, Tables};
use crate::client::{Api, Service};
use crate::commands::data::items_of;

/// An item that was read.
pub(super) enum ReadItem<'i> {
    /// In canonical DynamoDB JSON, as the database stores it.
    Encoded(&'i str),
    Decoded(Item),
}

impl ReadItem<'_> {
    pub(super) fn decode(self) -> Result<Item, Box<dyn Error>> {
        match self {
            Self::Encoded(json) => Ok(Item::from_json(json)?),
            Self::Decoded(item) => Ok(item),
        }
    }
}

/// Takes all items of a table.
pub(super) type Pass<'p> = &'p mut dyn FnMut(ReadItem<'_>) -> Result<(), Box<dyn Error>>;

/// Passes all items of a table to each function in turn. In a database that is opened, all of them see the same commit.
pub(super) fn read(
    tables: &Tables,
    table: &TableInfo,
    passes: &mut [Pass<'_>],
) -> Result<(), Box<dyn Error>> {
    match tables {
        Tables::Opened(db) => {
            let name = Tables::name(&table.name)?;
            let failures: Vec<_> = passes.iter().map(|_| std::cell::RefCell::new(None)).collect();
            let mut each: Vec<_> = passes
                .iter_mut()
                .zip(&failures)
                .map(|(pass, failure)| {
                    move |json: &str| match pass(ReadItem::Encoded(json)) {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(error) => {
                            *failure.borrow_mut() = Some(error);
                            ControlFlow::Break(())
                        }
                    }
                })
                .collect();
            let mut each: Vec<ItemReader<'_>> = each.iter_mut().map(|each| each as ItemReader<'_>).collect();
            db.read_whole_table(&name, &mut each)?;
            drop(each);
            failures.into_iter().find_map(std::cell::RefCell::into_inner).map_or(Ok(()), Err)
        }
        Tables::Endpoint(api) => passes.iter_mut().try_for_each(|pass| scan(api, &table.name, pass)),
    }
}

fn scan(api: &Api, table: &str, pass: &mut Pass<'_>) -> Result<(), Box<dyn Error>> {
    let mut input = json!({ "TableName": table, "ConsistentRead": true });
    loop {
        let mut answer = api.call(Service::DynamoDb, "Scan", &input)?;
        for item in items_of(&answer)? {
            pass(ReadItem::Decoded(item))?;
        }
        match answer.get_mut("LastEvaluatedKey") {
            Some(last) => input["ExclusiveStartKey"] = last.take(),
            None => return Ok(()),
        }
    }
}
