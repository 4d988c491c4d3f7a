//! Exports of streams: lines that a user hands back, to compare with a stream or to replay.

use pretender::model::TableName;

use crate::database::{self, Live};

pub(crate) fn run(input: &[u8]) {
    let mut changes = Vec::new();
    for line in pdb_assert::import(input) {
        match line {
            Ok((_, change)) => changes.push(change),
            Err(error) => assert!(error.line() >= 1 && error.line() <= 1 + lines(input), "{error}"),
        }
    }
    for change in &changes {
        let shown = change.to_string();
        // A change may be written by hand; what is shown of it is bounded.
        assert!(
            shown.len() <= 64 * (input.len() + 100),
            "{} bytes are shown of {} bytes",
            shown.len(),
            input.len()
        );
    }
    let live = Live::new();
    let table: TableName = "Orders".parse().unwrap();
    let _: Result<_, _> = live.db().replay(&table, input);
    database::check_sound(live.db());
    database::check_replay(&live.wire, "Orders");
}

fn lines(input: &[u8]) -> u64 {
    input.iter().filter(|byte| **byte == b'\n').count() as u64
}
