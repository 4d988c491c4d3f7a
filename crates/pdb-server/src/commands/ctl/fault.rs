//! `pretender ctl fault`.

use std::error::Error;
use std::fmt::Write;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use pdb_server::Span;
use pretender::faults::FaultKind;
use serde_json::{Map, Value, json};

use super::Show;
use crate::client::Control;
use crate::quantity::counted;

#[derive(Debug, Subcommand)]
pub(super) enum FaultCommand {
    /// Add a fault; prints it with its number
    Add(Add),
    /// List the faults, and how often each was injected
    List,
    /// List the latest 1,000 injections
    Log,
    /// Remove one fault; its injections stay in the log
    Remove {
        /// Number of the fault, as `list` shows it
        id: u64,
    },
    /// Remove all faults and clear the log
    Clear,
}

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Add {
    /// Kind of fault
    #[arg(value_parser = PossibleValuesParser::new(FaultKind::ALL.iter().map(|kind| kind.name())))]
    kind: String,
    /// Only for this operation, such as PutItem, or group of operations; can be repeated
    ///
    /// Groups: all, items, reads, writes, batches, transactions, statements, tables, streams.
    #[arg(long = "operation", short = 'o', value_name = "OPERATION")]
    operations: Vec<String>,
    /// Only for calls that name this table or one of its streams
    #[arg(long)]
    table: Option<String>,
    /// Probability that a call is affected: more than 0, at most 1
    #[arg(long, value_name = "P")]
    probability: Option<f64>,
    /// Stop after this many injections
    #[arg(long, value_name = "N")]
    times: Option<u64>,
    /// Let this many calls pass first
    #[arg(long, value_name = "N")]
    skip: Option<u64>,
    /// Seed of the random numbers: with the same seed, the same calls are affected
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How long a call waits, for latency: 200ms, or a range such as 100ms..2s
    #[arg(long, value_name = "TIME", value_parser = parse_delay)]
    delay: Option<String>,
    /// How many items of a batch are left unprocessed [default: half of them]
    #[arg(long, value_name = "N")]
    items: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  pretender ctl fault add throttling -o PutItem --times 3
  pretender ctl fault add drop-after -o writes --table orders
  pretender ctl fault add latency --delay 100ms..2s --probability 0.1

`pretender help faults` explains each kind.";

/// Checks a delay, one duration or a range, before the command is sent.
fn parse_delay(text: &str) -> Result<String, &'static str> {
    let is_length = |text: &str| matches!(text.parse(), Ok(Span(Some(_))));
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    if is_length(least) && is_length(most) {
        Ok(text.to_owned())
    } else {
        Err(
            "not a duration: expected a whole number followed by ms, s, m, h or d, such as 200ms, or two such as 100ms..2s",
        )
    }
}

impl FaultCommand {
    pub(super) fn send(self, client: &Control) -> Result<(Value, Show), Box<dyn Error>> {
        Ok(match self {
            Self::Add(add) => {
                (client.post("faults/add", &add.body())?, |answer| format!("{}\n", fault(answer)))
            }
            Self::List => (client.get("faults")?, faults),
            Self::Log => (client.get("faults")?, log),
            Self::Remove { id } => (client.post("faults/remove", &json!({ "id": id }))?, removed),
            Self::Clear => (client.post("faults/clear", &json!({}))?, removed),
        })
    }
}

impl Add {
    /// Returns the body of the command. The server checks the values.
    fn body(self) -> Value {
        let members = [
            ("table", self.table.map(Value::from)),
            ("probability", self.probability.map(Value::from)),
            ("times", self.times.map(Value::from)),
            ("skip", self.skip.map(Value::from)),
            ("seed", self.seed.map(Value::from)),
            ("delay", self.delay.map(Value::from)),
            ("items", self.items.map(Value::from)),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut body: Map<String, Value> = given.collect();
        body.insert("kind".to_owned(), self.kind.into());
        body.insert("operations".to_owned(), self.operations.into());
        body.into()
    }
}

/// Formats a fault: its settings, and how often it was injected.
fn fault(fault: &Value) -> String {
    let list = |member: &str| -> Vec<&str> {
        fault[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let mut line = format!("{}  {}", fault["id"], text(&fault["kind"]));
    let operations = list("operations");
    // Writing to a String cannot fail.
    if !operations.is_empty() {
        let _ = write!(line, "  on {}", operations.join(", "));
    }
    if let Some(table) = fault["table"].as_str() {
        let _ = write!(line, "  of {table}");
    }
    if let Some([least, most]) = fault["delay_millis"].as_array().map(Vec::as_slice) {
        let _ =
            if least == most { write!(line, "  {least}ms") } else { write!(line, "  {least}ms..{most}ms") };
    }
    for (member, word, usual) in [
        ("items", "items", Value::Null),
        ("probability", "probability", json!(1.0)),
        ("skip", "skip", json!(0)),
        ("times", "times", Value::Null),
        ("seed", "seed", json!(0)),
    ] {
        if fault[member] != usual {
            let _ = write!(line, "  {word} {}", fault[member]);
        }
    }
    let over = if fault["over"] == true { ", over" } else { "" };
    let _ = write!(line, "  ({} of {} calls{over})", fault["injected"], fault["matched"]);
    line
}

/// Formats one fault per line.
fn faults(answer: &Value) -> String {
    let all = answer["faults"].as_array().into_iter().flatten();
    let lines: String = all.map(|one| format!("{}\n", fault(one))).collect();
    if lines.is_empty() { "no faults\n".to_owned() } else { lines }
}

/// Formats one injection per line: time, fault, kind, operation, tables, details, request ID.
fn log(answer: &Value) -> String {
    let mut lines = String::new();
    if let Some(forgotten) = answer["forgotten"].as_u64().filter(|forgotten| *forgotten > 0) {
        let _ = writeln!(lines, "{forgotten} earlier injections are not shown");
    }
    for one in answer["injected"].as_array().into_iter().flatten() {
        let _ = write!(
            lines,
            "{}  {}  {}  {}",
            text(&one["time"]),
            one["fault"],
            text(&one["kind"]),
            text(&one["operation"])
        );
        for table in one["tables"].as_array().into_iter().flatten() {
            let _ = write!(lines, " {}", text(table));
        }
        for member in ["detail", "request_id"] {
            if let Some(said) = one[member].as_str() {
                let _ = write!(lines, "  {said}");
            }
        }
        lines.push('\n');
    }
    if lines.is_empty() { "no injections\n".to_owned() } else { lines }
}

fn removed(answer: &Value) -> String {
    format!("removed {}\n", counted(answer["removed"].as_u64().unwrap_or_default(), "fault"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_a_line() {
        let mut answer = json!({
            "id": 3, "kind": "throttling", "operations": [], "probability": 1.0, "skip": 0, "seed": 0,
            "matched": 0, "injected": 0, "over": false,
        });
        assert_eq!(fault(&answer), "3  throttling  (0 of 0 calls)");
        for (member, value) in [
            ("operations", json!(["PutItem", "reads"])),
            ("table", json!("Orders")),
            ("probability", json!(0.5)),
            ("times", json!(2)),
            ("skip", json!(1)),
            ("seed", json!(7)),
            ("matched", json!(9)),
            ("injected", json!(2)),
            ("over", json!(true)),
        ] {
            answer[member] = value;
        }
        let expected = "3  throttling  on PutItem, reads  of Orders  probability 0.5  skip 1  times 2  seed 7  (2 of 9 calls, over)";
        assert_eq!(faults(&json!({ "faults": [answer] })), format!("{expected}\n"));
        assert_eq!(faults(&json!({ "faults": [] })), "no faults\n");
    }

    #[test]
    fn an_injection_has_a_line() {
        let one = json!({
            "time": "2026-03-01T09:15:42.017Z", "fault": 3, "kind": "latency", "operation": "PutItem",
            "tables": ["Orders"], "detail": "20 ms", "request_id": "ABC",
        });
        assert_eq!(
            log(&json!({ "injected": [one], "forgotten": 2 })),
            "2 earlier injections are not shown\n2026-03-01T09:15:42.017Z  3  latency  PutItem Orders  20 ms  ABC\n"
        );
        assert_eq!(log(&json!({ "injected": [], "forgotten": 0 })), "no injections\n");
        assert_eq!(removed(&json!({"removed": 1})), "removed 1 fault\n");
        assert_eq!(removed(&json!({"removed": 0})), "removed 0 faults\n");
    }
}
