//! Capturing and reading events: how many a second, for a short stream and for a long one.

use std::error::Error;
use std::time::Instant;

use pretender::Durability;

use crate::ours::Ours;
use crate::report::Report;
use crate::sizes::Sizes;
use crate::work::Work;

const WORK: Work = Work { item_bytes: 200, keys: 1_000 };
/// The short stream.
const FEW: u64 = 1_000;

/// Puts one item an event, from one thread into a fresh file, then reads all records.
pub(crate) fn run(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    println!("Events: captured by one PutItem each, and read back, in process on a file");
    for count in [FEW, sizes.records] {
        let folder = tempfile::tempdir()?;
        let ours = Ours::open(Some(&folder.path().join("events.db")), Durability::Normal)?;
        let started = Instant::now();
        ours.puts(&WORK, 0, count)?;
        let captured = count as f64 / started.elapsed().as_secs_f64();
        let started = Instant::now();
        let (seen, _) = ours.drain(&mut |_| {})?;
        let read = seen as f64 / started.elapsed().as_secs_f64();
        if seen != count {
            return Err(format!("{count} events were captured, {seen} read").into());
        }
        report.footprint(&format!("{count} events captured"), captured, "events/s");
        report.footprint(&format!("{count} events read back"), read, "events/s");
    }
    Ok(())
}
