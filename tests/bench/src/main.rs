//! `cargo xtask bench`: the cost of pretender, relative to a floor of bare SQL and to other servers.

mod constant;
mod contest;
mod cost;
mod events;
mod floor;
mod footprint;
mod generator;
mod growth;
mod in_process;
mod instructions;
mod isolation;
mod latency;
mod load;
mod ours;
mod paths;
mod postgres;
mod process;
mod report;
mod requests;
mod sizes;
mod snapshots;
mod times;
mod vectors;
mod work;

use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::contest::{Case, Contestant};
use crate::paths::HotPath;
use crate::process::{Server, Usage};
use crate::report::Report;
use crate::sizes::Sizes;

/// Measures pretender, and other servers beside it.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    /// A selection that takes some two minutes.
    #[arg(long)]
    quick: bool,
    /// Another server to give the same load, in turns with ours, as NAME=URL.
    #[arg(long = "peer", value_name = "NAME=URL")]
    peers: Vec<String>,
    /// Only the parts whose name contains this: `generator`, `in process`, `events`, `http`, `drain`, `growth`, `footprint`,
    /// `snapshots`, `isolation`, `latency`, `times`, `vectors`.
    #[arg(long)]
    only: Option<String>,
    /// Only the cases over HTTP, and of `latency`, whose name contains this; `latency` also has the cases `tails` and `starts`.
    #[arg(long)]
    case: Option<String>,
    /// Where our server keeps its data over HTTP: `memory` or `file`.
    #[arg(long, default_value = "file")]
    data: String,
    /// How often each case is repeated.
    #[arg(long)]
    turns: Option<u32>,
    /// Seconds of a turn over HTTP.
    #[arg(long)]
    seconds: Option<u64>,
    /// Seconds a server may take to be filled; a slow one is then measured with what it has.
    #[arg(long)]
    fill_seconds: Option<u64>,
    /// Records of the long stream, and items of the large table.
    #[arg(long)]
    records: Option<u64>,
    /// Tables of the database with many.
    #[arg(long)]
    tables: Option<u64>,
    /// Measures on PostgreSQL instead, beside `pgbench`: `postgres://...`, or `own` for a server that is started for it and syncs
    /// the disk. Makes the schemas `pretender_bench` and `pretender_pgbench`, and removes them.
    #[arg(long, value_name = "URL")]
    db: Option<String>,
    /// Writes all figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The `pretender` binary, built in release mode.
    #[arg(long, value_name = "FILE", default_value = "target/release/pretender")]
    binary: PathBuf,
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Counts the instructions of the hot paths (needs valgrind), and fails if one takes more than what is kept
    Instructions {
        /// Keeps the counts of this run.
        #[arg(long)]
        bless: bool,
        /// Where they are kept.
        #[arg(long, value_name = "FILE", default_value = "tests/bench/instructions.json")]
        kept: PathBuf,
    },
    /// Answers every request with the same bytes, for the part `latency`
    #[command(hide = true)]
    Constant,
    /// Does one hot path some times
    Path {
        /// Which.
        path: HotPath,
        /// How often.
        count: u64,
    },
}

impl Options {
    fn sizes(&self) -> Sizes {
        let usual = if self.quick { Sizes::quick() } else { Sizes::usual() };
        Sizes {
            turns: self.turns.unwrap_or(usual.turns).max(1),
            turn: self.seconds.map_or(usual.turn, Duration::from_secs),
            fill: self.fill_seconds.map_or(usual.fill, Duration::from_secs),
            records: self.records.unwrap_or(usual.records),
            tables: self.tables.unwrap_or(usual.tables),
            ..usual
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    match &options.command {
        Some(Task::Instructions { bless, kept }) => return instructions::run(kept, *bless),
        Some(Task::Constant) => return constant::serve(),
        Some(Task::Path { path, count }) => return paths::run(*path, *count),
        None => {}
    }
    let sizes = options.sizes();
    let mut report = Report::default();
    if let Some(url) = &options.db {
        postgres::run(&mut report, &sizes, &options.binary, url)?;
        return options.json.as_deref().map_or(Ok(()), |file| write_json(file, &report));
    }
    let wanted = |part: &str| options.only.as_ref().is_none_or(|only| part.contains(only.as_str()));
    if wanted("generator") {
        generator::run(&mut report, &sizes)?;
    }
    if wanted("in process") {
        in_process::run(&mut report, &sizes)?;
    }
    if wanted("events") {
        events::run(&mut report, &sizes)?;
    }
    if wanted("http") {
        http(&options, &sizes, &mut report)?;
    }
    if wanted("drain") {
        drains(&options, &sizes, &mut report)?;
    }
    if wanted("latency") {
        latency::run(&options, &sizes, &mut report)?;
    }
    if wanted("growth") {
        growth::run(&mut report, &sizes)?;
    }
    if wanted("times") {
        times::run(&mut report, &sizes)?;
    }
    if wanted("vectors") {
        vectors::run(&mut report, &sizes)?;
    }
    if wanted("isolation") {
        isolation::run(&mut report, &sizes)?;
    }
    if wanted("footprint") {
        footprint::run(&mut report, &sizes, &options.binary)?;
    }
    if wanted("snapshots") {
        snapshots::run(&mut report, sizes.turns)?;
    }
    if let Some(file) = &options.json {
        write_json(file, &report)?;
    }
    Ok(())
}

fn write_json(file: &Path, report: &Report) -> Result<(), Box<dyn Error>> {
    Ok(std::fs::write(file, serde_json::to_vec_pretty(report)?)?)
}

/// Starts our server and finds the peers; the server lives as long as the first returned value.
fn contestants(options: &Options) -> Result<(Server, tempfile::TempDir, Vec<Contestant>), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bench.db");
    let db = if options.data == "memory" { ":memory:".to_owned() } else { file.display().to_string() };
    let server = Server::start(&options.binary, &["--db", &db])?;
    let mut all =
        vec![Contestant { name: "pretender".to_owned(), address: server.address, usage: Some(server.usage) }];
    for peer in &options.peers {
        let (name, url) = peer.split_once('=').ok_or("a peer is NAME=URL")?;
        let address = address_of(url)?;
        all.push(Contestant { name: name.to_owned(), address, usage: Usage::of_listener(address) });
    }
    Ok((server, folder, all))
}

fn address_of(url: &str) -> Result<SocketAddr, Box<dyn Error>> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    host.to_socket_addrs()?.find(SocketAddr::is_ipv4).ok_or_else(|| format!("{url} has no address").into())
}

fn http(options: &Options, sizes: &Sizes, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!("Over HTTP ({}); ratios are ours to theirs, turn by turn", options.data);
    let cases = if sizes.quick { contest::quick_cases() } else { contest::all_cases() };
    let wanted = |case: &Case| options.case.as_ref().is_none_or(|text| case.name().contains(text.as_str()));
    for case in cases.into_iter().filter(wanted) {
        // Each case begins with an empty database of ours.
        let (_server, _folder, contestants) = contestants(options)?;
        match contest::run(&case, &contestants, sizes) {
            Ok(results) => report.case(case.name(), results),
            // A peer that fails a case, or lacks the operation, says so and does not end the run.
            Err(e) => println!("{}: {e}", case.name()),
        }
    }
    Ok(())
}

fn drains(options: &Options, sizes: &Sizes, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let (_server, _folder, contestants) = contestants(options)?;
    let records = if sizes.quick { 10_000 } else { 100_000 };
    println!("Reading a stream of {records} records over HTTP");
    for contestant in &contestants {
        match contest::drain(contestant, records, 1024, sizes) {
            Ok(drain) => report.drain(drain),
            Err(e) => println!("  {}: {e}", contestant.name),
        }
    }
    Ok(())
}
