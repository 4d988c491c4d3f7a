//! Kills of a server at random moments, while many writers write, a consumer reads, and shards and tables come and go.
//!
//! A kill of the process loses nothing, whatever the durability: what was written is with the operating system.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::campaign::{Outcome, Part, check_file, pause};
use crate::consumer::Consumer;
use crate::dice::Dice;
use crate::door::{Door, Http};
use crate::ledger::Ledger;
use crate::seen::Seen;
use crate::server::Server;
use crate::verify::verify;
use crate::writer::{Habits, OnError, TABLE, Writer, create_table};

/// Kills of one file, before a new one is begun: the stream is read from its beginning after each.
const KILLS_A_FILE: u64 = 12;

/// Runs this part.
pub(crate) fn run(part: &mut Part) -> Outcome {
    while part.budget.goes_on(part.counted("kills")) {
        one_file(part)?;
        part.count("files", 1);
    }
    Ok(())
}

fn one_file(part: &mut Part) -> Outcome {
    let file = part.fresh("kills")?.join("torture.db");
    let database = file.display().to_string();
    let mut dice = part.dice.split();
    let server = Server::start(&part.server, &database, &[])?;
    create_table(&server.door)?;
    let mut before = Seen::of(&server.door)?;
    let mut consumer = Consumer::default();
    let mut next_op = 1;
    server.kill();
    for _ in 0..KILLS_A_FILE {
        if dice.one_of(5) {
            Server::start_and_kill(&part.server, &database, Duration::from_micros(dice.spread(200, 60_000)))?;
            part.count("kills", 1);
            part.count("kills while it starts", 1);
        }
        let durability = *dice.pick(&["full", "normal", "normal", "off"]);
        let shards = *dice.pick(&["1", "2"]);
        let server =
            Server::start(&part.server, &database, &["--durability", durability, "--shards", shards])?;
        let ledger = Ledger::starting_at(next_op, None);
        let after = Duration::from_millis(dice.spread(3, 400));
        let writers = dice.spread(4, 16);
        one_kill(server, &ledger, &mut consumer, writers, after, &mut dice)?;
        part.count("kills", 1);
        part.count("kills under load", 1);
        next_op = ledger.next_op();
        part.count("acknowledged steps", ledger.done());

        // As the kill has left it, log and all.
        check_file(&file)?;
        let server = Server::start(&part.server, &database, &[])?;
        let now = Seen::of(&server.door)?;
        verify(&before, &now, &ledger.steps(), &|_| true)?;
        consumer.finish(&server.door, &now, &std::collections::BTreeSet::new())?;
        before = now;
        part.count("verifications", 1);
        server.kill();
        part.count("kills", 1);
    }
    part.count("records", before.records().count() as u64);
    Ok(())
}

/// Lets writers write and a consumer read, and kills the server.
fn one_kill(
    server: Server,
    ledger: &Ledger,
    consumer: &mut Consumer,
    writers: u64,
    after: Duration,
    dice: &mut Dice,
) -> Outcome {
    let door = server.door.clone();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (door, stop) = (&door, &stop);
        let working: Vec<_> = (0..writers)
            .map(|number| {
                let habits = Habits {
                    steps: u64::MAX,
                    on_error: OnError::End,
                    longest: if number == 0 { 30_000 } else { 2_000 },
                };
                let writer = Writer { number, door, ledger, dice: dice.split(), habits };
                scope.spawn(move || writer.work(stop))
            })
            .collect();
        let mut meddling = dice.split();
        scope.spawn(move || meddle(door, &mut meddling, stop));
        scope.spawn(move || {
            // Until the server is gone. What a poll has got by then, it has got.
            while !stop.load(Ordering::Acquire) && consumer.poll(door).is_ok() {}
        });
        pause(after);
        server.kill();
        stop.store(true, Ordering::Release);
        working
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|_| Err("a writer panicked".to_owned())))
    })
}

/// Has shards split and rotated, and tables, indexes and streams come and go, until the server is gone.
fn meddle(door: &Http, dice: &mut Dice, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        let table = format!("Side{}", dice.below(3));
        // Each may be refused: the table may be there already, or not.
        match dice.below(12) {
            0 => drop(door.command("shards/split", &json!({"table": TABLE}))),
            1 => drop(door.command("shards/rotate", &json!({"table": TABLE}))),
            2 | 3 => drop(door.ask("CreateTable", &side_table(&table))),
            4 => drop(door.ask("DeleteTable", &json!({"TableName": table}))),
            5 => drop(door.ask(
                "UpdateTable",
                &json!({
                "TableName": table,
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}}),
            )),
            6 => drop(door.ask(
                "UpdateTable",
                &json!({
                "TableName": table, "StreamSpecification": {"StreamEnabled": false}}),
            )),
            7 => drop(door.ask(
                "UpdateTable",
                &json!({
                "TableName": table, "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
                "GlobalSecondaryIndexUpdates": [{"Create": {
                    "IndexName": "late", "Projection": {"ProjectionType": "ALL"},
                    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}}]}),
            )),
            8 => drop(door.ask(
                "UpdateTable",
                &json!({
                "TableName": table, "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "late"}}]}),
            )),
            9 => drop(door.ask("CreateBackup", &json!({"TableName": table, "BackupName": "side"}))),
            10 => drop(door.command("trim", &json!({"table": table}))),
            _ => {
                for n in 0..dice.below(20) {
                    let item = json!({"pk": {"S": n.to_string()}, "g": {"S": "g"}});
                    drop(door.ask("PutItem", &json!({"TableName": table, "Item": item})));
                }
            }
        }
        pause(Duration::from_millis(dice.spread(1, 60)));
    }
}

fn side_table(name: &str) -> serde_json::Value {
    json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]})
}

/// Whether the server's program is there.
pub(crate) fn check_program(program: &Path) -> Outcome {
    if program.is_file() { Ok(()) } else { Err(format!("there is no server {}", program.display())) }
}
