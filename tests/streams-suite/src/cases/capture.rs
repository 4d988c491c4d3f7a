//! The record of each kind of write, with every view type, with and without a sort key.

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys};
use crate::history::{Change, Place};
use crate::outcome::Outcome;
use crate::record::{View, merged, n, s};
use crate::{check, check_eq, shown};

/// One row: the attributes besides the key before and after, and the write between.
struct Row {
    name: &'static str,
    before: Option<Value>,
    after: Option<Value>,
    inferred: bool,
    write: fn(&Place<'_>) -> Outcome,
}

fn row(
    name: &'static str,
    before: Option<Value>,
    after: Option<Value>,
    write: fn(&Place<'_>) -> Outcome,
) -> Row {
    Row { name, before, after, inferred: false, write }
}

fn inferred(
    name: &'static str,
    before: Option<Value>,
    after: Option<Value>,
    write: fn(&Place<'_>) -> Outcome,
) -> Row {
    Row { inferred: true, ..row(name, before, after, write) }
}

pub(super) fn group() -> Group {
    let mut group = Group::new("capture");
    for (index, row) in rows().into_iter().enumerate() {
        for view in View::ALL {
            let name = format!("{}/{}", row.name, view.name());
            let case = group.case(name, &[18], move |cx| check_row(cx, &rows()[index], view));
            case.inferred = row.inferred;
        }
    }
    group.case("stream-enabled-later-shows-only-changes", &[18, 5], enabled_later);
    group.case("delete-then-put-is-never-merged", &[18], delete_then_put);
    group.case("add-and-take-back-is-two-changes", &[18], add_and_take_back);
    group.case("batch-of-one-no-op-and-two-puts", &[18], mixed_batch);
    group.case("batch-over-two-tables", &[18], batch_over_two_tables);
    group.case("reads-make-no-records", &[18], reads);
    group.case("every-write-of-one-item-is-a-record-of-its-own", &[18, 22], nothing_is_coalesced);
    group
}

fn check_row(cx: &Context<'_>, row: &Row, view: View) -> Outcome {
    for keys in [Keys::Hash, Keys::HashAndRange] {
        let shared = cx.shared(view, keys)?;
        let place = Place::new(cx, &shared, keys);
        let before = row.before.as_ref().map(|attributes| place.item(attributes));
        let after = row.after.as_ref().map(|attributes| place.item(attributes));
        if let Some(item) = &before {
            cx.put(&place.table.name, item.clone())?;
        }
        (row.write)(&place)?;
        let expected =
            [Change::between(None, before.as_ref()), Change::between(before.as_ref(), after.as_ref())];
        let expected: Vec<Change> = expected.into_iter().flatten().collect();
        place.check_history(&expected).map_err(|stop| stop.during(&format!("{keys:?}")))?;
    }
    Ok(())
}

fn a() -> Value {
    json!({"a": s("1")})
}

fn ab() -> Value {
    json!({"a": s("1"), "b": n(2)})
}

fn key_only() -> Value {
    json!({})
}

fn rows() -> Vec<Row> {
    let mut all = puts();
    all.extend(updates());
    all.extend(deletes_and_failures());
    all.extend(batches());
    all.extend(transactions());
    all.extend(partiql());
    all
}

fn puts() -> Vec<Row> {
    vec![
        row("put-creates", None, Some(ab()), |at| at.put(&ab())),
        row("put-replaces", Some(ab()), Some(json!({"c": s("3")})), |at| at.put(&json!({"c": s("3")}))),
        row("put-identical", Some(ab()), Some(ab()), |at| at.put(&ab())),
        row("put-key-only-creates", None, Some(key_only()), |at| at.put(&key_only())),
        row("put-key-only-again", Some(key_only()), Some(key_only()), |at| at.put(&key_only())),
        row("put-key-only-over-more", Some(ab()), Some(key_only()), |at| at.put(&key_only())),
        row("put-under-a-true-condition", Some(a()), Some(ab()), |at| {
            let request = json!({
                "TableName": at.table.name, "Item": at.item(&ab()), "ConditionExpression": "attribute_exists(a)",
                "ReturnValues": "ALL_OLD",
            });
            at.cx.db("PutItem", request).map(drop)
        }),
    ]
}

fn updates() -> Vec<Row> {
    let set = || json!({"t": {"SS": ["x", "y"]}});
    let list = || json!({"l": {"L": [s("x")]}});
    let map = || json!({"m": {"M": {"x": n(1), "y": {"M": {"z": s("1")}}}}});
    vec![
        row("update-set-creates", None, Some(a()), |at| at.update("SET a = :a", json!({":a": s("1")}))),
        row("update-add-number-creates", None, Some(json!({"n": n(5)})), |at| {
            at.update("ADD n :n", json!({":n": n(5)}))
        }),
        row("update-add-set-creates", None, Some(set()), |at| {
            at.update("ADD t :t", json!({":t": {"SS": ["y", "x"]}}))
        }),
        row("update-without-expression-creates", None, Some(key_only()), |at| update_plainly(at, json!({}))),
        inferred("update-without-expression-over-an-item", Some(a()), Some(a()), |at| {
            update_plainly(at, json!({}))
        }),
        row("update-changes", Some(ab()), Some(merged(&ab(), &json!({"a": s("new")}))), |at| {
            at.update("SET a = :a", json!({":a": s("new")}))
        }),
        row("update-set-same-value", Some(ab()), Some(ab()), |at| {
            at.update("SET a = :a", json!({":a": s("1")}))
        }),
        row("update-set-to-itself", Some(ab()), Some(ab()), |at| at.update("SET a = a", json!({}))),
        inferred("update-add-zero", Some(ab()), Some(ab()), |at| at.update("ADD b :z", json!({":z": n(0)}))),
        inferred("update-add-element-that-is-there", Some(set()), Some(set()), |at| {
            at.update("ADD t :t", json!({":t": {"SS": ["x"]}}))
        }),
        inferred("update-delete-element-that-is-not", Some(set()), Some(set()), |at| {
            at.update("DELETE t :t", json!({":t": {"SS": ["z"]}}))
        }),
        row("update-delete-element", Some(set()), Some(json!({"t": {"SS": ["y"]}})), |at| {
            at.update("DELETE t :t", json!({":t": {"SS": ["x"]}}))
        }),
        inferred("update-append-nothing", Some(list()), Some(list()), |at| {
            at.update("SET l = list_append(l, :l)", json!({":l": {"L": []}}))
        }),
        row("update-append", Some(list()), Some(json!({"l": {"L": [s("x"), s("y")]}})), |at| {
            at.update("SET l = list_append(l, :l)", json!({":l": {"L": [s("y")]}}))
        }),
        row("update-set-equal-map-in-other-order", Some(map()), Some(map()), |at| {
            // The members' order is in the request's text, which a JSON object of this program would not keep.
            let text = format!(
                r#"{{"TableName":"{}","Key":{},"UpdateExpression":"SET m = :m","ExpressionAttributeValues":
                {{":m":{{"M":{{"y":{{"M":{{"z":{{"S":"1"}}}}}},"x":{{"N":"1"}}}}}}}}}}"#,
                at.table.name, at.key
            );
            let answer = at.cx.client().send_signed(
                crate::Api::DynamoDb,
                "DynamoDB_20120810.UpdateItem",
                text.as_bytes(),
            )?;
            check_eq!(answer.status, 200, "status of UpdateItem ({})", answer.text());
            Ok(())
        }),
        row(
            "update-nested-value",
            Some(map()),
            Some(json!({"m": {"M": {"x": n(2), "y": {"M": {"z": s("1")}}}}})),
            |at| at.update("SET m.x = :x", json!({":x": n(2)})),
        ),
        row("update-remove", Some(ab()), Some(a()), |at| at.update("REMOVE b", json!({}))),
        row("update-remove-missing-attribute", Some(a()), Some(a()), |at| at.update("REMOVE zz", json!({}))),
        row("update-remove-all-attributes", Some(ab()), Some(key_only()), |at| {
            at.update("REMOVE a, b", json!({}))
        }),
        row("update-only-remove-of-nothing", None, None, |at| at.update("REMOVE a", json!({}))),
        row("update-only-set-delete-of-nothing", None, None, |at| {
            at.update("DELETE t :t", json!({":t": {"SS": ["x"]}}))
        }),
        row("attribute-updates-put-creates", None, Some(a()), |at| {
            update_plainly(at, json!({"AttributeUpdates": {"a": {"Action": "PUT", "Value": s("1")}}}))
        }),
        row("attribute-updates-put-changes", Some(a()), Some(json!({"a": s("2")})), |at| {
            update_plainly(at, json!({"AttributeUpdates": {"a": {"Action": "PUT", "Value": s("2")}}}))
        }),
        row("attribute-updates-delete-missing-attribute", Some(a()), Some(a()), |at| {
            update_plainly(at, json!({"AttributeUpdates": {"zz": {"Action": "DELETE"}}}))
        }),
    ]
}

fn update_plainly(at: &Place<'_>, more: Value) -> Outcome {
    let request = json!({"TableName": at.table.name, "Key": at.key});
    at.cx.db("UpdateItem", merged(&request, &more)).map(drop)
}

fn deletes_and_failures() -> Vec<Row> {
    vec![
        row("delete-existing", Some(ab()), None, |at| at.delete()),
        row("delete-absent", None, None, |at| at.delete()),
        row("put-failing-condition", Some(a()), Some(a()), |at| {
            fails(
                at,
                "PutItem",
                json!({
                    "Item": at.item(&ab()), "ConditionExpression": "attribute_not_exists(pk)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }),
            )
        }),
        row("update-failing-condition", Some(a()), Some(a()), |at| {
            fails(
                at,
                "UpdateItem",
                json!({
                    "Key": at.key, "UpdateExpression": "SET b = :b", "ExpressionAttributeValues": {":b": n(2)},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }),
            )
        }),
        row("update-failing-condition-on-nothing", None, None, |at| {
            fails(
                at,
                "UpdateItem",
                json!({
                    "Key": at.key, "UpdateExpression": "SET b = :b", "ExpressionAttributeValues": {":b": n(2)},
                    "ConditionExpression": "attribute_exists(pk)",
                }),
            )
        }),
        row("delete-failing-condition", Some(a()), Some(a()), |at| {
            fails(at, "DeleteItem", json!({"Key": at.key, "ConditionExpression": "attribute_exists(zz)"}))
        }),
        row("put-rejected", Some(a()), Some(a()), |at| {
            rejected(at, "PutItem", json!({"Item": at.item(&json!({"t": {"SS": []}}))}))
        }),
        row("update-rejected", Some(a()), Some(a()), |at| {
            let values = json!({":one": n(1)});
            rejected(
                at,
                "UpdateItem",
                json!({
                    "Key": at.key, "UpdateExpression": "SET a = a + :one", "ExpressionAttributeValues": values,
                }),
            )
        }),
        row("update-of-missing-attribute-rejected", Some(a()), Some(a()), |at| {
            rejected(at, "UpdateItem", json!({"Key": at.key, "UpdateExpression": "SET b = b"}))
        }),
    ]
}

fn fails(at: &Place<'_>, operation: &str, more: Value) -> Outcome {
    let request = merged(&json!({"TableName": at.table.name}), &more);
    at.cx.db_refused(operation, request)?.check("ConditionalCheckFailedException", crate::Text::Any)
}

fn rejected(at: &Place<'_>, operation: &str, more: Value) -> Outcome {
    let request = merged(&json!({"TableName": at.table.name}), &more);
    at.cx.db_refused(operation, request)?.check_validation(crate::Text::Any)
}

fn batch_write(at: &Place<'_>, request: Value) -> Outcome {
    let name = &at.table.name;
    let mut left = json!({name: [request]});
    at.cx.wait("a batch to be processed", || {
        let answer = at.cx.db("BatchWriteItem", json!({"RequestItems": left}))?;
        left = answer["UnprocessedItems"].clone();
        Ok(left.as_object().is_none_or(|left| left.is_empty()).then_some(()))
    })
}

fn batches() -> Vec<Row> {
    vec![
        row("batch-put-creates", None, Some(ab()), |at| {
            batch_write(at, json!({"PutRequest": {"Item": at.item(&ab())}}))
        }),
        row("batch-put-replaces", Some(ab()), Some(a()), |at| {
            batch_write(at, json!({"PutRequest": {"Item": at.item(&a())}}))
        }),
        row("batch-put-identical", Some(ab()), Some(ab()), |at| {
            batch_write(at, json!({"PutRequest": {"Item": at.item(&ab())}}))
        }),
        row("batch-delete-existing", Some(ab()), None, |at| {
            batch_write(at, json!({"DeleteRequest": {"Key": at.key}}))
        }),
        row("batch-delete-absent", None, None, |at| {
            batch_write(at, json!({"DeleteRequest": {"Key": at.key}}))
        }),
    ]
}

fn transact(at: &Place<'_>, actions: Value) -> Outcome {
    at.cx.db("TransactWriteItems", json!({"TransactItems": actions})).map(drop)
}

fn transactions() -> Vec<Row> {
    vec![
        row("transact-put-creates", None, Some(ab()), |at| {
            transact(at, json!([{"Put": {"TableName": at.table.name, "Item": at.item(&ab())}}]))
        }),
        row("transact-put-replaces", Some(ab()), Some(a()), |at| {
            transact(at, json!([{"Put": {"TableName": at.table.name, "Item": at.item(&a())}}]))
        }),
        row("transact-put-identical", Some(ab()), Some(ab()), |at| {
            transact(at, json!([{"Put": {"TableName": at.table.name, "Item": at.item(&ab())}}]))
        }),
        row("transact-update-creates", None, Some(a()), |at| transact(at, transact_update(at, "1"))),
        row("transact-update-changes", Some(a()), Some(json!({"a": s("2")})), |at| {
            transact(at, transact_update(at, "2"))
        }),
        row("transact-update-identical", Some(a()), Some(a()), |at| transact(at, transact_update(at, "1"))),
        row("transact-delete-existing", Some(a()), None, |at| {
            transact(at, json!([{"Delete": {"TableName": at.table.name, "Key": at.key}}]))
        }),
        row("transact-delete-absent", None, None, |at| {
            transact(at, json!([{"Delete": {"TableName": at.table.name, "Key": at.key}}]))
        }),
        row("transact-condition-check", Some(a()), Some(a()), |at| {
            transact(
                at,
                json!([{"ConditionCheck": {
                    "TableName": at.table.name, "Key": at.key, "ConditionExpression": "attribute_exists(a)",
                }}]),
            )
        }),
    ]
}

fn transact_update(at: &Place<'_>, value: &str) -> Value {
    json!([{"Update": {
        "TableName": at.table.name, "Key": at.key, "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": s(value)},
    }}])
}

/// Returns a statement's WHERE clause and its parameters, for the key of a place.
fn place_where(at: &Place<'_>) -> (String, Vec<Value>) {
    let key = at.key.as_object().cloned().unwrap_or_default();
    let clause: Vec<String> = key.keys().map(|name| format!("{name} = ?")).collect();
    (format!("WHERE {}", clause.join(" AND ")), key.values().cloned().collect())
}

fn execute(at: &Place<'_>, statement: &str) -> Outcome {
    let (clause, parameters) = place_where(at);
    let statement = statement.replace("TABLE", &format!("\"{}\"", at.table.name)).replace("KEY", &clause);
    at.cx.db("ExecuteStatement", json!({"Statement": statement, "Parameters": parameters})).map(drop)
}

/// Returns an INSERT and its parameters.
fn insert_statement(at: &Place<'_>, attributes: &Value) -> Value {
    let item = at.item(attributes);
    let members = item.as_object().cloned().unwrap_or_default();
    let value: Vec<String> = members.keys().map(|name| format!("'{name}': ?")).collect();
    let statement = format!("INSERT INTO \"{}\" VALUE {{{}}}", at.table.name, value.join(", "));
    json!({"Statement": statement, "Parameters": members.values().collect::<Vec<_>>()})
}

fn partiql() -> Vec<Row> {
    vec![
        row("partiql-insert", None, Some(ab()), |at| {
            at.cx.db("ExecuteStatement", insert_statement(at, &ab())).map(drop)
        }),
        row("partiql-insert-over-an-item", Some(a()), Some(a()), |at| {
            let refused = at.cx.db_refused("ExecuteStatement", insert_statement(at, &ab()))?;
            refused.check("DuplicateItemException", crate::Text::Any)
        }),
        row("partiql-update", Some(ab()), Some(merged(&ab(), &json!({"a": s("2")}))), |at| {
            execute(at, "UPDATE TABLE SET a = '2' KEY")
        }),
        row("partiql-update-same-value", Some(ab()), Some(ab()), |at| {
            execute(at, "UPDATE TABLE SET a = '1' KEY")
        }),
        row("partiql-update-remove", Some(ab()), Some(a()), |at| execute(at, "UPDATE TABLE REMOVE b KEY")),
        row("partiql-delete", Some(ab()), None, |at| execute(at, "DELETE FROM TABLE KEY")),
        inferred("partiql-delete-of-nothing", None, None, |at| execute(at, "DELETE FROM TABLE KEY")),
        inferred("partiql-update-of-nothing", None, None, |at| {
            let (clause, parameters) = place_where(at);
            let statement = format!("UPDATE \"{}\" SET a = '1' {clause}", at.table.name);
            let request = json!({"Statement": statement, "Parameters": parameters});
            let refused = at.cx.db_refused("ExecuteStatement", request)?;
            refused.check("ConditionalCheckFailedException", crate::Text::Any)
        }),
        row("partiql-batch-insert", None, Some(ab()), |at| {
            let request = json!({"Statements": [insert_statement(at, &ab())]});
            let answer = at.cx.db("BatchExecuteStatement", request)?;
            check!(answer["Responses"][0].get("Error").is_none(), "the statement failed: {}", shown(&answer));
            Ok(())
        }),
        row("partiql-transaction-insert", None, Some(ab()), |at| {
            at.cx
                .db("ExecuteTransaction", json!({"TransactStatements": [insert_statement(at, &ab())]}))
                .map(drop)
        }),
        row("partiql-transaction-update", Some(ab()), Some(merged(&ab(), &json!({"a": s("2")}))), |at| {
            let (clause, parameters) = place_where(at);
            let statement = format!("UPDATE \"{}\" SET a = '2' {clause}", at.table.name);
            let request = json!({"TransactStatements": [{"Statement": statement, "Parameters": parameters}]});
            at.cx.db("ExecuteTransaction", request).map(drop)
        }),
    ]
}

fn enabled_later(cx: &Context<'_>) -> Outcome {
    let name = cx.plain_table(Keys::Hash)?.name;
    let item = json!({"pk": s("old"), "a": s("1")});
    let changed = json!({"pk": s("old"), "a": s("2")});
    cx.put(&name, item.clone())?;
    let table = cx.enable(&name, View::Both)?;
    // The same item again changes nothing, and enabling shows nothing of what was there.
    cx.put(&name, item.clone())?;
    cx.put(&name, changed.clone())?;
    let records = cx.read_stream(&table.stream_arn, 1)?;
    check_eq!(records.len(), 1, "records");
    let change = Change { event: "MODIFY", old: Some(item), new: Some(changed) };
    change.check(&records[0], View::Both, &json!({"pk": s("old")}))
}

fn delete_then_put(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    at.put(&a())?;
    at.delete()?;
    at.put(&a())?;
    let item = at.item(&a());
    let states = [None, Some(&item), None, Some(&item)];
    let expected: Vec<Change> = states.windows(2).filter_map(|two| Change::between(two[0], two[1])).collect();
    at.check_history(&expected).map(drop)
}

fn add_and_take_back(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    at.put(&json!({"n": n(1)}))?;
    at.update("ADD n :d", json!({":d": n(1)}))?;
    at.update("ADD n :d", json!({":d": n(-1)}))?;
    let (one, two) = (at.item(&json!({"n": n(1)})), at.item(&json!({"n": n(2)})));
    let states = [None, Some(&one), Some(&two), Some(&one)];
    let expected: Vec<Change> = states.windows(2).filter_map(|two| Change::between(two[0], two[1])).collect();
    at.check_history(&expected).map(drop)
}

fn mixed_batch(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let request = json!({"RequestItems": {&table.name: [
        {"DeleteRequest": {"Key": {"pk": s("absent")}}},
        {"PutRequest": {"Item": {"pk": s("one"), "a": s("1")}}},
        {"PutRequest": {"Item": {"pk": s("two"), "a": s("2")}}},
    ]}});
    cx.db("BatchWriteItem", request)?;
    let mut events: Vec<String> =
        cx.read_stream(&table.stream_arn, 2)?.iter().map(crate::Record::summary).collect();
    events.sort();
    check_eq!(events, [r#"INSERT {"S":"one"}"#, r#"INSERT {"S":"two"}"#], "records");
    Ok(())
}

fn batch_over_two_tables(cx: &Context<'_>) -> Outcome {
    let with = cx.table(View::New, Keys::Hash)?;
    let also = cx.table(View::Keys, Keys::Hash)?;
    let put = |key: &str| json!([{"PutRequest": {"Item": {"pk": s(key), "a": s("1")}}}]);
    cx.db("BatchWriteItem", json!({"RequestItems": {&with.name: put("x"), &also.name: put("y")}}))?;
    for (table, key) in [(&with, "x"), (&also, "y")] {
        let records = cx.read_stream(&table.stream_arn, 1)?;
        let events: Vec<String> = records.iter().map(crate::Record::summary).collect();
        check_eq!(events, [format!(r#"INSERT {{"S":"{key}"}}"#)], "records of {}", table.name);
    }
    Ok(())
}

fn reads(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::HashAndRange)?;
    let at = Place::new(cx, &shared, Keys::HashAndRange);
    at.put(&a())?;
    let name = &at.table.name;
    cx.db("GetItem", json!({"TableName": name, "Key": at.key, "ConsistentRead": true}))?;
    cx.db("BatchGetItem", json!({"RequestItems": {name: {"Keys": [at.key]}}}))?;
    cx.db("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": name, "Key": at.key}}]}))?;
    cx.db("Query", json!({
        "TableName": name, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": at.key["pk"]},
    }))?;
    cx.db("Scan", json!({"TableName": name, "Limit": 10}))?;
    execute(&at, "SELECT * FROM TABLE KEY")?;
    let inserted = Change::between(None, Some(&at.item(&a())));
    at.check_history(inserted.as_slice()).map(drop)
}

fn nothing_is_coalesced(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let at = Place::new(cx, &shared, Keys::Hash);
    let states: Vec<Value> = (0..30).map(|number| at.item(&json!({"n": n(number)}))).collect();
    let mut expected = Vec::new();
    let mut before = None;
    for state in &states {
        cx.put(&at.table.name, state.clone())?;
        expected.extend(Change::between(before, Some(state)));
        before = Some(state);
    }
    at.check_history(&expected).map(drop)
}
