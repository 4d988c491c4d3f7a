//! pretender in process, compared with the floor.

use std::error::Error;

use pretender::Durability;

use crate::cost::measure;
use crate::floor::Floor;
use crate::ours::Ours;
use crate::report::{Pair, Report};
use crate::sizes::Sizes;
use crate::work::Work;

const KEYS: u64 = 1_000;
const ITEM_BYTES: usize = 1_024;
const THREADS: u64 = 16;

/// Puts, gets and drains, in memory and in files, as shares of the floor.
pub(crate) fn run(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    println!("In process, as a share of bare SQLite doing the same work");
    let work = Work { item_bytes: ITEM_BYTES, keys: KEYS };
    for (name, in_file, durability) in [
        ("memory", false, Durability::Normal),
        ("file normal", true, Durability::Normal),
        ("file full", true, Durability::Full),
    ] {
        let full = durability == Durability::Full;
        // Each sync takes its time: fewer of them say as much.
        let count = if full { sizes.operations / 20 } else { sizes.operations };
        let (mut single, mut many, mut gets, mut drains) = (vec![], vec![], vec![], vec![]);
        for _ in 0..sizes.turns.max(3) {
            let folder = tempfile::tempdir()?;
            let ours_file = folder.path().join("ours.db");
            let floor_file = folder.path().join("floor.db");
            let ours = Ours::open(in_file.then_some(&*ours_file), durability)?;
            let mut floor = Floor::open(in_file.then_some(&*floor_file), full)?;
            ours.puts(&work, 0, KEYS)?;
            floor.put(&work, KEYS, 1)?;
            let alone = measure(count, || floor.put(&work, count, 1).map(drop))?;
            single.push(Pair::of(ours.puts(&work, KEYS, count)?, alone));
            let rate = ours.puts_of_threads(&work, KEYS + count, count, THREADS)?;
            many.push(Pair::of_rates(rate, alone.rate));
            gets.push(Pair::of(
                ours.gets(&work, count)?,
                measure(count, || floor.get(&work, count).map(drop))?,
            ));
            drains.push(drain(&ours, &mut floor)?);
        }
        report.share(&format!("{name}: PutItem with capture, 1 thread"), &single);
        let beside = "16 threads; beside one commit a write";
        report.share(&format!("{name}: PutItem with capture, {beside}"), &many);
        report.share(&format!("{name}: GetItem, 1 thread"), &gets);
        report.share(&format!("{name}: GetRecords drain, a KB of images"), &drains);
    }
    Ok(())
}

/// Reads all records of both sides; the figures are of a KB of their texts.
fn drain(ours: &Ours, floor: &mut Floor) -> Result<Pair, Box<dyn Error>> {
    let (mut our_bytes, mut floor_bytes) = (0, 0);
    let our_cost = measure(1, || ours.drain(&mut |_| {}).map(|(_, bytes)| our_bytes = bytes))?;
    let floor_cost = measure(1, || floor.drain(500).map(|(_, bytes)| floor_bytes = bytes))?;
    Ok(Pair::of(our_cost.of_each(our_bytes as f64 / 1024.0), floor_cost.of_each(floor_bytes as f64 / 1024.0)))
}
