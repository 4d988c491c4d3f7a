//! Answers of commands, formatted for people.

use std::fmt::Write;

use serde_json::Value;

use crate::quantity;

/// Formats the time, the state of the clock, and the background work that was done.
pub(super) fn clock(answer: &Value) -> String {
    let state = match answer["speed"].as_f64() {
        _ if answer["held"] == true => "held".to_owned(),
        Some(speed) if speed != 1.0 => format!("running at {speed} times"),
        _ => "running".to_owned(),
    };
    let mut text = format!("{} ({}), {state}\n", text(&answer["time"]), answer["epoch_millis"]);
    let done: Vec<String> = [
        ("rotated_shards", "rotated", "shard", "shards"),
        ("expired_items", "deleted", "expired item", "expired items"),
        ("trimmed_records", "trimmed", "record", "records"),
        ("dropped_shards", "dropped", "shard", "shards"),
        ("dropped_streams", "dropped", "stream", "streams"),
        ("trimmed_changes", "trimmed", "old change", "old changes"),
    ]
    .into_iter()
    .filter_map(|(member, verb, one, many)| {
        let count = answer["done"][member].as_u64().filter(|count| *count > 0)?;
        Some(format!("{verb} {count} {}", if count == 1 { one } else { many }))
    })
    .collect();
    if !done.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", done.join(", "));
    }
    text
}

/// Formats one shard per line: ID, state, sequence numbers, parent. If there are several streams, each has its ARN
/// above its shards.
pub(super) fn shards(answer: &Value) -> String {
    let mut lines = String::new();
    let shards = || answer["shards"].as_array().into_iter().flatten();
    let are_many = shards().any(|shard| shard["stream_arn"] != answer["shards"][0]["stream_arn"]);
    let mut stream_arn = &Value::Null;
    for shard in shards() {
        if are_many && shard["stream_arn"] != *stream_arn {
            stream_arn = &shard["stream_arn"];
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{}", text(stream_arn));
        }
        let from = text(&shard["starting_sequence_number"]);
        let (state, range) = match shard["ending_sequence_number"].as_str() {
            Some(ending) => ("closed", format!("{from} to {ending}")),
            None => ("open", format!("{from} on")),
        };
        let parent = shard["parent_shard_id"]
            .as_str()
            .map(|parent| format!("  child of {parent}"))
            .unwrap_or_default();
        let _ = writeln!(lines, "{}  {state:<6}  {range}{parent}", text(&shard["shard_id"]));
    }
    lines
}

/// Formats the size of the database before and after.
pub(super) fn compacted(answer: &Value) -> String {
    format!("{} bytes before, {} bytes now\n", answer["bytes_before"], answer["bytes_after"])
}

/// Formats the number of removed records.
pub(super) fn trimmed(answer: &Value) -> String {
    format!("trimmed {}\n", counted(&answer["records"], "record"))
}

/// Formats a saved or restored snapshot, and the clock if it was set as well.
pub(super) fn snapshot(answer: &Value) -> String {
    let mut lines = summary(&answer["snapshot"]);
    if answer["time"].is_string() {
        lines.push_str(&clock(answer));
    }
    lines
}

/// Formats one snapshot per line.
pub(super) fn snapshots(answer: &Value) -> String {
    answer["snapshots"].as_array().into_iter().flatten().map(summary).collect()
}

/// Formats the name of a deleted snapshot.
pub(super) fn deleted(answer: &Value) -> String {
    format!("deleted {}\n", text(&answer["deleted"]))
}

/// Formats what was removed.
pub(super) fn reset(answer: &Value) -> String {
    match text(&answer["reset"]) {
        _ if answer["items"].is_null() => "removed everything\n".to_owned(),
        table => {
            let (items, records) = (&answer["items"], &answer["records"]);
            format!("removed {} and {} of {table}\n", counted(items, "item"), counted(records, "record"))
        }
    }
}

/// Formats how many changes were applied.
pub(super) fn replayed(answer: &Value) -> String {
    let (puts, deletes) = (counted(&answer["puts"], "put"), counted(&answer["deletes"], "delete"));
    format!("replayed into {}: {puts}, {deletes}\n", text(&answer["table"]))
}

/// Formats a snapshot: name, time, contents.
fn summary(snapshot: &Value) -> String {
    let taken = snapshot["taken"]["time"].as_str().unwrap_or("-");
    let (tables, items) = (counted(&snapshot["tables"], "table"), counted(&snapshot["items"], "item"));
    let bytes = counted(&snapshot["size_bytes"], "byte");
    format!("{}  {taken}  {tables}, {items}, {bytes}\n", text(&snapshot["name"]))
}

fn counted(count: &Value, what: &str) -> String {
    quantity::counted(count.as_u64().unwrap_or_default(), what)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_clock_has_a_line_and_its_work_another() {
        let mut answer =
            json!({"epoch_millis": 1_772_356_542_017_i64, "held": true, "time": "2026-03-01T09:15:42.017Z"});
        assert_eq!(clock(&answer), "2026-03-01T09:15:42.017Z (1772356542017), held\n");
        answer["held"] = false.into();
        answer["speed"] = 60.0.into();
        assert_eq!(clock(&answer), "2026-03-01T09:15:42.017Z (1772356542017), running at 60 times\n");
        answer["speed"] = 1.0.into();
        answer["done"] = json!({"rotated_shards": 1, "expired_items": 2, "trimmed_records": 0});
        let expected =
            "2026-03-01T09:15:42.017Z (1772356542017), running\nrotated 1 shard, deleted 2 expired items\n";
        assert_eq!(clock(&answer), expected);
    }

    #[test]
    fn a_shard_has_a_line() {
        let answer = json!({"shards": [
            {"shard_id": "a", "starting_sequence_number": "1", "ending_sequence_number": "2"},
            {"shard_id": "b", "parent_shard_id": "a", "starting_sequence_number": "3"},
        ]});
        assert_eq!(shards(&answer), "a  closed  1 to 2\nb  open    3 on  child of a\n");
        let answer = json!({"shards": [
            {"stream_arn": "x", "shard_id": "a", "starting_sequence_number": "1"},
            {"stream_arn": "x", "shard_id": "b", "starting_sequence_number": "2"},
            {"stream_arn": "y", "shard_id": "c", "starting_sequence_number": "1"},
        ]});
        assert_eq!(shards(&answer), "x\na  open    1 on\nb  open    2 on\ny\nc  open    1 on\n");
    }

    #[test]
    fn a_snapshot_has_a_line() {
        let mut answer = json!({"snapshot": {
            "name": "seeded", "taken": {"time": "2026-03-01T09:15:42.017Z"}, "tables": 1, "items": 2, "size_bytes": 4096,
        }});
        let line = "seeded  2026-03-01T09:15:42.017Z  1 table, 2 items, 4096 bytes\n";
        assert_eq!(snapshot(&answer), line);
        answer["time"] = "2026-03-01T09:15:42.017Z".into();
        answer["epoch_millis"] = 1_772_356_542_017_i64.into();
        assert_eq!(snapshot(&answer), format!("{line}2026-03-01T09:15:42.017Z (1772356542017), running\n"));
        let mut never = answer["snapshot"].clone();
        never["taken"] = Value::Null;
        let expected = format!("{line}seeded  -  1 table, 2 items, 4096 bytes\n");
        assert_eq!(snapshots(&json!({"snapshots": [answer["snapshot"], never]})), expected);
        assert_eq!(deleted(&json!({"deleted": "seeded"})), "deleted seeded\n");
    }

    #[test]
    fn a_replay_is_counted() {
        let answer = json!({"table": "Orders", "puts": 4, "deletes": 1});
        assert_eq!(replayed(&answer), "replayed into Orders: 4 puts, 1 delete\n");
    }

    #[test]
    fn a_reset_says_what_went() {
        assert_eq!(reset(&json!({"reset": "all"})), "removed everything\n");
        let answer = json!({"reset": "Orders", "items": 1, "records": 2});
        assert_eq!(reset(&answer), "removed 1 item and 2 records of Orders\n");
    }

    #[test]
    fn trimmed_records_are_counted() {
        assert_eq!(trimmed(&json!({"records": 1})), "trimmed 1 record\n");
        assert_eq!(trimmed(&json!({"records": 0})), "trimmed 0 records\n");
    }
}
