//! `cargo xtask bench`: what pretender costs, as shares of a floor of bare SQL and as ratios to other servers.

mod contest;
mod floor;
mod in_process;
mod load;
mod process;
mod report;
mod requests;
mod work;

use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::contest::{Case, Contestant, Operation};
use crate::process::{Server, Usage};
use crate::report::{Drain, Report};

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
    /// Only the parts whose name contains this: `in process`, `http`, `drain`, `growth`, `footprint`.
    #[arg(long)]
    only: Option<String>,
    /// Where our server keeps its data over HTTP: `memory` or `file`.
    #[arg(long, default_value = "file")]
    data: String,
    /// Writes all figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The `pretender` binary, built in release mode.
    #[arg(long, value_name = "FILE")]
    binary: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut report = Report::default();
    let wanted = |part: &str| options.only.as_ref().is_none_or(|only| part.contains(only.as_str()));
    if wanted("in process") {
        println!("In process, as a share of bare SQLite doing the same work (operations a second)");
        in_process::run(&mut report, options.quick)?;
    }
    if wanted("http") {
        http(&options, &mut report)?;
    }
    if wanted("drain") {
        drains(&options, &mut report)?;
    }
    if wanted("growth") {
        println!("Growth: a write and a page of records, as the stream grows");
        in_process::growth(&mut report, options.quick)?;
    }
    if wanted("footprint") {
        footprint(&options, &mut report)?;
    }
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(())
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

fn http(options: &Options, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let (_server, _folder, contestants) = contestants(options)?;
    println!("Over HTTP ({}); ratios are ours to theirs, turn by turn", options.data);
    let both = Some("NEW_AND_OLD_IMAGES");
    let mut cases = Vec::new();
    let mut add = |operation, item_bytes, connections: &[u64], records_before| {
        for &connections in connections {
            cases.push(Case { operation, item_bytes, connections, records_before });
        }
    };
    if options.quick {
        add(Operation::Get, 1024, &[16], 0);
        add(Operation::Put(None), 1024, &[16], 0);
        add(Operation::Put(both), 1024, &[1, 16], 1_000);
        add(Operation::Update, 1024, &[16], 1_000);
        add(Operation::Query, 1024, &[16], 0);
    } else {
        add(Operation::Get, 1024, &[1, 16, 64], 0);
        add(Operation::Put(None), 1024, &[1, 16, 64], 0);
        add(Operation::Put(Some("KEYS_ONLY")), 1024, &[16], 1_000);
        add(Operation::Put(both), 1024, &[1, 16, 64], 1_000);
        add(Operation::Put(both), 1024, &[16], 100_000);
        add(Operation::Update, 1024, &[1, 16, 64], 1_000);
        add(Operation::Query, 1024, &[1, 16], 0);
        add(Operation::BatchWrite, 1024, &[16], 0);
        add(Operation::TransactWrite, 1024, &[16], 0);
        add(Operation::PutTenTables, 1024, &[16], 0);
        for item_bytes in [100, 102_400] {
            add(Operation::Get, item_bytes, &[16], 0);
            add(Operation::Put(both), item_bytes, &[16], 1_000);
        }
    }
    let (turns, time) = if options.quick { (2, Duration::from_secs(2)) } else { (5, Duration::from_secs(3)) };
    for case in cases {
        match contest::run(&case, &contestants, turns, time) {
            Ok(results) => report.case(case.name(), results),
            // A peer that fails a case, or lacks the operation, says so and does not end the run.
            Err(e) => println!("{}: {e}", case.name()),
        }
    }
    Ok(())
}

fn drains(options: &Options, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let (_server, _folder, contestants) = contestants(options)?;
    let records = if options.quick { 10_000 } else { 100_000 };
    println!("Reading a stream of {records} records over HTTP");
    for contestant in &contestants {
        match contest::drain(contestant, records, 1024) {
            Ok((rate, cpu_us, seen)) => {
                report.drain(Drain { name: contestant.name.clone(), records, seen, rate, cpu_us });
            }
            Err(e) => println!("  {}: {e}", contestant.name),
        }
    }
    Ok(())
}

/// Start, memory and size.
fn footprint(options: &Options, report: &mut Report) -> Result<(), Box<dyn Error>> {
    println!("Footprint");
    let items = if options.quick { 20_000 } else { 1_000_000 };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bench.db").display().to_string();
    let megabytes = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
    report.footprint("binary", megabytes(std::fs::metadata(&options.binary)?.len()), "MB");
    {
        let server = Server::start(&options.binary, &["--db", &file])?;
        report.footprint(
            "start to first answer, new database",
            server.first_answer.as_secs_f64() * 1e3,
            "ms",
        );
        report.footprint("memory, idle", megabytes(server.usage.resident_bytes()), "MB");
        let (target, body) = requests::create_table("footprint", Some("NEW_AND_OLD_IMAGES"), false);
        load::call(server.address, target, &body)?;
        let work = work::Work { item_bytes: 1024, keys: items };
        let puts = requests::put_item("footprint", work, 0);
        load::run(server.address, 64, load::Until::Requests(items), &puts)?;
        let what = format!("memory, after {items} puts over 64 connections");
        report.footprint(&what, megabytes(server.usage.resident_bytes()), "MB");
    }
    let server = Server::start(&options.binary, &["--db", &file])?;
    let what = format!("start to first answer, {items} items");
    report.footprint(&what, server.first_answer.as_secs_f64() * 1e3, "ms");
    report.footprint("memory, idle, after a restart", megabytes(server.usage.resident_bytes()), "MB");
    Ok(())
}
