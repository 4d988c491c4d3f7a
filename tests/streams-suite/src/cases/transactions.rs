//! Transactions in a stream.

use serde_json::{Value, json};

use crate::case::Group;
use crate::check_eq;
use crate::context::{Context, Keys, Table};
use crate::expect::Text;
use crate::history::{Change, Place};
use crate::outcome::Outcome;
use crate::record::{Record, View, n, s};

pub(super) fn group() -> Group {
    let mut group = Group::new("transactions");
    group.case("over-two-tables-with-one-stream", &[24], one_stream);
    group.case("over-two-tables-with-two-streams", &[24], two_streams);
    group.case("delete-changed-put-and-no-op", &[24, 18], delete_put_no_op);
    group.case("cancelled-by-a-condition", &[24], cancelled);
    group.case("cancelled-by-a-condition-check", &[24], cancelled_by_check);
    group.case("repeated-token", &[24], repeated_token).inferred();
    group.case("repeated-token-with-other-parameters", &[24], mismatched_token);
    group.case("oversized-put-leaves-nothing", &[24], oversized_put);
    group.case("hundred-actions-make-a-hundred-records", &[24], hundred_actions);
    group.case("partiql-transaction-cancelled", &[24, 18], partiql_cancelled);
    group.case("all-records-of-one-moment", &[24], one_moment).inferred();
    group
}

fn put(table: &Table, key: &str, value: u32) -> Value {
    json!({"Put": {"TableName": table.name, "Item": {"pk": s(key), "v": n(value)}}})
}

fn summaries(records: &[Record]) -> Vec<String> {
    let mut all: Vec<String> = records.iter().map(Record::summary).collect();
    all.sort();
    all
}

fn one_stream(cx: &Context<'_>) -> Outcome {
    let (with, without) = (cx.table(View::New, Keys::Hash)?, cx.plain_table(Keys::Hash)?);
    cx.db("TransactWriteItems", json!({"TransactItems": [put(&with, "a", 1), put(&without, "b", 2)]}))?;
    check_eq!(summaries(&cx.read_stream(&with.stream_arn, 1)?), [r#"INSERT {"S":"a"}"#], "records");
    Ok(())
}

fn two_streams(cx: &Context<'_>) -> Outcome {
    let (one, two) = (cx.table(View::New, Keys::Hash)?, cx.table(View::Both, Keys::Hash)?);
    cx.db("TransactWriteItems", json!({"TransactItems": [put(&one, "a", 1), put(&two, "b", 2)]}))?;
    check_eq!(
        summaries(&cx.read_stream(&one.stream_arn, 1)?),
        [r#"INSERT {"S":"a"}"#],
        "records of the first"
    );
    check_eq!(
        summaries(&cx.read_stream(&two.stream_arn, 1)?),
        [r#"INSERT {"S":"b"}"#],
        "records of the second"
    );
    Ok(())
}

fn delete_put_no_op(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let deleted = Place::new(cx, &shared, Keys::Hash);
    let (changed, same) = (deleted.another(Keys::Hash), deleted.another(Keys::Hash));
    let one = json!({"v": n(1)});
    for place in [&deleted, &changed, &same] {
        place.put(&one)?;
    }
    let name = &deleted.table.name;
    let two = json!({"v": n(2)});
    cx.db(
        "TransactWriteItems",
        json!({"TransactItems": [
            {"Delete": {"TableName": name, "Key": deleted.key}},
            {"Put": {"TableName": name, "Item": changed.item(&two)}},
            {"Update": {
                "TableName": name, "Key": same.key, "UpdateExpression": "SET v = :v",
                "ExpressionAttributeValues": {":v": n(1)},
            }},
        ]}),
    )?;
    let history = |place: &Place<'_>, after: Option<Value>| {
        let before = place.item(&one);
        let changes = [Change::between(None, Some(&before)), Change::between(Some(&before), after.as_ref())];
        place.check_history(&changes.into_iter().flatten().collect::<Vec<_>>()).map(drop)
    };
    history(&deleted, None).map_err(|stop| stop.during("the deleted item"))?;
    history(&changed, Some(changed.item(&two))).map_err(|stop| stop.during("the changed item"))?;
    history(&same, Some(same.item(&one))).map_err(|stop| stop.during("the item written as it was"))
}

fn cancelled(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let first = Place::new(cx, &shared, Keys::Hash);
    let second = first.another(Keys::Hash);
    let name = &first.table.name;
    let request = json!({"TransactItems": [
        {"Put": {"TableName": name, "Item": first.item(&json!({"v": n(1)}))}},
        {"Put": {
            "TableName": name, "Item": second.item(&json!({"v": n(1)})),
            "ConditionExpression": "attribute_exists(pk)",
        }},
    ]});
    cx.db_refused("TransactWriteItems", request)?.check("TransactionCanceledException", Text::Any)?;
    first.check_history(&[])?;
    second.check_history(&[]).map(drop)
}

fn cancelled_by_check(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let place = Place::new(cx, &shared, Keys::Hash);
    place.put(&json!({"v": n(1)}))?;
    let name = &place.table.name;
    let request = json!({"TransactItems": [
        {"Delete": {"TableName": name, "Key": place.key}},
        {"ConditionCheck": {
            "TableName": name, "Key": cx.own_key(Keys::Hash), "ConditionExpression": "attribute_exists(pk)",
        }},
    ]});
    cx.db_refused("TransactWriteItems", request)?.check("TransactionCanceledException", Text::Any)?;
    let inserted = Change::between(None, Some(&place.item(&json!({"v": n(1)}))));
    place.check_history(inserted.as_slice()).map(drop)
}

/// Returns a token that no other request has; at most 36 characters are allowed.
fn token(cx: &Context<'_>) -> String {
    let unique = cx.unique("k");
    unique[unique.len().saturating_sub(30)..].to_owned()
}

fn repeated_token(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let place = Place::new(cx, &shared, Keys::Hash);
    let add = json!({"Update": {
        "TableName": place.table.name, "Key": place.key, "UpdateExpression": "ADD v :one",
        "ExpressionAttributeValues": {":one": n(1)},
    }});
    let request = json!({"ClientRequestToken": token(cx), "TransactItems": [add]});
    for _ in 0..3 {
        cx.db("TransactWriteItems", request.clone())?;
    }
    let inserted = Change::between(None, Some(&place.item(&json!({"v": n(1)}))));
    place.check_history(inserted.as_slice()).map(drop)
}

fn mismatched_token(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let place = Place::new(cx, &shared, Keys::Hash);
    let token = token(cx);
    let request = |value: u32| {
        let item = place.item(&json!({"v": n(value)}));
        json!({
            "ClientRequestToken": token, "TransactItems": [{"Put": {"TableName": place.table.name, "Item": item}}],
        })
    };
    cx.db("TransactWriteItems", request(1))?;
    let refused = cx.db_refused("TransactWriteItems", request(2))?;
    refused.check("IdempotentParameterMismatchException", Text::Any)?;
    let inserted = Change::between(None, Some(&place.item(&json!({"v": n(1)}))));
    place.check_history(inserted.as_slice()).map(drop)
}

fn oversized_put(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::New, Keys::Hash)?;
    let small = Place::new(cx, &shared, Keys::Hash);
    let large = small.another(Keys::Hash);
    let name = &small.table.name;
    let request = json!({"TransactItems": [
        {"Put": {"TableName": name, "Item": small.item(&json!({"v": n(1)}))}},
        {"Put": {"TableName": name, "Item": large.item(&json!({"v": s("x".repeat(410_000))}))}},
    ]});
    cx.db_refused("TransactWriteItems", request)?.check_validation(Text::Any)?;
    small.check_history(&[])?;
    large.check_history(&[]).map(drop)
}

fn hundred_actions(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let actions: Vec<Value> = (0..100).map(|number| put(&table, &format!("{number:03}"), number)).collect();
    cx.db("TransactWriteItems", json!({"TransactItems": actions}))?;
    let records = cx.read_stream(&table.stream_arn, 100)?;
    let expected: Vec<String> = (0..100).map(|number| format!(r#"INSERT {{"S":"{number:03}"}}"#)).collect();
    check_eq!(summaries(&records), expected, "records");
    Ok(())
}

fn partiql_cancelled(cx: &Context<'_>) -> Outcome {
    let shared = cx.shared(View::Both, Keys::Hash)?;
    let there = Place::new(cx, &shared, Keys::Hash);
    let other = there.another(Keys::Hash);
    there.put(&json!({"v": n(1)}))?;
    let insert = |place: &Place<'_>| {
        json!({
            "Statement": format!("INSERT INTO \"{}\" VALUE {{'pk': ?, 'v': ?}}", place.table.name),
            "Parameters": [place.key["pk"], n(2)],
        })
    };
    // The second statement inserts what is there already.
    let request = json!({"TransactStatements": [insert(&other), insert(&there)]});
    cx.db_refused("ExecuteTransaction", request)?.check("TransactionCanceledException", Text::Any)?;
    other.check_history(&[])?;
    let inserted = Change::between(None, Some(&there.item(&json!({"v": n(1)}))));
    there.check_history(inserted.as_slice()).map(drop)
}

fn one_moment(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let actions: Vec<Value> = (0..20).map(|number| put(&table, &format!("{number:03}"), number)).collect();
    cx.db("TransactWriteItems", json!({"TransactItems": actions}))?;
    let records = cx.read_stream(&table.stream_arn, 20)?;
    let times: Vec<&Value> =
        records.iter().map(|record| &record.inner()["ApproximateCreationDateTime"]).collect();
    crate::check!(times.windows(2).all(|two| two[0] == two[1]), "times of one transaction: {times:?}");
    Ok(())
}
