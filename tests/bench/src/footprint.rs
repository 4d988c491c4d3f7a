//! Start, memory and size of the server.

use std::error::Error;
use std::path::Path;

use crate::load::{self, Until};
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
    // Large bodies from many connections: what waits must not pile up.
    for connections in [64, 512] {
        let file = folder.path().join(format!("waiting-{connections}.db")).display().to_string();
        let server = Server::start(binary, &["--db", &file])?;
        let (target, body) = requests::create_table(TABLE, Some("NEW_AND_OLD_IMAGES"), false);
        load::call(server.address, target, &body)?;
        let puts = requests::put_item(TABLE, Work { item_bytes: 102_400, keys: 100 }, 0);
        load::run(server.address, connections, Until::Elapsed(sizes.turn), &puts)?;
        memory(report, &format!("puts of 100 KB over {connections} connections"), server.usage);
    }
    Ok(())
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
