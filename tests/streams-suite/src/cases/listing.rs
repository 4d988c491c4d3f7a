//! Paging of ListStreams and DescribeStream.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::Group;
use crate::context::{Context, Keys};
use crate::outcome::Outcome;
use crate::record::{Shard, View};
use crate::{check, check_eq, fail, shown};

pub(super) fn group() -> Group {
    let mut group = Group::new("listing");
    group.case("unknown-table-has-no-streams", &[8], |cx| {
        let listed = cx.streams("ListStreams", json!({"TableName": cx.unique("absent")}))?;
        check_eq!(listed, json!({"Streams": []}), "the answer");
        Ok(())
    });
    group.case("table-without-stream-has-no-streams", &[8], |cx| {
        let listed = cx.streams("ListStreams", json!({"TableName": cx.plain_table(Keys::Hash)?.name}))?;
        check_eq!(listed, json!({"Streams": []}), "the answer");
        Ok(())
    });
    group.case("streams-one-by-one", &[8], streams_one_by_one);
    group.case("streams-in-pages-of-two", &[8], streams_in_pages_of_two);
    group.case("cursor-is-the-arn-of-the-last-stream", &[8], stream_cursor);
    group.case("all-streams-of-the-account-are-listed", &[8], all_streams);
    group.case("entries-have-exactly-three-members", &[8, 33], entries);
    group.case("cursor-of-a-deleted-table", &[8], deleted_cursor);
    group.case("listing-by-table-is-not-by-prefix", &[8], not_by_prefix);
    group.case("limit-of-100-is-accepted", &[8], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        cx.streams("ListStreams", json!({"Limit": 100}))?;
        cx.streams("DescribeStream", json!({"StreamArn": table.stream_arn, "Limit": 100})).map(drop)
    });
    group.case("null-members-count-as-absent", &[8, 33], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let request = json!({"TableName": table.name, "Limit": null, "ExclusiveStartStreamArn": null});
        let listed = cx.streams("ListStreams", request)?;
        check_eq!(listed["Streams"].as_array().map(Vec::len), Some(1), "streams");
        Ok(())
    });
    group.case("unknown-members-are-ignored", &[8], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let listed = cx.streams("ListStreams", json!({"TableName": table.name, "Colour": "blue"}))?;
        check_eq!(listed["Streams"].as_array().map(Vec::len), Some(1), "streams");
        Ok(())
    });
    group.case("cursor-behind-the-last-shard", &[8], behind_the_last_shard);
    group.case("cursor-that-is-no-shard", &[8], |cx| {
        let table = cx.table(View::Keys, Keys::Hash)?;
        let last = "shardId-99999999999999999999-ffffffff";
        let request = json!({"StreamArn": table.stream_arn, "ExclusiveStartShardId": last});
        let answer = cx.streams("DescribeStream", request)?;
        check_eq!(answer["StreamDescription"]["Shards"], json!([]), "Shards");
        Ok(())
    });
    group
        .case("cursor-before-the-first-shard", &[8], |cx| {
            let table = cx.table(View::Keys, Keys::Hash)?;
            let first = "shardId-00000000000000000000-00000000";
            let request = json!({"StreamArn": table.stream_arn, "ExclusiveStartShardId": first});
            let answer = cx.streams("DescribeStream", request)?;
            check_eq!(answer["StreamDescription"]["Shards"], shard_values(cx, &table.stream_arn)?, "Shards");
            Ok(())
        })
        .inferred();
    group.control("shards-one-by-one", &[8], |cx| shards_in_pages(cx, 1));
    group.control("shards-in-pages-of-three", &[8], |cx| shards_in_pages(cx, 3));
    group.control("shards-are-listed-in-order-of-id", &[8, 26], shards_in_order);
    group
}

fn shard_values(cx: &Context<'_>, arn: &str) -> Outcome<Value> {
    Ok(Value::Array(cx.shards(arn)?.into_iter().map(|Shard(shard)| shard).collect()))
}

/// Makes a table with three streams, two of them disabled; returns its name and the ARNs.
fn three_streams(cx: &Context<'_>) -> Outcome<(String, BTreeSet<String>)> {
    let mut table = cx.table(View::Keys, Keys::Hash)?;
    let mut arns = BTreeSet::from([table.stream_arn.clone()]);
    for _ in 0..2 {
        cx.disable(&table)?;
        table = cx.enable(&table.name, View::Keys)?;
        arns.insert(table.stream_arn.clone());
    }
    check_eq!(arns.len(), 3, "different ARNs");
    Ok((table.name, arns))
}

/// Returns the pages of ListStreams, each with its cursor.
fn pages(cx: &Context<'_>, mut request: Value) -> Outcome<Vec<(Vec<String>, Option<String>)>> {
    let mut pages = Vec::new();
    loop {
        let answer = cx.streams("ListStreams", request.clone())?;
        let Some(streams) = answer["Streams"].as_array() else { fail!("no Streams in {}", shown(&answer)) };
        let arns = streams
            .iter()
            .map(|stream| stream["StreamArn"].as_str().unwrap_or_default().to_owned())
            .collect();
        let cursor = answer["LastEvaluatedStreamArn"].as_str().map(str::to_owned);
        pages.push((arns, cursor.clone()));
        match cursor {
            Some(cursor) => request["ExclusiveStartStreamArn"] = cursor.into(),
            None => return Ok(pages),
        }
        check!(pages.len() < 10_000, "ListStreams does not come to an end");
    }
}

fn check_pages(cx: &Context<'_>, limit: usize) -> Outcome {
    let (name, arns) = three_streams(cx)?;
    let pages = pages(cx, json!({"TableName": name, "Limit": limit}))?;
    for (page, cursor) in &pages {
        check!(page.len() <= limit, "a page of {} with Limit {limit}", page.len());
        // The service may stop at a full page that is the last and show an empty one then.
        check!(cursor.is_none() || page.len() == limit, "a cursor behind a page that is not full");
    }
    let listed: Vec<String> = pages.into_iter().flat_map(|(page, _)| page).collect();
    check_eq!(listed.len(), arns.len(), "streams over all pages");
    check_eq!(listed.into_iter().collect::<BTreeSet<_>>(), arns, "streams over all pages");
    Ok(())
}

fn streams_one_by_one(cx: &Context<'_>) -> Outcome {
    check_pages(cx, 1)
}

fn streams_in_pages_of_two(cx: &Context<'_>) -> Outcome {
    check_pages(cx, 2)
}

fn stream_cursor(cx: &Context<'_>) -> Outcome {
    let (name, _) = three_streams(cx)?;
    let pages = pages(cx, json!({"TableName": name, "Limit": 2}))?;
    check_eq!(pages[0].0.len(), 2, "streams on the first page");
    check_eq!(pages[0].1.as_ref(), pages[0].0.last(), "LastEvaluatedStreamArn of the first page");
    Ok(())
}

fn all_streams(cx: &Context<'_>) -> Outcome {
    let enabled = cx.table(View::Keys, Keys::Hash)?;
    let disabled = cx.table(View::Keys, Keys::Hash)?;
    cx.disable(&disabled)?;
    let deleted = cx.table(View::Keys, Keys::Hash)?;
    cx.delete_table(&deleted.name)?;
    let listed: Vec<String> = pages(cx, json!({}))?.into_iter().flat_map(|(page, _)| page).collect();
    for (table, what) in [(&enabled, "enabled"), (&disabled, "disabled"), (&deleted, "deleted table's")] {
        let times = listed.iter().filter(|arn| **arn == table.stream_arn).count();
        check_eq!(times, 1, "how often the {what} stream is listed");
    }
    Ok(())
}

fn entries(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let listed = cx.streams("ListStreams", json!({"TableName": table.name}))?;
    let entry = json!({"StreamArn": table.stream_arn, "TableName": table.name, "StreamLabel": table.label});
    check_eq!(listed, json!({"Streams": [entry]}), "the answer");
    Ok(())
}

fn deleted_cursor(cx: &Context<'_>) -> Outcome {
    let (name, arns) = three_streams(cx)?;
    let first = cx.streams("ListStreams", json!({"TableName": name, "Limit": 1}))?;
    let cursor = first["LastEvaluatedStreamArn"].clone();
    cx.delete_table(&name)?;
    let rest: Vec<String> = pages(cx, json!({"TableName": name, "ExclusiveStartStreamArn": cursor}))?
        .into_iter()
        .flat_map(|(page, _)| page)
        .collect();
    let mut expected = arns;
    expected.remove(first["Streams"][0]["StreamArn"].as_str().unwrap_or_default());
    check_eq!(rest.len(), expected.len(), "streams behind the cursor");
    check_eq!(rest.into_iter().collect::<BTreeSet<_>>(), expected, "streams behind the cursor");
    Ok(())
}

fn not_by_prefix(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let prefix = &table.name[..table.name.len() - 1];
    let listed = cx.streams("ListStreams", json!({"TableName": prefix}))?;
    let streams = listed["Streams"].as_array().cloned().unwrap_or_default();
    check!(
        streams.iter().all(|stream| stream["TableName"] == prefix),
        "streams of other tables: {}",
        shown(&streams)
    );
    Ok(())
}

fn behind_the_last_shard(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    let shards = cx.shards(&table.stream_arn)?;
    let last = shards.last().map(Shard::id);
    let request = json!({"StreamArn": table.stream_arn, "ExclusiveStartShardId": last});
    let answer = cx.streams("DescribeStream", request)?;
    let description = &answer["StreamDescription"];
    check_eq!(description["Shards"], json!([]), "Shards");
    check!(description.get("LastEvaluatedShardId").is_none(), "a cursor behind the last page");
    check_eq!(description["StreamStatus"], Value::from("ENABLED"), "StreamStatus");
    Ok(())
}

fn shards_in_pages(cx: &Context<'_>, limit: usize) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    for _ in 0..4 {
        cx.control()?.rotate(&table.stream_arn, None)?;
    }
    let all = cx.shards(&table.stream_arn)?;
    check!(all.len() >= 5, "{} shards after four rotations", all.len());
    let mut seen: Vec<Shard> = Vec::new();
    let mut request = json!({"StreamArn": table.stream_arn, "Limit": limit});
    loop {
        let answer = cx.streams("DescribeStream", request.clone())?;
        let description = &answer["StreamDescription"];
        let page: Vec<Shard> =
            description["Shards"].as_array().cloned().unwrap_or_default().into_iter().map(Shard).collect();
        check!(page.len() <= limit, "a page of {} shards with Limit {limit}", page.len());
        let last = page.last().map(|shard| shard.id().to_owned());
        seen.extend(page);
        match description["LastEvaluatedShardId"].as_str() {
            Some(cursor) => {
                check_eq!(
                    Some(cursor.to_owned()),
                    last,
                    "LastEvaluatedShardId, against the last shard of the page"
                );
                request["ExclusiveStartShardId"] = cursor.into();
            }
            None => break,
        }
        check!(seen.len() <= all.len(), "DescribeStream does not come to an end");
    }
    check_eq!(seen, all, "shards over all pages");
    Ok(())
}

fn shards_in_order(cx: &Context<'_>) -> Outcome {
    let table = cx.table(View::Keys, Keys::Hash)?;
    cx.control()?.split(&table.stream_arn, None)?;
    cx.control()?.rotate(&table.stream_arn, None)?;
    let ids: Vec<String> = cx.shards(&table.stream_arn)?.iter().map(|shard| shard.id().to_owned()).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    check_eq!(ids, sorted, "the order of the shards");
    Ok(())
}
