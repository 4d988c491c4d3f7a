//! The start, the memory and the size of the server.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::load::{self, MakeRequest, Until};
use crate::process::{Server, Usage};
use crate::report::Report;
use crate::requests;
use crate::sizes::Sizes;
use crate::work::Work;

const TABLE: &str = "footprint";

/// Measures the binary, an idle server, one under load, and the start on a large database.
pub(crate) fn run(report: &mut Report, sizes: &Sizes, binary: &Path) -> Result<(), Box<dyn Error>> {
    println!("Footprint");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bench.db").display().to_string();
    report.footprint("binary", megabytes(std::fs::metadata(binary)?.len()), "MB");
    let items = sizes.records;
    {
        let server = Server::start(binary, &["--db", &file])?;
        report.footprint("start to first answer, new database", milliseconds(&server), "ms");
        memory(report, "idle", server.usage);
        let (target, body) = requests::create_table(TABLE, Some("NEW_AND_OLD_IMAGES"), false);
        load::call(server.address, target, &body)?;
        let puts = requests::put_item(TABLE, Work { item_bytes: 1024, keys: items }, 0);
        load::run(server.address, 64, Until::Requests(items), &puts)?;
        memory(report, &format!("after {items} puts of 1 KB over 64 connections"), server.usage);
    }
    for turn in 1..=3 {
        let server = Server::start(binary, &["--db", &file])?;
        let what = format!("start to first answer, {items} items, start {turn}");
        report.footprint(&what, milliseconds(&server), "ms");
        if turn == 3 {
            memory(report, &format!("idle, {items} items"), server.usage);
        }
    }
    // Large bodies and answers over many connections: what waits must not pile up.
    for connections in [64, 512, 2000] {
        let file = folder.path().join(format!("waiting-{connections}.db")).display().to_string();
        let server = Server::start(binary, &["--db", &file])?;
        let (target, body) = requests::create_table(TABLE, Some("NEW_AND_OLD_IMAGES"), false);
        load::call(server.address, target, &body)?;
        let work = Work { item_bytes: 102_400, keys: 100 };
        for (what, requests) in
            [("puts", requests::put_item(TABLE, work, 0)), ("gets", requests::get_item(TABLE, work))]
        {
            let slowest = load_and_call(&server, connections, &requests, sizes)?;
            let what = format!("{what} of 100 KB over {connections} connections");
            memory(report, &what, server.usage);
            report.footprint(&format!("slowest small call beside {what}"), slowest, "ms");
        }
    }
    Ok(())
}

/// Loads a server over many connections, and makes small calls on others meanwhile; returns what the slowest took, in
/// milliseconds.
fn load_and_call(
    server: &Server,
    connections: u64,
    requests: &MakeRequest,
    sizes: &Sizes,
) -> Result<f64, Box<dyn Error>> {
    let (address, time) = (server.address, sizes.turn);
    std::thread::scope(|scope| {
        let load = scope.spawn(move || load::run(address, connections, Until::Elapsed(time), requests));
        let mut slowest: f64 = 0.0;
        while !load.is_finished() {
            let started = Instant::now();
            load::call(address, "DynamoDB_20120810.ListTables", "{}")?;
            slowest = slowest.max(started.elapsed().as_secs_f64() * 1e3);
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let done = load.join().map_err(|_| "the load panicked")??;
        println!("  {:.0} a second, {} failed", done.rate(), done.failures);
        Ok(slowest)
    })
}

fn memory(report: &mut Report, when: &str, usage: Usage) {
    report.footprint(&format!("memory, {when}: resident"), megabytes(usage.resident_bytes()), "MB");
    report.footprint(&format!("memory, {when}: not of files"), megabytes(usage.anonymous_bytes()), "MB");
    report.footprint(&format!("memory, {when}: peak"), megabytes(usage.peak_bytes()), "MB");
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn milliseconds(server: &Server) -> f64 {
    server.first_answer.as_secs_f64() * 1e3
}
