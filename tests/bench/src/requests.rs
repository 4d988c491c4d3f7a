//! The requests of the HTTP cases.

use std::sync::Arc;

use crate::load::MakeRequest;
use crate::work::Work;

const CREATE_TABLE: &str = "DynamoDB_20120810.CreateTable";
const PUT_ITEM: &str = "DynamoDB_20120810.PutItem";
const GET_ITEM: &str = "DynamoDB_20120810.GetItem";
const UPDATE_ITEM: &str = "DynamoDB_20120810.UpdateItem";
const QUERY: &str = "DynamoDB_20120810.Query";
const BATCH_WRITE_ITEM: &str = "DynamoDB_20120810.BatchWriteItem";
const TRANSACT_WRITE_ITEMS: &str = "DynamoDB_20120810.TransactWriteItems";

/// Items of a page of `Query`.
pub(crate) const QUERY_ITEMS: u64 = 100;
/// Items of a batch.
pub(crate) const BATCH_ITEMS: u64 = 25;
/// Items of a transaction.
pub(crate) const TRANSACTION_ITEMS: u64 = 4;

/// Returns the request that creates a table keyed by `pk`, and by `sk` if it is `sorted`.
pub(crate) fn create_table(table: &str, view_type: Option<&str>, sorted: bool) -> (&'static str, String) {
    let mut attributes = r#"{"AttributeName":"pk","AttributeType":"S"}"#.to_owned();
    let mut keys = r#"{"AttributeName":"pk","KeyType":"HASH"}"#.to_owned();
    if sorted {
        attributes.push_str(r#",{"AttributeName":"sk","AttributeType":"N"}"#);
        keys.push_str(r#",{"AttributeName":"sk","KeyType":"RANGE"}"#);
    }
    let stream = view_type.map_or(String::new(), |view_type| {
        format!(r#","StreamSpecification":{{"StreamEnabled":true,"StreamViewType":"{view_type}"}}"#)
    });
    let body = format!(
        r#"{{"TableName":"{table}","AttributeDefinitions":[{attributes}],"KeySchema":[{keys}],"BillingMode":"PAY_PER_REQUEST"{stream}}}"#
    );
    (CREATE_TABLE, body)
}

/// Puts whole items.
pub(crate) fn put_item(table: &str, work: Work, first: u64) -> MakeRequest {
    let table = table.to_owned();
    Arc::new(move |n| {
        (PUT_ITEM, format!(r#"{{"TableName":"{table}","Item":{}}}"#, work.item_json(first + n)))
    })
}

/// Adds to a number of an item and sets a text.
pub(crate) fn update_item(table: &str, work: Work, first: u64) -> MakeRequest {
    let table = table.to_owned();
    Arc::new(move |n| {
        let body = format!(
            r##"{{"TableName":"{table}","Key":{},"UpdateExpression":"SET #s = :s ADD revision :one","ExpressionAttributeNames":{{"#s":"status"}},"ExpressionAttributeValues":{{":s":{{"S":"state {}"}},":one":{{"N":"1"}}}}}}"##,
            work.key_json(n),
            first + n
        );
        (UPDATE_ITEM, body)
    })
}

/// Gets items.
pub(crate) fn get_item(table: &str, work: Work) -> MakeRequest {
    let table = table.to_owned();
    Arc::new(move |n| (GET_ITEM, format!(r#"{{"TableName":"{table}","Key":{}}}"#, work.key_json(n))))
}

/// Puts an item of a partition that [`query`] reads.
pub(crate) fn put_sorted(table: &str, work: Work) -> MakeRequest {
    let table = table.to_owned();
    Arc::new(move |n| {
        let item = work.item(n).with("pk", "partition").with("sk", i64::try_from(n).unwrap_or(i64::MAX));
        (PUT_ITEM, format!(r#"{{"TableName":"{table}","Item":{item}}}"#))
    })
}

/// Reads [`QUERY_ITEMS`] items of one partition.
pub(crate) fn query(table: &str) -> MakeRequest {
    let table = table.to_owned();
    Arc::new(move |n| {
        let body = format!(
            r#"{{"TableName":"{table}","KeyConditionExpression":"pk = :p AND sk >= :s","ExpressionAttributeValues":{{":p":{{"S":"partition"}},":s":{{"N":"{}"}}}},"Limit":{QUERY_ITEMS}}}"#,
            n % 100
        );
        (QUERY, body)
    })
}

/// Puts [`BATCH_ITEMS`] items a request.
pub(crate) fn batch_write_item(table: &str, work: Work, first: u64) -> MakeRequest {
    let table = table.to_owned();
    Arc::new(move |n| {
        let puts: Vec<_> = (0..BATCH_ITEMS)
            .map(|i| {
                format!(r#"{{"PutRequest":{{"Item":{}}}}}"#, work.item_json(first + n * BATCH_ITEMS + i))
            })
            .collect();
        (BATCH_WRITE_ITEM, format!(r#"{{"RequestItems":{{"{table}":[{}]}}}}"#, puts.join(",")))
    })
}

/// Puts [`TRANSACTION_ITEMS`] items a request.
pub(crate) fn transact_write_items(table: &str, work: Work, first: u64) -> MakeRequest {
    let table = table.to_owned();
    Arc::new(move |n| {
        let puts: Vec<_> = (0..TRANSACTION_ITEMS)
            .map(|i| {
                let item = work.item_json(first + n * TRANSACTION_ITEMS + i);
                format!(r#"{{"Put":{{"TableName":"{table}","Item":{item}}}}}"#)
            })
            .collect();
        (TRANSACT_WRITE_ITEMS, format!(r#"{{"TransactItems":[{}]}}"#, puts.join(",")))
    })
}
