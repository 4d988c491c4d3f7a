//! Runs histories, one after the other, until the time is over.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser;
use pdb_histories::Outcome;
use pdb_histories::checker::Checker;
use pdb_histories::place::{Kind, Place, Settings, SharedPostgres};
use pdb_histories::random::Random;
use pdb_histories::run::{Log, Size, run};
use pdb_histories::verdict::judge;
use pdb_testpg::{Failure as PostgresFailure, Server as PostgresServer, ServerOptions};

/// Runs histories of concurrent clients, and checks that they are linearizable.
#[derive(Parser)]
#[command(name = "pdb-histories")]
struct Cli {
    /// The `pretender` program
    #[arg(long)]
    binary: PathBuf,
    /// The checker, built from `checker/`
    #[arg(long)]
    checker: PathBuf,
    /// A folder for the histories; those that fail stay there
    #[arg(long)]
    folder: PathBuf,
    /// The seed of the first history; the others have the seeds that follow
    #[arg(long)]
    seed: u64,
    /// How long to go on
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Kinds of histories: memory, file, processes, postgres [default: all]
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Fail if PostgreSQL is not installed, instead of leaving out the histories that need it
    #[arg(long)]
    all: bool,
    /// How long the checker may search in one history
    #[arg(long, default_value_t = 120)]
    timeout: u32,
}

fn main() -> ExitCode {
    match campaign(&Cli::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("error: {failures} histories failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What many histories add up to.
#[derive(Default)]
struct Sums {
    histories: usize,
    ops: usize,
    unknown: usize,
    records: usize,
    polls: usize,
    accepted: usize,
    undecided: usize,
    failures: usize,
    events: BTreeMap<&'static str, usize>,
}

/// Runs histories until the time is over. Returns how many failed.
fn campaign(cli: &Cli) -> Outcome<usize> {
    let (kinds, postgres) = kinds(cli)?;
    fs::create_dir_all(&cli.folder)?;
    let began = Instant::now();
    let mut sums: BTreeMap<Kind, Sums> = BTreeMap::new();
    for (kind, seed) in kinds.iter().cycle().zip(cli.seed..) {
        if began.elapsed() >= Duration::from_secs(cli.seconds) {
            break;
        }
        one(cli, *kind, seed, postgres.as_ref(), sums.entry(*kind).or_default())?;
    }
    println!(
        "kind       histories  operations  without answer  records   polls  orders found  undecided  failed  events"
    );
    for (kind, sum) in &sums {
        println!(
            "{:<10} {:>9} {:>11} {:>15} {:>8} {:>7} {:>13} {:>10} {:>7}  {}",
            kind.name(),
            sum.histories,
            sum.ops,
            sum.unknown,
            sum.records,
            sum.polls,
            sum.accepted,
            sum.undecided,
            sum.failures,
            events(&sum.events)
        );
    }
    Ok(sums.values().map(|sum| sum.failures).sum())
}

/// Returns the kinds of histories to run, and the PostgreSQL server for those that need it.
fn kinds(cli: &Cli) -> Outcome<(Vec<Kind>, Option<SharedPostgres>)> {
    let mut kinds = Vec::new();
    for name in &cli.only {
        let kind = Kind::ALL.iter().find(|(known, _)| known == name);
        kinds.push(kind.ok_or_else(|| format!("there is no kind of history `{name}`"))?.1);
    }
    let may_leave_out = kinds.is_empty() && !cli.all;
    if kinds.is_empty() {
        kinds.extend(Kind::ALL.iter().map(|(_, kind)| *kind));
    }
    if !kinds.iter().any(|kind| kind.needs_postgres()) {
        return Ok((kinds, None));
    }
    match PostgresServer::start(&ServerOptions::default()) {
        Ok(server) => Ok((kinds, Some(Arc::new(Mutex::new(server))))),
        Err(PostgresFailure::Missing(why)) if may_leave_out => {
            eprintln!("SKIPPED: the histories on PostgreSQL: {why}");
            kinds.retain(|kind| !kind.needs_postgres());
            Ok((kinds, None))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Runs and checks one history.
fn one(cli: &Cli, kind: Kind, seed: u64, postgres: Option<&SharedPostgres>, sums: &mut Sums) -> Outcome {
    let mut random = Random::new(seed);
    let settings = Settings::random(kind, &mut random);
    let size = Size {
        clients: random.of(&[4, 8, 8, 12]),
        groups: random.of(&[1, 2, 3]),
        calls: 600 + random.below(900),
        time: Duration::from_millis(if kind.needs_postgres() { 4000 } else { 1500 }),
    };
    let name = format!("{}_{seed}", kind.name());
    let folder = cli.folder.join(&name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let described = format!("{}, {} clients, {} groups", settings.text(), size.clients, size.groups);
    let began = Instant::now();
    let place = Place::open(settings, &cli.binary, &folder, postgres, &name)?;
    let opened = began.elapsed();
    let log = run(&place, &size, &mut random);
    let worked = began.elapsed();
    let damage = place.close();
    let closed = began.elapsed();
    let (log, mut wrong) = match log {
        Ok(log) => (log, Vec::new()),
        Err(error) => (Log::default(), vec![error.to_string()]),
    };
    wrong.extend(damage?);
    wrong.extend(log.strange.iter().map(|strange| format!("a strange answer: {strange}")));
    let (mut lines, mut decided) = (Vec::new(), 0);
    let mut checker = Checker::start(&cli.checker, &folder, cli.timeout)?;
    for (number, group) in log.groups.iter().enumerate().filter(|(_, group)| !group.streams.is_empty()) {
        let (verdict, histories) = judge(&format!("group-{number}"), group, &mut checker)?;
        decided += verdict.accepted + verdict.wrong.len();
        sums.accepted += verdict.accepted;
        sums.undecided += verdict.undecided;
        wrong.extend(verdict.wrong);
        lines.extend(histories);
    }
    if decided == 0 {
        wrong.push("no history was decided, so nothing was checked".to_owned());
    }
    let ops: usize = log.groups.iter().map(|group| group.ops.len()).sum();
    let streams = || log.groups.iter().flat_map(|group| &group.streams);
    let records: usize = streams().flat_map(|whole| &whole.shards).map(|shard| shard.records.len()).sum();
    let readers = || log.groups.iter().flat_map(|group| &group.readers);
    let polls: usize = readers().flat_map(|log| &log.chains).map(|chain| chain.polls.len()).sum();
    let lengths =
        log.groups.iter().flat_map(|group| &group.ops).filter_map(|op| Some(op.returned? - op.call));
    println!(
        "{name}: {} ({described}): {ops} operations, {} without answer, {records} records, {polls} polls, {}; the longest call \
         took {} ms; {:.1} s to open, {:.1} to work, {:.1} to close, {:.1} to check",
        if wrong.is_empty() { "ok" } else { "FAILED" },
        log.unknown,
        events(&log.events.counts),
        lengths.max().unwrap_or_default() / 1_000_000,
        opened.as_secs_f64(),
        (worked - opened).as_secs_f64(),
        (closed - worked).as_secs_f64(),
        (began.elapsed() - closed).as_secs_f64()
    );
    sums.histories += 1;
    sums.ops += ops;
    sums.unknown += log.unknown;
    sums.records += records;
    sums.polls += polls;
    for (event, count) in &log.events.counts {
        *sums.events.entry(event).or_default() += count;
    }
    if wrong.is_empty() {
        fs::remove_dir_all(&folder)?;
        return Place::remove(postgres.filter(|_| kind.needs_postgres()), &name);
    }
    sums.failures += 1;
    for why in wrong.iter().take(10) {
        eprintln!("  {why}");
    }
    eprintln!("  {} findings; seed {seed}, kept in {}", wrong.len(), folder.display());
    let report = format!("{name}: {described}\n\n{}\n", wrong.join("\n"));
    fs::write(folder.join("findings.txt"), report)?;
    let events = log.events.lines.iter().map(|(time, line)| format!("{time} {line}\n"));
    fs::write(folder.join("events.txt"), events.collect::<String>())?;
    let histories = lines.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    fs::write(folder.join("histories.jsonl"), histories.join("\n"))?;
    fs::write(
        folder.join("streams.txt"),
        format!("{:#?}", log.groups.iter().map(|it| (&it.streams, &it.readers)).collect::<Vec<_>>()),
    )?;
    Ok(())
}

fn events(counts: &BTreeMap<&'static str, usize>) -> String {
    let counts: Vec<_> = counts.iter().map(|(event, count)| format!("{count} {event}")).collect();
    counts.join(", ")
}
