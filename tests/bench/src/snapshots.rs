//! Saving and restoring a database, emptying a table, and resetting the database.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use pretender::Durability;

use crate::ours::Ours;
use crate::report::Report;
use crate::work::Work;

/// Databases of two sizes, in memory and in a file.
pub(crate) fn run(report: &mut Report, turns: u32) -> Result<(), Box<dyn Error>> {
    println!(
        "Snapshots: milliseconds, the median of {turns}; the table has a stream with a record of each item"
    );
    let folder = tempfile::tempdir()?;
    for items in [1_000, 100_000] {
        place(report, "in memory", None, items, turns)?;
        let file = folder.path().join(format!("{items}.db"));
        place(report, "in a file", Some(&file), items, turns)?;
    }
    Ok(())
}

fn place(
    report: &mut Report,
    name: &str,
    file: Option<&Path>,
    items: u64,
    turns: u32,
) -> Result<(), Box<dyn Error>> {
    let work = Work { item_bytes: 1_000, keys: items };
    let ours = Ours::open(file, Durability::Normal)?;
    ours.fill(&work, 0, items)?;
    let (mut saves, mut restores, mut writes, mut empties, mut resets) =
        (vec![], vec![], vec![], vec![], vec![]);
    let mut bytes = 0;
    for turn in 0..u64::from(turns) {
        saves.push(timed(|| {
            bytes = ours.db.save_snapshot("saved")?.size_bytes;
            Ok(())
        })?);
        ours.puts(&work, turn, 100)?;
        restores.push(timed(|| Ok(ours.db.restore_snapshot("saved").map(drop)?))?);
        writes.push(timed(|| ours.put(&work, turn))?);
        empties.push(timed(|| Ok(ours.db.reset_table(&ours.table).map(drop)?))?);
        ours.db.restore_snapshot("saved")?;
        resets.push(timed(|| Ok(ours.db.reset()?))?);
        ours.db.restore_snapshot("saved")?;
    }
    println!("  {items} items {name}, {} MB", bytes / 1_000_000);
    for (what, times) in [
        ("save", saves),
        ("restore", restores),
        ("the first write afterwards", writes),
        ("reset of the table", empties),
        ("reset of everything", resets),
    ] {
        report.footprint(&format!("{what}, {items} items {name}"), median(times), "ms");
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
