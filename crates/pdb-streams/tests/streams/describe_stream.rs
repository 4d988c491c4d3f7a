//! `DescribeStream`: members, paging, the filter for children.

use crate::harness::{DAY, Db, MILLISECOND};
use pdb_model::{ShardId, StreamStatus, StreamViewType};
use pdb_streams::{DescribeStreamInput, StreamOptions, StreamsError};
use std::time::Duration;

#[test]
fn a_fresh_stream_has_one_open_shard() {
    let db = Db::new();
    let arn = db.enable();
    let described = db.describe(&arn);
    assert_eq!(described.stream_arn, arn);
    assert_eq!(described.stream_label, arn.label);
    assert_eq!(described.table_name.as_str(), "orders");
    assert_eq!(described.stream_status, StreamStatus::Enabled);
    assert_eq!(described.stream_view_type, StreamViewType::NewAndOldImages);
    assert_eq!(described.creation_request_date_time, arn.label.moment());
    assert_eq!(described.key_schema, pdb_testkit::string_key("pk"));
    assert_eq!(described.last_evaluated_shard_id, None);
    let [shard] = &described.shards[..] else { panic!("one shard") };
    assert_eq!(shard.parent_shard_id, None);
    assert_eq!(shard.ending_sequence_number, None);
    assert!(shard.starting_sequence_number.to_string().len() >= 21);
}

#[test]
fn a_lineage_shows_in_order() {
    let db = Db::new();
    let arn = db.enable();
    let last = *db.write_all(&["a", "b"]).last().unwrap();
    db.rotate(false);
    db.rotate(true);
    let in_child = db.write("a");
    let shards = db.describe(&arn).shards;
    let ids: Vec<&ShardId> = shards.iter().map(|shard| &shard.shard_id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    let [first, idle, left, right] = &shards[..] else { panic!("four shards") };
    assert_eq!(first.ending_sequence_number, Some(last));
    // An idle closed shard ends where it starts.
    assert_eq!(idle.ending_sequence_number, Some(idle.starting_sequence_number));
    assert_eq!(idle.parent_shard_id.as_ref(), Some(&first.shard_id));
    for child in [left, right] {
        assert_eq!(child.parent_shard_id.as_ref(), Some(&idle.shard_id));
        assert_eq!(child.ending_sequence_number, None);
        assert!(child.starting_sequence_number > idle.starting_sequence_number);
        assert!(child.starting_sequence_number < in_child || left.starting_sequence_number < in_child);
    }
    assert!(idle.starting_sequence_number > last);
}

#[test]
fn a_disabled_stream_shows_its_shards_closed_until_it_is_purged() {
    let db = Db::new();
    let arn = db.enable();
    let last = db.write("a");
    db.disable();
    let described = db.describe(&arn);
    assert_eq!(described.stream_status, StreamStatus::Disabled);
    assert_eq!(described.shards[0].ending_sequence_number, Some(last));
    let second = {
        db.advance(MILLISECOND);
        db.enable()
    };
    assert_ne!(second, arn);
    assert_eq!(db.describe(&second).stream_status, StreamStatus::Enabled);
    db.advance(DAY - 2 * MILLISECOND);
    assert_eq!(db.describe(&arn).stream_status, StreamStatus::Disabled);
    db.advance(MILLISECOND);
    let error = db.streams.describe_stream(&DescribeStreamInput::new(arn.clone())).unwrap_err();
    assert_eq!(error.to_string(), format!("Requested resource not found: Stream: {arn} not found"));
    assert!(matches!(error, StreamsError::StreamNotFound(_)));
}

#[test]
fn pages_of_every_size_show_each_shard_once() {
    let db = Db::new();
    let arn = db.enable();
    for split in [false, true, true] {
        db.rotate(split);
    }
    let all = db.shard_ids(&arn);
    assert_eq!(all.len(), 8);
    for limit in 1..=9 {
        let mut seen = Vec::new();
        let mut input = DescribeStreamInput { limit: Some(limit), ..DescribeStreamInput::new(arn.clone()) };
        loop {
            let page = db.streams.describe_stream(&input).unwrap();
            let ids: Vec<ShardId> = page.shards.into_iter().map(|shard| shard.shard_id).collect();
            seen.extend(ids.clone());
            let Some(last) = page.last_evaluated_shard_id else { break };
            assert_eq!((ids.len(), Some(&last)), (limit as usize, ids.last()));
            input.exclusive_start_shard_id = Some(last);
        }
        assert_eq!(seen, all, "limit {limit}");
    }
}

#[test]
fn a_cursor_works_by_comparison() {
    let db = Db::new();
    let arn = db.enable();
    db.rotate(false);
    let ids = db.shard_ids(&arn);
    for (start, expected) in [
        ("shardId-00000000000000000000-00000000", 2),
        (ids[0].as_str(), 1),
        (ids[1].as_str(), 0),
        ("shardId-99999999999999999999-00000000", 0),
        ("anything of twenty-eight characters", 2),
    ] {
        let mut input = DescribeStreamInput::new(arn.clone());
        input.exclusive_start_shard_id = Some(start.parse().unwrap());
        let page = db.streams.describe_stream(&input).unwrap();
        assert_eq!(page.shards.len(), expected, "{start}");
    }
}

#[test]
fn children_are_found_by_their_parent() {
    let db = Db::new();
    let arn = db.enable();
    db.rotate(false);
    db.rotate(true);
    let ids = db.shard_ids(&arn);
    let children = |of: &ShardId, start: Option<&ShardId>, limit| {
        let input = DescribeStreamInput {
            children_of: Some(of.clone()),
            exclusive_start_shard_id: start.cloned(),
            limit,
            ..DescribeStreamInput::new(arn.clone())
        };
        let page = db.streams.describe_stream(&input).unwrap();
        let shown: Vec<ShardId> = page.shards.into_iter().map(|shard| shard.shard_id).collect();
        (shown, page.last_evaluated_shard_id)
    };
    assert_eq!(children(&ids[0], None, None), (vec![ids[1].clone()], None));
    assert_eq!(children(&ids[1], None, None), (ids[2..].to_vec(), None));
    assert_eq!(children(&ids[3], None, None), (Vec::new(), None));
    let unknown: ShardId = "shardId-00000000000000000000-00000000".parse().unwrap();
    assert_eq!(children(&unknown, None, None), (Vec::new(), None));
    // Filter, then cursor, then limit.
    assert_eq!(children(&ids[1], None, Some(1)), (vec![ids[2].clone()], Some(ids[2].clone())));
    assert_eq!(children(&ids[1], Some(&ids[2]), Some(1)), (vec![ids[3].clone()], None));
}

#[test]
fn limits_are_checked() {
    let db = Db::new();
    let arn = db.enable();
    for (limit, text) in [
        (
            0,
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: \
             Member must have value greater than or equal to 1",
        ),
        (101, "One or more parameter values were invalid: Limit cannot be greater than the maximum: 100"),
    ] {
        let input = DescribeStreamInput { limit: Some(limit), ..DescribeStreamInput::new(arn.clone()) };
        assert_eq!(db.streams.describe_stream(&input).unwrap_err().to_string(), text);
    }
}

#[test]
fn unknown_streams_are_not_found() {
    let db = Db::new();
    db.enable();
    for text in [
        "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2020-01-01T00:00:00.000",
        "arn:aws:dynamodb:us-east-1:000000000000:table/unknown/stream/2026-03-01T09:15:42.017",
        "arn:aws:dynamodb:eu-west-1:000000000000:table/orders/stream/2026-03-01T09:15:42.017",
    ] {
        let arn = pdb_streams::parse_stream_arn(text).unwrap();
        let error = db.streams.describe_stream(&DescribeStreamInput::new(arn)).unwrap_err();
        assert_eq!(error.to_string(), format!("Requested resource not found: Stream: {text} not found"));
    }
    let error =
        pdb_streams::parse_stream_arn("arn:aws:dynamodb:us-east-1:000000000000:table/orders").unwrap_err();
    assert_eq!(error.to_string(), "Invalid StreamArn");
}

#[test]
fn transitions_can_be_made_to_last() {
    let second = Duration::from_secs(1);
    let db = Db::with(StreamOptions { transition_delay: second, ..Default::default() });
    let arn = db.enable();
    let described = db.describe(&arn);
    assert_eq!((described.stream_status, described.shards.len()), (StreamStatus::Enabling, 0));
    db.advance(second);
    let described = db.describe(&arn);
    assert_eq!((described.stream_status, described.shards.len()), (StreamStatus::Enabled, 1));
    db.disable();
    assert_eq!(db.describe(&arn).stream_status, StreamStatus::Disabling);
    db.advance(second);
    assert_eq!(db.describe(&arn).stream_status, StreamStatus::Disabled);
}
