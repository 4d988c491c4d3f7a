//! The life of a stream, and its four descriptions.

use serde_json::{Value, json};

use crate::case::{Group, Needs};
use crate::context::{Context, Keys, Table, create_request, stream_on};
use crate::outcome::Outcome;
use crate::record::{View, n, s};
use crate::{Reader, check, check_eq, fail, moment, shown};

pub(super) fn group() -> Group {
    let mut group = Group::new("lifecycle");
    for view in View::ALL {
        group.case(format!("create-with-{}", view.name()), &[1], move |cx| create_with(cx, view));
        group.case(format!("enable-later-{}", view.name()), &[1], move |cx| enable_later(cx, view));
    }
    group.case("answer-to-a-change-says-updating", &[1, 4], |cx| {
        let name = cx.plain_table(Keys::Hash)?.name;
        let request = json!({"TableName": name, "StreamSpecification": stream_on(View::New)});
        let updated = cx.db("UpdateTable", request)?;
        check_eq!(updated["TableDescription"]["TableStatus"], Value::from("UPDATING"), "TableStatus");
        cx.ready(&name).map(drop)
    });
    group.case("statuses-on-the-way", &[1, 4], statuses);
    group.case("create-without-stream-shows-no-stream", &[1], |cx| without_stream(cx, json!({})));
    group.case("create-with-stream-disabled-equals-none", &[1, 3], |cx| {
        without_stream(cx, json!({"StreamSpecification": {"StreamEnabled": false}}))
    });
    group.case("label-has-three-decimals-and-no-zone", &[2], |cx| {
        let label = cx.table(View::Keys, Keys::Hash)?.label;
        check!(moment::parse_label(&label).is_some(), "the label is `{label}`");
        Ok(())
    });
    group.case("label-is-the-creation-time", &[2], label_is_creation_time);
    group.case("label-is-about-now", &[2], label_is_about_now);
    group.case("arn-is-table-arn-and-label", &[2], arn_form);
    group.case("arn-survives-other-updates", &[1], arn_survives);
    group.case("key-schema-of-hash-and-range", &[1], key_schema);
    group.case("key-schema-never-has-index-keys", &[1], key_schema_with_indexes);
    group.case("disable-answer-and-description", &[4], disable_descriptions);
    group.case("disable-ends-all-shards", &[4], disable_ends_shards);
    group.case("disabled-stream-stays-readable", &[4], disabled_readable);
    group.case("writes-after-disable-make-no-records", &[4], writes_after_disable);
    group.case("enable-again-is-another-stream", &[5], enable_again);
    group.case("enable-again-lists-both", &[5], enable_again_lists_both);
    group.case("enable-again-keeps-contents-apart", &[5], enable_again_contents);
    group.case("enable-again-with-another-view-type", &[5], enable_again_other_view);
    group.case("delete-answer-has-no-stream-members", &[6], delete_answer);
    group.case("delete-makes-no-records", &[6], delete_makes_no_records);
    group.case("deleted-tables-stream-is-disabled-and-ended", &[6], deleted_stream_ends);
    group.case("deleted-tables-stream-stays-listed", &[6], deleted_stream_listed);
    group.case("deleted-tables-stream-keeps-name-and-keys", &[6], deleted_stream_description);
    group.case("same-name-again-is-another-stream", &[6], same_name_again);
    group.case("same-name-again-with-other-keys", &[6], same_name_other_keys);
    group.case("protected-table-keeps-its-stream", &[6, 3], protected_table);
    group.clock("disabled-stream-goes-after-24-hours", &[7], disabled_goes);
    group.clock("deleted-tables-stream-goes-after-24-hours", &[7], deleted_goes);
    group.clock("enabled-stream-never-goes", &[7], enabled_stays);
    group.case_that_needs(Needs::Server, "streams-survive-a-restart", &[13, 4], survive_restart);
    group
}

fn create_with(cx: &Context<'_>, view: View) -> Outcome {
    let name = cx.table_name();
    let created = cx.db("CreateTable", create_request(&name, Some(view), Keys::Hash))?;
    let created = &created["TableDescription"];
    check_eq!(created["StreamSpecification"], stream_on(view), "StreamSpecification of CreateTable");
    let table = cx.ready(&name)?;
    check_eq!(
        created["LatestStreamArn"],
        Value::from(table.stream_arn.clone()),
        "LatestStreamArn of CreateTable"
    );
    check_eq!(
        created["LatestStreamLabel"],
        Value::from(table.label.clone()),
        "LatestStreamLabel of CreateTable"
    );
    agree(cx, &table, view)
}

fn enable_later(cx: &Context<'_>, view: View) -> Outcome {
    let name = cx.plain_table(Keys::Hash)?.name;
    let request = json!({"TableName": name, "StreamSpecification": stream_on(view)});
    let updated = cx.db("UpdateTable", request)?;
    let updated = &updated["TableDescription"];
    check_eq!(updated["StreamSpecification"], stream_on(view), "StreamSpecification of UpdateTable");
    let table = cx.ready(&name)?;
    check_eq!(
        updated["LatestStreamArn"],
        Value::from(table.stream_arn.clone()),
        "LatestStreamArn of UpdateTable"
    );
    check_eq!(
        updated["LatestStreamLabel"],
        Value::from(table.label.clone()),
        "LatestStreamLabel of UpdateTable"
    );
    agree(cx, &table, view)
}

/// Fails unless DescribeTable, ListStreams and DescribeStream say the same of an enabled stream.
fn agree(cx: &Context<'_>, table: &Table, view: View) -> Outcome {
    let described = cx.describe_table(&table.name)?;
    check_eq!(described["StreamSpecification"], stream_on(view), "StreamSpecification of DescribeTable");
    let listed = cx.streams("ListStreams", json!({"TableName": table.name}))?;
    let entry = json!({"StreamArn": table.stream_arn, "TableName": table.name, "StreamLabel": table.label});
    check_eq!(listed["Streams"], json!([entry]), "Streams of ListStreams");
    check!(
        listed.get("LastEvaluatedStreamArn").is_none(),
        "a cursor behind the only page: {}",
        shown(&listed)
    );
    let stream = cx.describe_stream(&table.stream_arn)?;
    let expected = [
        ("StreamArn", Value::from(table.stream_arn.clone())),
        ("StreamLabel", table.label.clone().into()),
        ("TableName", table.name.clone().into()),
        ("StreamStatus", "ENABLED".into()),
        ("StreamViewType", view.name().into()),
        ("KeySchema", json!([{"AttributeName": "pk", "KeyType": "HASH"}])),
    ];
    for (member, value) in expected {
        check_eq!(stream[member], value, "{member} of DescribeStream");
    }
    let shards = cx.shards(&table.stream_arn)?;
    check!(!shards.is_empty(), "an enabled stream without shards");
    for shard in shards {
        check!(shard.is_open(), "a shard of a new stream is closed: {}", shown(&shard));
        check!(shard.parent().is_none(), "a shard of a new stream has a parent: {}", shown(&shard));
        check!(!shard.start().is_empty(), "a shard without StartingSequenceNumber: {}", shown(&shard));
    }
    Ok(())
}

fn without_stream(cx: &Context<'_>, more: Value) -> Outcome {
    let name = cx.table_name();
    let created =
        cx.db("CreateTable", crate::record::merged(&create_request(&name, None, Keys::Hash), &more))?;
    no_stream_members(&created["TableDescription"], "CreateTable")?;
    no_stream_members(&cx.wait_active(&name)?, "DescribeTable")?;
    let listed = cx.streams("ListStreams", json!({"TableName": name}))?;
    check_eq!(listed["Streams"], json!([]), "Streams of ListStreams");
    Ok(())
}

fn no_stream_members(description: &Value, of: &str) -> Outcome {
    for member in ["StreamSpecification", "LatestStreamArn", "LatestStreamLabel"] {
        check!(description.get(member).is_none(), "{of} has {member}: {}", shown(description));
    }
    Ok(())
}

fn label_is_creation_time(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let stream = cx.describe_stream(&table.stream_arn)?;
    let Some(seconds) = stream["CreationRequestDateTime"].as_f64() else {
        fail!("CreationRequestDateTime is {}", stream["CreationRequestDateTime"]);
    };
    let millis = format!("{:.0}", seconds * 1000.0);
    let label = moment::parse_label(&table.label).map(|at| at.to_string());
    check_eq!(
        Some(millis),
        label,
        "CreationRequestDateTime in milliseconds, against the label {}",
        table.label
    );
    Ok(())
}

fn label_is_about_now(cx: &Context<'_>) -> Outcome {
    // The label is the server's time; a server with a held or moved clock is measured by its own clock.
    let before = match &cx.field().control {
        Some(control) => control.clock()?.0,
        None => moment::now_millis(),
    };
    let label = cx.table(View::Keys, Keys::Hash)?.label;
    let Some(at) = moment::parse_label(&label) else { fail!("the label is `{label}`") };
    let age = at - before;
    check!((-120_000..600_000).contains(&age), "the label {label} is {age} ms from now");
    Ok(())
}

fn arn_form(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let table_arn = cx.describe_table(&table.name)?["TableArn"].clone();
    let expected = format!("{}/stream/{}", table_arn.as_str().unwrap_or_default(), table.label);
    check_eq!(table.stream_arn, expected, "LatestStreamArn");
    let parts: Vec<&str> = table.stream_arn.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts[..] else {
        fail!("the ARN is {}", table.stream_arn);
    };
    check!(
        arn == "arn" && partition.starts_with("aws") && service == "dynamodb" && !region.is_empty(),
        "the ARN is {}",
        table.stream_arn
    );
    check!(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()), "the account is `{account}`");
    check_eq!(resource, format!("table/{}/stream/{}", table.name, table.label), "the resource");
    check!(
        (37..=1024).contains(&table.stream_arn.len()),
        "the ARN has {} characters",
        table.stream_arn.len()
    );
    Ok(())
}

fn arn_survives(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let name = &table.name;
    let arn = cx.describe_table(name)?["TableArn"].clone();
    let tags = json!({"ResourceArn": arn, "Tags": [{"Key": "k", "Value": "v"}]});
    let tagged = cx.db_answer("TagResource", tags)?;
    check_eq!(tagged.status, 200, "status of TagResource ({})", tagged.text());
    let ttl = json!({"Enabled": true, "AttributeName": "expires"});
    cx.db("UpdateTimeToLive", json!({"TableName": name, "TimeToLiveSpecification": ttl}))?;
    cx.db("UpdateTable", json!({"TableName": name, "DeletionProtectionEnabled": true}))?;
    cx.wait_active(name)?;
    // A second toggle within 15 seconds is throttled by the service; the client repeats it.
    cx.db("UpdateTable", json!({"TableName": name, "DeletionProtectionEnabled": false}))?;
    cx.wait_active(name)?;
    let after = cx.ready(name)?;
    check_eq!(after.stream_arn, table.stream_arn, "LatestStreamArn");
    let listed = cx.streams("ListStreams", json!({"TableName": name}))?;
    check_eq!(listed["Streams"].as_array().map(Vec::len), Some(1), "number of streams");
    Ok(())
}

fn key_schema(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::HashAndRange)?;
    let expected =
        json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]);
    check_eq!(cx.describe_stream(&table.stream_arn)?["KeySchema"], expected, "KeySchema");
    Ok(())
}

fn key_schema_with_indexes(cx: &Context<'_>) -> Outcome {
    let definitions: Vec<Value> =
        ["g", "l", "pk", "sk"].map(|name| json!({"AttributeName": name, "AttributeType": "S"})).into();
    let schema = |hash: &str, range: &str| json!([{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    let more = json!({
        "AttributeDefinitions": definitions,
        "GlobalSecondaryIndexes": [
            {"IndexName": "by-g", "KeySchema": schema("g", "sk"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
        ],
        "LocalSecondaryIndexes": [
            {"IndexName": "by-l", "KeySchema": schema("pk", "l"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
        ],
    });
    let table = cx.create(&cx.table_name(), Some(View::Both), Keys::HashAndRange, more)?;
    check_eq!(cx.describe_stream(&table.stream_arn)?["KeySchema"], schema("pk", "sk"), "KeySchema");
    let item = json!({"pk": s("p"), "sk": s("s"), "g": s("g"), "l": s("l"), "other": n(1)});
    cx.put(&table.name, item.clone())?;
    let records = cx.read_stream(&table.stream_arn, 1)?;
    check_eq!(records.len(), 1, "records of one write to a table with two indexes");
    check_eq!(records[0].keys(), &json!({"pk": s("p"), "sk": s("s")}), "Keys");
    check_eq!(records[0].new_image(), Some(&item), "NewImage");
    Ok(())
}

fn disable_descriptions(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let request = json!({"TableName": table.name, "StreamSpecification": {"StreamEnabled": false}});
    let answer = cx.db("UpdateTable", request)?;
    let after = cx.wait_active(&table.name)?;
    for (description, of) in [(&answer["TableDescription"], "UpdateTable"), (&after, "DescribeTable")] {
        check!(description.get("StreamSpecification").is_none(), "{of} has a StreamSpecification");
        check_eq!(
            description["LatestStreamArn"],
            Value::from(table.stream_arn.clone()),
            "LatestStreamArn of {of}"
        );
        check_eq!(
            description["LatestStreamLabel"],
            Value::from(table.label.clone()),
            "LatestStreamLabel of {of}"
        );
    }
    let stream = cx.wait_stream_status(&table.stream_arn, "DISABLED")?;
    check_eq!(stream["StreamViewType"], Value::from("NEW_IMAGE"), "StreamViewType");
    Ok(())
}

fn disable_ends_shards(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.put(&table.name, json!({"pk": s("a")}))?;
    cx.disable(&table)?;
    for shard in cx.shards(&table.stream_arn)? {
        let Some(end) = shard.end() else { fail!("an open shard in a disabled stream: {}", shown(&shard)) };
        check!(
            crate::record::compare_numbers(shard.start(), end).is_le(),
            "the shard ends at {end} before its start {}",
            shard.start()
        );
    }
    Ok(())
}

fn disabled_readable(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    for key in ["a", "b", "c"] {
        cx.put(&table.name, json!({"pk": s(key)}))?;
    }
    cx.disable(&table)?;
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "the end of the stream", Reader::is_finished)?;
    check_eq!(reader.records().len(), 3, "records in the disabled stream");
    Ok(())
}

fn writes_after_disable(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.put(&table.name, json!({"pk": s("before")}))?;
    cx.disable(&table)?;
    cx.put(&table.name, json!({"pk": s("after")}))?;
    cx.settle();
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "the end of the stream", Reader::is_finished)?;
    let seen: Vec<String> = reader.records().iter().map(crate::Record::summary).collect();
    check_eq!(seen, [r#"INSERT {"S":"before"}"#], "records");
    Ok(())
}

fn enable_again(cx: &Context<'_>) -> Outcome {
    let old = cx.table(View::New, Keys::Hash)?;
    cx.disable(&old)?;
    let request = json!({"TableName": old.name, "StreamSpecification": stream_on(View::New)});
    let answer = cx.db("UpdateTable", request)?;
    let new = cx.ready(&old.name)?;
    check!(new.stream_arn != old.stream_arn, "the new stream has the ARN of the old one, {}", old.stream_arn);
    check!(new.label != old.label, "the new stream has the label of the old one, {}", old.label);
    let answered = &answer["TableDescription"]["LatestStreamArn"];
    check_eq!(answered, &Value::from(new.stream_arn.clone()), "LatestStreamArn of UpdateTable");
    check_eq!(
        cx.describe_stream(&old.stream_arn)?["StreamStatus"],
        Value::from("DISABLED"),
        "status of the old one"
    );
    Ok(())
}

fn listed_arns(cx: &Context<'_>, name: &str) -> Outcome<Vec<String>> {
    let listed = cx.streams("ListStreams", json!({"TableName": name}))?;
    let streams = listed["Streams"].as_array().cloned().unwrap_or_default();
    let mut arns: Vec<String> =
        streams.iter().map(|stream| stream["StreamArn"].as_str().unwrap_or_default().to_owned()).collect();
    arns.sort();
    Ok(arns)
}

fn sorted(mut arns: Vec<String>) -> Vec<String> {
    arns.sort();
    arns
}

fn enable_again_lists_both(cx: &Context<'_>) -> Outcome {
    let old = cx.table(View::New, Keys::Hash)?;
    cx.disable(&old)?;
    let new = cx.enable(&old.name, View::New)?;
    check_eq!(listed_arns(cx, &old.name)?, sorted(vec![old.stream_arn, new.stream_arn]), "streams listed");
    Ok(())
}

fn enable_again_contents(cx: &Context<'_>) -> Outcome {
    let old = cx.table(View::New, Keys::Hash)?;
    cx.put(&old.name, json!({"pk": s("first")}))?;
    cx.disable(&old)?;
    cx.put(&old.name, json!({"pk": s("between")}))?;
    let new = cx.enable(&old.name, View::New)?;
    cx.put(&old.name, json!({"pk": s("second")}))?;
    for (arn, expected) in [(&old.stream_arn, "first"), (&new.stream_arn, "second")] {
        let seen: Vec<String> = cx.read_stream(arn, 1)?.iter().map(crate::Record::summary).collect();
        check_eq!(seen, [format!(r#"INSERT {{"S":"{expected}"}}"#)], "records of {arn}");
    }
    Ok(())
}

fn enable_again_other_view(cx: &Context<'_>) -> Outcome {
    let old = cx.table(View::Keys, Keys::Hash)?;
    cx.put(&old.name, json!({"pk": s("x"), "n": n(1)}))?;
    cx.disable(&old)?;
    let new = cx.enable(&old.name, View::Old)?;
    cx.put(&old.name, json!({"pk": s("x"), "n": n(2)}))?;
    let records = cx.read_stream(&new.stream_arn, 1)?;
    check_eq!(records.len(), 1, "records of the new stream");
    check_eq!(records[0].event(), "MODIFY", "eventName");
    check_eq!(records[0].old_image(), Some(&json!({"pk": s("x"), "n": n(1)})), "OldImage");
    check_eq!(
        cx.describe_stream(&old.stream_arn)?["StreamViewType"],
        Value::from("KEYS_ONLY"),
        "the old view type"
    );
    check_eq!(
        cx.describe_stream(&new.stream_arn)?["StreamViewType"],
        Value::from("OLD_IMAGE"),
        "the new view type"
    );
    Ok(())
}

fn delete_answer(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let answer = cx.delete_table(&table.name)?;
    check_eq!(answer["TableDescription"]["TableStatus"], Value::from("DELETING"), "TableStatus");
    no_stream_members(&answer["TableDescription"], "DeleteTable")
}

fn delete_makes_no_records(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Both, Keys::Hash)?;
    for key in ["a", "b"] {
        cx.put(&table.name, json!({"pk": s(key)}))?;
    }
    cx.delete_table(&table.name)?;
    let mut reader = Reader::new(&table.stream_arn);
    cx.read_until(&mut reader, "the end of the stream", Reader::is_finished)?;
    let mut events: Vec<String> = reader.records().iter().map(|record| record.event().to_owned()).collect();
    events.sort();
    check_eq!(events, ["INSERT", "INSERT"], "records of the deleted table");
    Ok(())
}

fn deleted_stream_ends(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Both, Keys::Hash)?;
    cx.delete_table(&table.name)?;
    cx.wait_stream_status(&table.stream_arn, "DISABLED")?;
    for shard in cx.shards(&table.stream_arn)? {
        check!(!shard.is_open(), "an open shard in the stream of a deleted table: {}", shown(&shard));
    }
    Ok(())
}

fn deleted_stream_listed(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Both, Keys::Hash)?;
    cx.delete_table(&table.name)?;
    check_eq!(listed_arns(cx, &table.name)?, [table.stream_arn], "streams listed");
    Ok(())
}

fn deleted_stream_description(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Both, Keys::HashAndRange)?;
    let before = cx.describe_stream(&table.stream_arn)?;
    cx.delete_table(&table.name)?;
    let after = cx.wait_stream_status(&table.stream_arn, "DISABLED")?;
    for member in
        ["StreamArn", "StreamLabel", "TableName", "KeySchema", "StreamViewType", "CreationRequestDateTime"]
    {
        check_eq!(after[member], before[member], "{member} after the table was deleted");
    }
    Ok(())
}

fn same_name_again(cx: &Context<'_>) -> Outcome {
    let old = cx.table(View::New, Keys::Hash)?;
    cx.put(&old.name, json!({"pk": s("first")}))?;
    cx.delete_table(&old.name)?;
    let new = cx.create(&old.name, Some(View::New), Keys::Hash, json!({}))?;
    check!(new.stream_arn != old.stream_arn, "the new table's stream has the ARN of the old one");
    cx.put(&new.name, json!({"pk": s("second")}))?;
    let both = sorted(vec![old.stream_arn.clone(), new.stream_arn.clone()]);
    check_eq!(listed_arns(cx, &old.name)?, both, "streams listed");
    for (arn, expected) in [(&old.stream_arn, "first"), (&new.stream_arn, "second")] {
        let seen: Vec<String> = cx.read_stream(arn, 1)?.iter().map(crate::Record::summary).collect();
        check_eq!(seen, [format!(r#"INSERT {{"S":"{expected}"}}"#)], "records of {arn}");
    }
    Ok(())
}

fn same_name_other_keys(cx: &Context<'_>) -> Outcome {
    let old = cx.table(View::New, Keys::Hash)?;
    cx.delete_table(&old.name)?;
    let new = cx.create(&old.name, Some(View::Keys), Keys::HashAndRange, json!({}))?;
    let names = |description: Value| {
        let schema = description["KeySchema"].as_array().cloned().unwrap_or_default();
        schema
            .iter()
            .map(|key| key["AttributeName"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    check_eq!(names(cx.describe_stream(&old.stream_arn)?), ["pk"], "keys of the old stream");
    check_eq!(names(cx.describe_stream(&new.stream_arn)?), ["pk", "sk"], "keys of the new stream");
    Ok(())
}

fn protected_table(cx: &Context<'_>) -> Outcome {
    let more = json!({"DeletionProtectionEnabled": true});
    let table = cx.create(&cx.table_name(), Some(View::New), Keys::Hash, more)?;
    let refused = cx.db_refused("DeleteTable", json!({"TableName": table.name}))?;
    let checked = refused.check_validation(crate::Text::exact(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    ));
    let status = cx.describe_stream(&table.stream_arn)?["StreamStatus"].clone();
    // Without this the table could not be removed at the end.
    cx.db("UpdateTable", json!({"TableName": table.name, "DeletionProtectionEnabled": false}))?;
    cx.wait_active(&table.name)?;
    checked?;
    check_eq!(status, Value::from("ENABLED"), "StreamStatus");
    Ok(())
}

const HOUR: u64 = 3600;

/// Fails unless the stream is there before 24 hours have passed, and gone after.
fn goes_after_a_day(cx: &Context<'_>, table: &Table) -> Outcome {
    let clock = cx.control()?.hold()?;
    clock.advance(std::time::Duration::from_secs(23 * HOUR))?;
    check_eq!(
        cx.describe_stream(&table.stream_arn)?["StreamStatus"],
        Value::from("DISABLED"),
        "after 23 hours"
    );
    check!(listed_arns(cx, &table.name)?.contains(&table.stream_arn), "not listed after 23 hours");
    clock.advance(std::time::Duration::from_secs(HOUR + 60))?;
    let refused = cx.streams_refused("DescribeStream", json!({"StreamArn": table.stream_arn}))?;
    let text = format!("Requested resource not found: Stream: {} not found", table.stream_arn);
    refused.check("ResourceNotFoundException", crate::Text::exact(text))?;
    let listed = listed_arns(cx, &table.name)?;
    check!(!listed.contains(&table.stream_arn), "still listed after 24 hours");
    Ok(())
}

fn disabled_goes(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.put(&table.name, json!({"pk": s("a")}))?;
    cx.disable(&table)?;
    goes_after_a_day(cx, &table)
}

fn deleted_goes(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    cx.put(&table.name, json!({"pk": s("a")}))?;
    cx.delete_table(&table.name)?;
    cx.wait_stream_status(&table.stream_arn, "DISABLED")?;
    goes_after_a_day(cx, &table)
}

fn enabled_stays(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::New, Keys::Hash)?;
    let clock = cx.control()?.hold()?;
    clock.advance(std::time::Duration::from_secs(60 * HOUR))?;
    check_eq!(
        cx.describe_stream(&table.stream_arn)?["StreamStatus"],
        Value::from("ENABLED"),
        "after 60 hours"
    );
    cx.put(&table.name, json!({"pk": s("a")}))?;
    let records = cx.read_stream(&table.stream_arn, 1)?;
    check_eq!(records.len(), 1, "records after 60 hours");
    Ok(())
}

fn survive_restart(cx: &Context<'_>) -> Outcome {
    super::iterators::with_restart(cx, |cx, restart| {
        let disabled = cx.table(View::New, Keys::Hash)?;
        cx.put(&disabled.name, json!({"pk": s("a")}))?;
        cx.disable(&disabled)?;
        let enabled = cx.table(View::New, Keys::Hash)?;
        cx.put(&enabled.name, json!({"pk": s("b")}))?;
        let before = (cx.describe_stream(&disabled.stream_arn)?, cx.describe_stream(&enabled.stream_arn)?);
        restart(&mut |cx| {
            let after = (cx.describe_stream(&disabled.stream_arn)?, cx.describe_stream(&enabled.stream_arn)?);
            check_eq!(after, before, "descriptions after the restart");
            check_eq!(cx.read_stream(&disabled.stream_arn, 1)?.len(), 1, "records of the disabled stream");
            cx.put(&enabled.name, json!({"pk": s("c")}))?;
            check_eq!(cx.read_stream(&enabled.stream_arn, 2)?.len(), 2, "records of the enabled stream");
            Ok(())
        })
    })
}

fn statuses(cx: &Context<'_>) -> Outcome {
    let name = cx.plain_table(Keys::Hash)?.name;
    let changes = [
        (stream_on(View::New), ["ENABLING", "ENABLED"]),
        (json!({"StreamEnabled": false}), ["DISABLING", "DISABLED"]),
    ];
    for (specification, [on_the_way, at_last]) in changes {
        let answer =
            cx.db("UpdateTable", json!({"TableName": name, "StreamSpecification": specification}))?;
        let arn = answer["TableDescription"]["LatestStreamArn"].as_str().unwrap_or_default().to_owned();
        cx.wait(&format!("a stream in status {at_last}"), || {
            let status = cx.describe_stream(&arn)?["StreamStatus"].clone();
            check!(
                status == on_the_way || status == at_last,
                "StreamStatus is {status} on the way to {at_last}"
            );
            Ok((status == at_last).then_some(()))
        })?;
        cx.wait_active(&name)?;
        check_eq!(
            cx.describe_stream(&arn)?["StreamStatus"],
            Value::from(at_last),
            "StreamStatus of the active table"
        );
    }
    Ok(())
}
