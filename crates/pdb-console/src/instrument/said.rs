//! What the page says after something was done. Only numbers are in the address: with a text of its own there, a link could make the
//! page say anything.

use serde_json::Value;

use super::Area;
use super::action::Action;
use crate::shown::plural;

/// A sentence, and the part of the page where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) area: Area,
    pub(super) text: String,
}

/// Returns what to put into the address after an action with this answer.
pub(super) fn of(action: Action, answer: &Value) -> String {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let numbers: Vec<u64> = match action {
        Action::HoldClock | Action::RunClock | Action::SetClock | Action::AdvanceClock => {
            DONE.iter().map(|(member, ..)| number(&answer["done"][member])).collect()
        }
        Action::RotateShards | Action::SplitShards => vec![super::list(answer, "shards").len() as u64],
        Action::Trim => vec![number(&answer["records"])],
        Action::AddFault => vec![number(&answer["id"])],
        Action::RemoveFault | Action::ClearFaults => vec![number(&answer["removed"])],
        Action::SaveSnapshot | Action::RestoreSnapshot => {
            vec![number(&answer["snapshot"]["tables"]), number(&answer["snapshot"]["items"])]
        }
        Action::DeleteSnapshot => Vec::new(),
        Action::Reset => {
            let of_table = answer.get("items").map(|items| vec![number(items), number(&answer["records"])]);
            of_table.unwrap_or_default()
        }
    };
    numbers.iter().fold(action.name().to_owned(), |said, number| format!("{said}:{number}"))
}

/// The work that was due when the clock was moved: the member of the answer, what was done, to what.
const DONE: [(&str, &str, &str); 6] = [
    ("rotated_shards", "rotated", "shard"),
    ("expired_items", "deleted", "expired item"),
    ("trimmed_records", "trimmed", "record"),
    ("dropped_shards", "removed", "shard"),
    ("dropped_streams", "removed", "stream"),
    ("trimmed_changes", "trimmed", "old change"),
];

/// Returns the sentence that a part of an address stands for; `None` if it is not one of [`of`].
pub(super) fn text(said: &str) -> Option<Said> {
    let mut parts = said.split(':');
    let action = Action::named(parts.next()?)?;
    let numbers: Vec<u64> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let text = match (action, &numbers[..]) {
        (Action::HoldClock, done) => format!("The clock is held.{}", work(done)),
        (Action::RunClock, done) => format!("The clock runs.{}", work(done)),
        (Action::SetClock, done) => format!("The clock was set.{}", work(done)),
        (Action::AdvanceClock, done) => format!("The clock was moved forward.{}", work(done)),
        (Action::RotateShards, [shards]) => format!("Rotated: {}.", plural(*shards, "new shard")),
        (Action::SplitShards, [shards]) => format!("Split: {}.", plural(*shards, "new shard")),
        (Action::Trim, [records]) => format!("Trimmed {}.", plural(*records, "record")),
        (Action::AddFault, [id]) => format!("Added fault {id}."),
        (Action::RemoveFault, [_]) => "Removed the fault.".to_owned(),
        (Action::ClearFaults, [faults]) => {
            format!("Removed {}, and cleared the log.", plural(*faults, "fault"))
        }
        (Action::SaveSnapshot, [tables, items]) => {
            format!("Saved the snapshot: {}.", contents(*tables, *items))
        }
        (Action::RestoreSnapshot, [tables, items]) => {
            format!("Restored the snapshot: {}.", contents(*tables, *items))
        }
        (Action::DeleteSnapshot, []) => "Deleted the snapshot.".to_owned(),
        (Action::Reset, []) => "Removed everything.".to_owned(),
        (Action::Reset, [items, records]) => {
            format!("Removed {} and {}.", plural(*items, "item"), plural(*records, "stream record"))
        }
        _ => return None,
    };
    Some(Said { area: action.area(), text })
}

fn contents(tables: u64, items: u64) -> String {
    format!("{}, {}", plural(tables, "table"), plural(items, "item"))
}

/// Returns the sentence about the work that was due, if there was any.
fn work(numbers: &[u64]) -> String {
    let done = DONE.iter().zip(numbers).filter(|(_, number)| **number > 0);
    let done: Vec<String> =
        done.map(|((_, verb, what), number)| format!("{verb} {}", plural(*number, what))).collect();
    if done.is_empty() { String::new() } else { format!(" Work that was due: {}.", done.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_become_sentences() {
        let moved = json!({ "done": { "rotated_shards": 1, "trimmed_records": 24 } });
        for (action, answer, area, sentence) in [
            (Action::HoldClock, json!({ "done": {} }), Area::Clock, "The clock is held."),
            (
                Action::AdvanceClock,
                moved,
                Area::Clock,
                "The clock was moved forward. Work that was due: rotated 1 shard, trimmed 24 records.",
            ),
            (Action::SplitShards, json!({ "shards": [{}, {}] }), Area::Shards, "Split: 2 new shards."),
            (Action::Trim, json!({ "records": 3, "shards": 1 }), Area::Shards, "Trimmed 3 records."),
            (Action::AddFault, json!({ "id": 7 }), Area::Faults, "Added fault 7."),
            (
                Action::ClearFaults,
                json!({ "removed": 1 }),
                Area::Faults,
                "Removed 1 fault, and cleared the log.",
            ),
            (
                Action::SaveSnapshot,
                json!({ "snapshot": { "tables": 2, "items": 10 } }),
                Area::Snapshots,
                "Saved the snapshot: 2 tables, 10 items.",
            ),
            (Action::DeleteSnapshot, json!({ "deleted": "a" }), Area::Snapshots, "Deleted the snapshot."),
            (Action::Reset, json!({ "reset": "all" }), Area::Reset, "Removed everything."),
            (
                Action::Reset,
                json!({ "reset": "orders", "items": 1, "records": 2 }),
                Area::Reset,
                "Removed 1 item and 2 stream records.",
            ),
        ] {
            let said = Said { area, text: sentence.to_owned() };
            assert_eq!(text(&of(action, &answer)), Some(said), "{answer}");
        }
        for action in Action::ALL {
            assert!(text(&of(*action, &Value::Null)).is_some(), "{action:?}");
        }
    }

    #[test]
    fn an_address_cannot_make_the_page_say_anything_else() {
        for said in [
            "",
            "trim",
            "trim:",
            "trim:x",
            "trim:1:2",
            "trim:-1",
            "nonsense:1",
            "Send me your token",
            "reset:1",
        ] {
            assert_eq!(text(said), None, "{said}");
        }
    }
}
