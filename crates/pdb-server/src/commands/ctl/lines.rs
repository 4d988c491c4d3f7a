//! Answers for people.

use std::fmt::Write;

use serde_json::Value;

/// The time, whether it stands still, and the work that was done.
pub(super) fn clock(answer: &Value) -> String {
    let state = if answer["held"] == true { "held" } else { "running" };
    let mut text = format!("{} ({}), {state}\n", text(&answer["time"]), answer["epoch_millis"]);
    let done: Vec<String> = [
        ("rotated_shards", "rotated", "shard", "shards"),
        ("expired_items", "deleted", "expired item", "expired items"),
        ("trimmed_records", "trimmed", "record", "records"),
        ("dropped_shards", "dropped", "shard", "shards"),
        ("dropped_streams", "dropped", "stream", "streams"),
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

/// One shard a line: id, state, sequence numbers, parent.
pub(super) fn shards(answer: &Value) -> String {
    let mut lines = String::new();
    for shard in answer["shards"].as_array().into_iter().flatten() {
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

/// How many records went.
pub(super) fn trimmed(answer: &Value) -> String {
    match answer["records"].as_u64() {
        Some(1) => "trimmed 1 record\n".to_owned(),
        count => format!("trimmed {} records\n", count.unwrap_or_default()),
    }
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
    }

    #[test]
    fn trimmed_records_are_counted() {
        assert_eq!(trimmed(&json!({"records": 1})), "trimmed 1 record\n");
        assert_eq!(trimmed(&json!({"records": 0})), "trimmed 0 records\n");
    }
}
