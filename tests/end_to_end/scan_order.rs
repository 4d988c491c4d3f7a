//! Scans of tables and indexes are in DynamoDB's order: as a whole, in segments, and in pages.

use pretender_tests::scan_order::{bytes_of, in_order, token};
use serde_json::{Value, json};

use crate::driver::World;
use crate::http::Http;

fn element(name: &str, kind: &str) -> Value {
    json!({ "AttributeName": name, "KeyType": kind })
}

/// A table whose sort key is the number `sk`, with a global index by `g` and a local one by `l`.
fn create(db: &Http, table: &str, key_type: &str) {
    let types = [("pk", key_type), ("sk", "N"), ("g", "S"), ("l", "S")];
    let request = json!({
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": types.map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind })),
        "KeySchema": [element("pk", "HASH"), element("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "global",
            "KeySchema": [element("g", "HASH")],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }, {
            "IndexName": "sorted",
            "KeySchema": [element("g", "HASH"), element("l", "RANGE")],
            "Projection": { "ProjectionType": "ALL" },
        }],
        "LocalSecondaryIndexes": [{
            "IndexName": "local",
            "KeySchema": [element("pk", "HASH"), element("l", "RANGE")],
            "Projection": { "ProjectionType": "ALL" },
        }],
    });
    db.table("CreateTable", &request).unwrap();
}

/// Partition keys of a type, all unlike.
fn keys(key_type: &str) -> Vec<Value> {
    let texts: Vec<&str> = match key_type {
        "S" => vec!["a", "order-1", "Zürich", "日本", "nul \u{0} nul", "p1", "p2", "p3", "p4", "🦀", "~"],
        "N" => vec![
            "42",
            "-42",
            "0",
            "0.5",
            "-0.001",
            "12345678901234567890",
            "100",
            "-100",
            "0.00000000000000000001",
            "99999999999999999999999999999999999999",
            "-1234567890123456789012345678901234567.8",
        ],
        _ => vec!["AP8=", "AA==", "AAA=", "/w==", "AQID", "Zm9v", "YmFy", "YmF6", "//8=", "AAAAAA==", "fw=="],
    };
    texts.into_iter().map(|text| json!({ key_type: text })).collect()
}

/// Fills a table with three items a partition key; half of them have the same `g`, and all of one key the same `l`.
fn fill(db: &Http, table: &str, key_type: &str) {
    let sorts = ["-1.5", "0", "7"];
    // In an order that is none.
    for (at, key) in keys(key_type).iter().enumerate().rev() {
        for (nth, sort) in sorts.iter().enumerate() {
            let g = if (at + nth) % 2 == 0 { "even" } else { "odd" };
            let item = json!({ "pk": key, "sk": { "N": sort }, "g": { "S": g }, "l": { "S": "same" } });
            db.table("PutItem", &json!({ "TableName": table, "Item": item })).unwrap();
        }
    }
}

/// All items of a `Scan` or `Query`, on pages of `limit`.
fn read(db: &Http, operation: &str, request: &Value, limit: u32) -> Vec<Value> {
    let (mut items, mut request) = (Vec::new(), request.clone());
    request["Limit"] = json!(limit);
    loop {
        let page = db.table(operation, &request).unwrap();
        items.extend(page["Items"].as_array().unwrap().iter().cloned());
        match page.get("LastEvaluatedKey") {
            Some(last) => request["ExclusiveStartKey"] = last.clone(),
            None => return items,
        }
    }
}

/// All items of a statement, on pages of one.
fn select(db: &Http, statement: &str) -> Vec<Value> {
    let (mut items, mut request) = (Vec::new(), json!({ "Statement": statement, "Limit": 1 }));
    loop {
        let page = db.table("ExecuteStatement", &request).unwrap();
        items.extend(page["Items"].as_array().unwrap().iter().cloned());
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => return items,
        }
    }
}

/// A table for each type of key, filled; `check` gets its name and its description.
fn with_tables(check: impl Fn(&Http, &str, &Value)) {
    let world = World::new();
    let db = Http::new(world.db.clone());
    for key_type in ["S", "N", "B"] {
        let table = format!("Keys.{key_type}");
        create(&db, &table, key_type);
        fill(&db, &table, key_type);
        let described = db.table("DescribeTable", &json!({ "TableName": table })).unwrap();
        check(&db, &table, &described);
    }
}

#[test]
fn scans_are_in_the_order_of_dynamodb() {
    with_tables(|db, table, described| {
        let scan = json!({ "TableName": table });
        let items = read(db, "Scan", &scan, 1_000);
        assert_eq!(items.len(), 33);
        assert_eq!(items, in_order(described, None, &items), "{table}");
        assert_eq!(read(db, "Scan", &scan, 1), items, "{table}: a page an item");
        assert_eq!(select(db, &format!("SELECT * FROM \"{table}\"")), items, "{table}: PartiQL");
    });
}

/// What AWS answers, independent of all that computes it here.
#[test]
fn an_order_that_is_known_is_the_order() {
    let world = World::new();
    let db = Http::new(world.db.clone());
    create(&db, "Orders", "S");
    fill(&db, "Orders", "S");
    let items = read(&db, "Scan", &json!({ "TableName": "Orders" }), 1_000);
    let keys: Vec<&str> = items.iter().map(|item| item["pk"]["S"].as_str().unwrap()).collect();
    let known: Vec<&str> =
        keys.into_iter().filter(|key| ["a", "order-1", "Zürich", "日本"].contains(key)).step_by(3).collect();
    // f6..., b5..., f0... and b4...
    assert_eq!(known, ["日本", "order-1", "Zürich", "a"]);
}

#[test]
fn segments_are_equal_ranges_of_the_hash() {
    with_tables(|db, table, described| {
        for index in [None, Some("global"), Some("local")] {
            let mut request = json!({ "TableName": table });
            if let Some(index) = index {
                request["IndexName"] = json!(index);
            }
            let whole = read(db, "Scan", &request, 1_000);
            assert_eq!(whole, in_order(described, index, &whole), "{table} {index:?}");
            let hash = if index == Some("global") { "g" } else { "pk" };
            for total in [1_u32, 2, 3, 7, 4_096] {
                let mut joined = Vec::new();
                // Of many segments, those that have something, and their neighbours.
                let mut segments: Vec<u32> =
                    whole.iter().map(|item| segment_of(&item[hash], total)).collect();
                segments.extend([0, total - 1]);
                segments.extend(segments.clone().iter().map(|segment| (segment + 1).min(total - 1)));
                segments.sort_unstable();
                segments.dedup();
                for segment in segments {
                    request["Segment"] = json!(segment);
                    request["TotalSegments"] = json!(total);
                    let part = read(db, "Scan", &request, 2);
                    for item in &part {
                        assert_eq!(segment_of(&item[hash], total), segment, "{table} {index:?}: {item}");
                    }
                    joined.extend(part);
                }
                assert_eq!(joined, whole, "{table} {index:?}: {total} segments");
            }
        }
    });
}

/// The segment that begins at or before `2^128 * segment / total`, the next one behind it.
fn segment_of(key: &Value, total: u32) -> u32 {
    let (hash, total) = (token(&[bytes_of(key)]), u128::from(total));
    let low = ((hash & u128::from(u64::MAX)) * total) >> 64;
    u32::try_from(((hash >> 64) * total + low) >> 64).unwrap()
}

#[test]
fn equal_keys_of_an_index_are_in_the_order_of_dynamodb() {
    with_tables(|db, table, described| {
        for index in ["global", "sorted", "local"] {
            let scan = json!({ "TableName": table, "IndexName": index });
            let items = read(db, "Scan", &scan, 1_000);
            assert_eq!(items.len(), 33);
            assert_eq!(items, in_order(described, Some(index), &items), "{table} {index}");
            assert_eq!(read(db, "Scan", &scan, 1), items, "{table} {index}: a page an item");
            let statement = format!("SELECT * FROM \"{table}\".\"{index}\"");
            assert_eq!(select(db, &statement), items, "{table} {index}: PartiQL");
        }
        for index in ["global", "sorted"] {
            let mut query = json!({
                "TableName": table,
                "IndexName": index,
                "KeyConditionExpression": "g = :g",
                "ExpressionAttributeValues": { ":g": { "S": "even" } },
            });
            let mut items = read(db, "Query", &query, 1_000);
            assert!(items.len() > 10);
            assert_eq!(items, in_order(described, Some(index), &items), "{table} {index}");
            assert_eq!(read(db, "Query", &query, 1), items, "{table} {index}: a page an item");
            let statement = format!("SELECT * FROM \"{table}\".\"{index}\" WHERE g = 'even'");
            assert_eq!(select(db, &statement), items, "{table} {index}: PartiQL");
            query["ScanIndexForward"] = json!(false);
            items.reverse();
            assert_eq!(read(db, "Query", &query, 1), items, "{table} {index}: backward");
        }
    });
}

/// An index that is made later, and one whose entries come and go, have the order of one that was there.
#[test]
fn an_index_that_is_made_later_has_the_same_order() {
    with_tables(|db, table, described| {
        let request = json!({
            "TableName": table,
            "AttributeDefinitions": [{ "AttributeName": "g", "AttributeType": "S" }],
            "GlobalSecondaryIndexUpdates": [{ "Create": {
                "IndexName": "later",
                "KeySchema": [element("g", "HASH")],
                "Projection": { "ProjectionType": "KEYS_ONLY" },
            } }],
        });
        db.table("UpdateTable", &request).unwrap();
        let scan = |index: &str| read(db, "Scan", &json!({ "TableName": table, "IndexName": index }), 5);
        assert_eq!(scan("later"), scan("global"), "{table}");
        for item in scan("global").iter().step_by(2) {
            let key = json!({ "pk": item["pk"], "sk": item["sk"] });
            db.table("DeleteItem", &json!({ "TableName": table, "Key": key })).unwrap();
        }
        let left = scan("later");
        assert_eq!(left.len(), 16);
        assert_eq!(left, in_order(described, Some("global"), &left), "{table}");
        assert_eq!(scan("global"), left, "{table}");
    });
}
