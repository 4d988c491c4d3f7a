//! Several servers on one PostgreSQL database, which is stopped and killed; servers that are killed; connections that are cut, also at each
//! message of a short script.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pdb_testpg::{Failure, Proxy, Server as Database, ServerOptions, Stop};
use pretender::Pretender;
use serde_json::json;

use crate::campaign::{Outcome, Part, chain, pause};
use crate::consumer::Consumer;
use crate::dice::Dice;
use crate::door::Http;
use crate::ledger::Ledger;
use crate::seen::{Seen, id_of};
use crate::server::Server;
use crate::verify::verify_over_crashes;
use crate::writer::{Habits, OnError, TABLE, Writer, create_table};

/// Rounds with one table: its stream is read from the beginning after each.
const ROUNDS_A_TABLE: u64 = 6;
const SERVERS: usize = 3;
/// Steps of the script that is cut at each of its messages.
const SCRIPT: Habits = Habits { steps: 5, on_error: OnError::ReadAndGoOn, longest: 300 };

/// Runs this part.
pub(crate) fn run(part: &mut Part) -> Outcome {
    let mut database = match Database::start(&ServerOptions::default()) {
        Ok(database) => database,
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            println!("SKIPPED, for lack of PostgreSQL: {why}");
            return Ok(());
        }
        Err(failure) => return Err(failure.to_string()),
    };
    let mut table = 0;
    // A crash takes some seconds.
    part.budget.least = part.budget.least.div_ceil(10);
    while part.budget.goes_on(part.counted("crashes and kills")) {
        table += 1;
        let name = format!("torture_{table}");
        let statement = format!("CREATE SCHEMA {name}");
        database.sql(&statement).map_err(|failure| failure.to_string())?;
        let mut home =
            Home { schema: name, before: Seen::default(), consumer: Consumer::default(), next_op: 1 };
        let url = home.url(&database);
        let server = Server::start(&part.server, &url, &[])?;
        create_table(&server.door)?;
        home.before = Seen::of(&server.door)?;
        drop(server);
        if part.dice.one_of(2) {
            cut_messages(part, &database, &mut home)?;
        }
        for _ in 0..ROUNDS_A_TABLE {
            round(part, &mut database, &mut home)?;
            if !part.budget.goes_on(part.counted("crashes and kills")) {
                break;
            }
        }
        part.count("records", home.before.records().count() as u64);
        let statement = format!("DROP SCHEMA {} CASCADE", home.schema);
        database.sql(&statement).map_err(|failure| failure.to_string())?;
    }
    Ok(())
}

/// A table, as it was last verified.
struct Home {
    schema: String,
    before: Seen,
    consumer: Consumer,
    next_op: u64,
}

impl Home {
    fn url(&self, database: &Database) -> String {
        format!("{}?schema={}", database.url(), self.schema)
    }

    /// Verifies what writers have left. Unless `is_promised`, the last commits may be missing.
    fn verify(&mut self, database: &Database, door: &Http, ledger: &Ledger, is_promised: bool) -> Outcome {
        let now = Seen::of(door)?;
        verify_over_crashes(&self.before, &now, &ledger.steps(), &ledger.crashes(), &|_| is_promised)?;
        let there: BTreeSet<&str> = now.records().map(|(_, record)| id_of(record)).collect();
        let lost: BTreeSet<String> = match is_promised {
            true => BTreeSet::new(),
            false => self.consumer.got.iter().filter(|id| !there.contains(id.as_str())).cloned().collect(),
        };
        self.consumer.finish(door, &now, &lost)?;
        self.consumer.got.retain(|id| !lost.contains(id));
        let mut findings = Vec::new();
        let builder = Pretender::builder().postgres(self.url(database));
        let report = pretender::maintenance::check(&builder, &mut |event| {
            if let pretender::maintenance::CheckEvent::Finding(finding) = event {
                findings.push(finding.to_string());
            }
        });
        match report {
            Ok(report) if report.is_sound() => {}
            Ok(_) => return Err(format!("the check finds: {findings:#?}")),
            Err(error) => return Err(format!("it cannot be checked: {}", chain(&error))),
        }
        self.before = now;
        self.next_op = ledger.next_op();
        Ok(())
    }
}

/// Writers through several servers, a consumer, and something that goes wrong once or more.
fn round(part: &mut Part, database: &mut Database, home: &mut Home) -> Outcome {
    let mut dice = part.dice.split();
    let durability = *dice.pick(&["full", "normal", "off"]);
    let proxy = Proxy::to(database.port());
    let direct = home.url(database);
    let through = proxy.instead_of(&direct, database.port());
    let mut servers = Vec::new();
    for number in 0..SERVERS {
        let url = if number == 0 { &direct } else { &through };
        servers.push(Some(Server::start(&part.server, url, &["--durability", durability])?));
    }
    let doors: Vec<Http> = servers.iter().flatten().map(|server| server.door.clone()).collect();
    let ledger = Ledger::starting_at(home.next_op, None);
    let stop = AtomicBool::new(false);
    let consumer = &mut home.consumer;
    let mut may_lose = false;
    let troubles = 1 + dice.below(3);
    let outcome = std::thread::scope(|scope| {
        let (doors, ledger, stop) = (&doors, &ledger, &stop);
        let working: Vec<_> = (0..dice.spread(4, 16))
            .map(|number| {
                let door = &doors[number as usize % SERVERS];
                let habits = Habits { steps: u64::MAX, on_error: OnError::ReadAndGoOn, longest: 2_000 };
                let writer = Writer { number, door, ledger, dice: dice.split(), habits };
                scope.spawn(move || writer.work(stop))
            })
            .collect();
        scope.spawn(move || {
            while !stop.load(Ordering::Acquire) {
                // Without a database there is nothing to read.
                let _ = consumer.poll(&doors[0]);
                pause(Duration::from_millis(5));
            }
        });
        let mut troubled = || -> Outcome {
            for _ in 0..troubles {
                pause(Duration::from_millis(dice.spread(20, 500)));
                may_lose |= durability == "off";
                trouble(part, database, &proxy, &mut servers, (doors, ledger), &mut dice)?;
            }
            pause(Duration::from_millis(dice.spread(20, 300)));
            Ok(())
        };
        let troubled = troubled();
        stop.store(true, Ordering::Release);
        let worked = working
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|_| Err("a writer panicked".to_owned())));
        troubled.and(worked)
    });
    outcome?;
    for (number, server) in servers.iter_mut().enumerate() {
        if server.as_mut().is_some_and(|server| !server.is_alive()) {
            return Err(format!("server {number} has ended by itself"));
        }
    }
    drop(servers);
    part.count("acknowledged steps", ledger.done());
    part.count("rounds", 1);
    let server = Server::start(&part.server, &home.url(database), &[])?;
    home.verify(database, &server.door, &ledger, !may_lose)
        .map_err(|why| format!("durability {durability}: {why}"))
}

/// Lets something go wrong.
fn trouble(
    part: &mut Part,
    database: &mut Database,
    proxy: &Proxy,
    servers: &mut [Option<Server>],
    (doors, ledger): (&[Http], &Ledger),
    dice: &mut Dice,
) -> Outcome {
    let told = |failure: Failure| failure.to_string();
    match dice.below(8) {
        0..3 => {
            let how = *dice.pick(&[Stop::Kill, Stop::Kill, Stop::Immediate, Stop::Fast]);
            ledger.crash(|| database.stop(how).and_then(|()| database.start_again())).map_err(told)?;
            part.count("crashes of the database", 1);
            part.count("crashes and kills", 1);
        }
        3 | 4 => {
            // The first one stays, for the consumer.
            let killed = 1 + dice.below(SERVERS as u64 - 1) as usize;
            if let Some(server) = servers[killed].take() {
                server.kill();
                part.count("kills of a server", 1);
                part.count("crashes and kills", 1);
            }
        }
        5 => {
            proxy.cut_commits(1 + dice.below(8));
            pause(Duration::from_millis(dice.spread(50, 300)));
            proxy.cut_commits(0);
        }
        6 => {
            proxy.cut_all();
            part.count("times that all connections were cut", 1);
        }
        _ => drop(doors[0].command("shards/split", &json!({"table": TABLE}))),
    }
    Ok(())
}

/// Runs a short script again and again, and cuts its connection at another message each time: before the database gets it, or before its answer
/// comes back.
fn cut_messages(part: &mut Part, database: &Database, home: &mut Home) -> Outcome {
    let proxy = Proxy::to(database.port());
    let url = proxy.instead_of(&home.url(database), database.port());
    let server = Server::start(&part.server, &url, &[])?;
    let script = part.dice.split();
    for passes_on in [false, true] {
        for nth in 1.. {
            let cuts = proxy.cuts();
            let ledger = Ledger::starting_at(home.next_op, None);
            proxy.cut_message(nth, passes_on);
            let stop = AtomicBool::new(false);
            // The same steps each time.
            let writer = Writer {
                number: 0,
                door: &server.door,
                ledger: &ledger,
                dice: script.clone(),
                habits: SCRIPT,
            };
            writer.work(&stop)?;
            proxy.cut_message(0, false);
            let was_cut = proxy.cuts() > cuts;
            part.count("messages cut", u64::from(was_cut));
            // The answer that was lost may still be on its way to the database.
            pause(Duration::from_millis(20));
            home.verify(database, &server.door, &ledger, true)
                .map_err(|why| format!("cut at message {nth}, passed on: {passes_on}: {why}"))?;
            if !was_cut || !part.budget.goes_on(part.counted("messages cut")) {
                break;
            }
        }
    }
    Ok(())
}
