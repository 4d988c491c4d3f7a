//! Database files: snapshots that are restored, and files that are opened and checked, damaged or made up.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use pdb_wire::{Operation, Request, Wire};
use pretender::Pretender;
use pretender::maintenance;

use crate::Source;
use crate::database::{self, Live};

/// The most edits of a file.
const MAX_EDITS: usize = 6;

/// A sound file with tables, items, indexes and streams.
fn sound() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let live = Live::new();
        for number in 0..40 {
            let item = format!(
                r#"{{"TableName":"Orders","Item":{{"pk":{{"S":"{}"}},"sk":{{"N":"{number}"}},"a":{{"S":"x"}},"n":{{"N":"1"}},"v":{{"S":"{}"}}}}}}"#,
                number % 3,
                "v".repeat(number * 20),
            );
            assert_eq!(live.call(Operation::PutItem, &item).0, 200);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sound.db");
        live.db().save_snapshot_file(&file).unwrap();
        fs::read(file).unwrap()
    })
}

pub(crate) fn run(input: &[u8]) {
    let bytes =
        if input.starts_with(b"SQLite format 3") { input.to_vec() } else { damaged(&mut Source::new(input)) };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.db");
    fs::write(&file, &bytes).unwrap();
    let is_sound = check_file(&file);
    check_restore(&file);
    open(&file);
    if bytes == sound() {
        assert!(is_sound, "the file is sound, and the check says it is not");
    }
}

/// The sound file after some edits.
fn damaged(source: &mut Source<'_>) -> Vec<u8> {
    let mut bytes = sound().to_vec();
    for _ in 0..source.below(MAX_EDITS + 1) {
        // Much of what decides is in the first page, and at the beginning of every page.
        let page = source.below(bytes.len() / 4_096 + 1) * 4_096;
        let at = match source.below(4) {
            0 => source.below(100),
            1 => page + source.below(12),
            2 => page + source.below(4_096),
            _ => source.below(bytes.len() + 1),
        };
        match source.below(6) {
            0 => bytes.truncate(at),
            1 => {
                let copied: Vec<u8> = bytes.iter().skip(page).take(4_096).copied().collect();
                overwrite(&mut bytes, at / 4_096 * 4_096, &copied);
            }
            2 => overwrite(&mut bytes, at, &[0; 64]),
            3 => bytes.extend(source.bytes(32)),
            _ => {
                let new = source.bytes(8);
                overwrite(&mut bytes, at, &new);
            }
        }
    }
    bytes
}

fn overwrite(bytes: &mut [u8], at: usize, new: &[u8]) {
    for (old, new) in bytes.iter_mut().skip(at).zip(new) {
        *old = *new;
    }
}

/// Checks the file without opening it for work; returns whether it is sound.
fn check_file(file: &Path) -> bool {
    let before = fs::read(file).unwrap();
    let report = maintenance::check(&Pretender::builder().file(file), &mut |_| {});
    assert!(before == fs::read(file).unwrap(), "a check has written to the file");
    report.is_ok_and(|report| report.is_sound())
}

/// Restores the file in a database: all of it, or nothing.
fn check_restore(file: &Path) {
    let live = Live::new();
    let item = r#"{"TableName":"Plain","Item":{"pk":{"S":"kept"}}}"#;
    assert_eq!(live.call(Operation::PutItem, item).0, 200);
    let before = database::items(&live.wire, "Plain");
    if live.db().restore_snapshot_file(file).is_err() {
        assert_eq!(
            database::items(&live.wire, "Plain"),
            before,
            "a file that was refused has changed the database"
        );
        database::check_sound(live.db());
    }
}

/// Opens the file, and reads and writes. Any answer will do that is one.
fn open(file: &Path) {
    let Ok(db) = Pretender::builder().file(file).sweep_interval(None).open() else { return };
    let wire = Wire::new(db);
    for (operation, body) in [
        (Operation::ListTables, "{}"),
        (Operation::Scan, r#"{"TableName":"Orders"}"#),
        (Operation::Scan, r#"{"TableName":"Orders","IndexName":"global"}"#),
        (Operation::PutItem, r#"{"TableName":"Orders","Item":{"pk":{"S":"1"},"sk":{"N":"1"}}}"#),
        (Operation::DeleteItem, r#"{"TableName":"Orders","Key":{"pk":{"S":"2"},"sk":{"N":"2"}}}"#),
        (Operation::ListStreams, "{}"),
        (Operation::DescribeTable, r#"{"TableName":"Orders"}"#),
    ] {
        let answer = wire.call(Request::of(operation, body)).answer().unwrap();
        let _: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    }
    let _: Result<_, _> = wire.pretender().changes("Orders");
    wire.pretender().close();
}
