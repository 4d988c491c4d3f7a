//! Operations on a live database, whose streams are replayed.
//!
//! An input that begins with a capital letter is a text with a request on each line: the name of the operation, and the body. All others are
//! decisions from which requests are made.

use std::time::Duration;

use pdb_wire::Operation;
use serde_json::Value;

use crate::Source;
use crate::database::{self, Live};
use crate::requests::{self, Memory};

/// The most requests of an input.
const MAX_REQUESTS: usize = 12;
/// How far an input may move the clock at once. All steps together are less than a day, so that no record is trimmed.
const MAX_STEP: Duration = Duration::from_secs(7_000);

/// The tables that every database begins with and whose streams contain whole items.
const REPLAYED: [&str; 2] = ["Orders", "Plain"];

pub(crate) fn run(input: &[u8]) {
    let mut run = Run::new();
    if input.first().is_some_and(u8::is_ascii_uppercase) {
        for line in input.split(|byte| *byte == b'\n').take(MAX_REQUESTS) {
            run.take_line(line);
        }
    } else {
        let mut source = Source::new(input);
        for _ in 0..MAX_REQUESTS {
            if source.is_empty() {
                break;
            }
            if source.once_in(16) {
                run.pass(MAX_STEP / u32::try_from(1 + source.below(8)).unwrap());
            } else {
                let (operation, body) = requests::request(&mut source, &run.memory);
                run.call(operation, &body.to_string());
            }
        }
    }
    run.check();
}

struct Run {
    live: Live,
    memory: Memory,
    /// All that requests can see of the database. It is read again when it may have changed.
    state: Option<Vec<String>>,
    /// The streams that the database began with.
    streams: Vec<String>,
}

impl Run {
    fn new() -> Self {
        let live = Live::new();
        let mut run = Self { live, memory: Memory::default(), state: None, streams: Vec::new() };
        for table in REPLAYED {
            run.call(Operation::DescribeTable, &format!(r#"{{"TableName":"{table}"}}"#));
        }
        run.streams = REPLAYED.iter().map(|table| run.stream(table).unwrap()).collect();
        for stream in run.streams.clone() {
            run.call(Operation::DescribeStream, &format!(r#"{{"StreamArn":"{stream}"}}"#));
        }
        run
    }

    /// Returns the ARN of the latest stream of a table.
    fn stream(&self, table: &str) -> Option<String> {
        let stream = self.live.db().latest_stream(&table.parse().unwrap());
        stream.ok().map(|arn| arn.to_string())
    }

    fn take_line(&mut self, line: &[u8]) {
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { return };
        let (name, body) = (&line[..space], &line[space + 1..]);
        let Some(operation) = std::str::from_utf8(name).ok().and_then(Operation::from_name) else { return };
        // What is not UTF-8 is refused like other bodies that are not JSON.
        match std::str::from_utf8(body) {
            Ok(body) => self.call(operation, body),
            Err(_) => {
                let answer = self.live.wire.call(pdb_wire::Request::of(operation, body)).answer().unwrap();
                assert_eq!(answer.status, 400, "{}", operation.name());
            }
        }
    }

    /// Moves the clock, and does what is due: items expire, shards rotate.
    fn pass(&mut self, time: Duration) {
        self.live.clock.advance(time);
        self.live.db().run_due_work().unwrap();
        self.state = None;
    }

    /// Makes a call and checks its answer. A call that was refused has changed nothing.
    fn call(&mut self, operation: Operation, body: &str) {
        let before = self.state.take().unwrap_or_else(|| self.read_state());
        let (status, text) = self.live.call(operation, body);
        let answer: Value = if text.is_empty() {
            Value::Object(serde_json::Map::new())
        } else {
            serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{error}: {text}\nfor {} {body}", operation.name()))
        };
        assert!(answer.is_object(), "{text}\nfor {} {body}", operation.name());
        if status == 200 {
            self.memory.note(&answer);
            self.state = is_read(operation).then_some(before);
            return;
        }
        assert_eq!(status, 400, "{text}\nfor {} {body}", operation.name());
        let code = answer["__type"].as_str().unwrap_or_default();
        assert!(code.contains('#') && !code.ends_with('#'), "{text}\nfor {} {body}", operation.name());
        let message = answer.get("message").or(answer.get("Message"));
        assert!(message.is_none_or(Value::is_string), "{text}\nfor {} {body}", operation.name());
        let after = self.read_state();
        assert_eq!(
            before,
            after,
            "{} {body}\nwas refused, and has changed something: {text}",
            operation.name()
        );
        self.state = Some(after);
    }

    /// Reads the definitions and items of all tables, and all stream records.
    fn read_state(&self) -> Vec<String> {
        let mut state = Vec::new();
        let (_, tables) = self.live.call(Operation::ListTables, "{}");
        let tables: Value = serde_json::from_str(&tables).unwrap();
        for table in tables["TableNames"].as_array().unwrap() {
            let name = table.as_str().unwrap();
            state.push(self.live.call(Operation::DescribeTable, &format!(r#"{{"TableName":"{name}"}}"#)).1);
            state.extend(database::items(&self.live.wire, name).unwrap_or_default());
        }
        for stream in self.live.db().all_streams().unwrap() {
            let changes = self.live.db().changes(&stream.to_string()).unwrap();
            state.extend(changes.iter().map(ToString::to_string));
        }
        state
    }

    fn check(&self) {
        database::check_sound(self.live.db());
        for (table, began_with) in REPLAYED.iter().zip(&self.streams) {
            // A table that was made anew, or has another stream, is left to the check of the database.
            if self.stream(table).as_ref() == Some(began_with)
                && database::items(&self.live.wire, table).is_some()
            {
                database::check_replay(&self.live.wire, table);
            }
        }
    }
}

/// Returns whether an operation only reads.
fn is_read(operation: Operation) -> bool {
    let name = operation.name();
    ["Get", "Describe", "List", "BatchGet", "TransactGet", "Query", "Scan", "Search"]
        .iter()
        .any(|verb| name.starts_with(verb))
}
