//! Costs that must not grow with the database: with longer streams, more tables with streams, more tables, or a larger trim.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pretender::Durability;
use pretender::items::{GetItemInput, PutItemInput};
use pretender::model::{Item, TableName};

use crate::cost::{Cost, measure};
use crate::ours::{Ours, create_table};
use crate::report::{Pair, Report};
use crate::sizes::Sizes;
use crate::work::Work;

const KEYS: u64 = 1_000;
const WORK: Work = Work { item_bytes: 200, keys: KEYS };

/// Everything that might cost more as it grows, beside what it costs while it is small.
pub(crate) fn run(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    println!("Growth: as a share of what the same costs while little is there");
    stream(report, sizes)?;
    trim(report, sizes)?;
    streamed_tables(report, sizes)?;
    many_tables(report, sizes)
}

/// A put and a page of records while the stream grows.
fn stream(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ours = Ours::open(Some(&folder.path().join("long.db")), Durability::Normal)?;
    let fresh = Ours::open(Some(&folder.path().join("short.db")), Durability::Normal)?;
    let step = sizes.operations / 10;
    let mut written = KEYS;
    ours.fill(&WORK, 0, KEYS)?;
    fresh.fill(&WORK, 0, KEYS)?;
    for target in [sizes.records / 10, sizes.records] {
        ours.fill(&WORK, written, target.saturating_sub(written))?;
        written = written.max(target);
        let mut pairs = Vec::new();
        for turn in 0..u64::from(sizes.turns) {
            let short = fresh.puts(&WORK, KEYS + turn * step, step)?;
            pairs.push(Pair::of(ours.puts(&WORK, written, step)?, short));
            written += step;
        }
        report.share(&format!("a put with {target} records behind it; beside few"), &pairs);
    }
    let mut iterators = Vec::new();
    let (records, _) = ours.drain(&mut |iterator| iterators.push(iterator.to_owned()))?;
    report.footprint("records written and read back", records as f64, "records");
    let full_pages = iterators.len().saturating_sub(1);
    let pages = |at: usize| -> Result<Cost, Box<dyn Error>> {
        let iterator = iterators.get(at).ok_or("the stream is shorter than a page")?;
        measure(200, || (0..200).try_for_each(|_| ours.page(iterator).map(drop)))
    };
    // The first page has only records of new items, which have one image.
    pages(1)?;
    for (place, at) in [("the middle", full_pages / 2), ("the end", full_pages.saturating_sub(1))] {
        let pairs = (0..sizes.turns).map(|_| Ok(Pair::of(pages(at)?, pages(1)?)));
        let pairs = pairs.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
        report.share(&format!("a page of {records} records at {place}; beside the start"), &pairs);
    }
    Ok(())
}

/// Writes beside the trim of a long stream: their 99th percentile, beside the background's trim and beside one asked for.
fn trim(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    // The thread looks often enough for the moment at which all becomes due.
    let interval = Some(Duration::from_millis(100));
    let file = folder.path().join("trim.db");
    let ours = Ours::sweeping(Some(&file), Durability::Normal, interval)?;
    ours.fill(&WORK, 0, sizes.records)?;
    let time = sizes.turn * 3;
    let quiet = p99_of_writes(&ours, sizes.records, &|started| started.elapsed() < time)?;
    ours.clock.advance(Duration::from_secs(25 * 3600));
    let before = trimmed(&file)?;
    let beside = p99_of_writes(&ours, 2 * sizes.records, &|started| started.elapsed() < 2 * time)?;
    let gone = trimmed(&file)? - before;
    report.footprint("p99 of a write, no trim", quiet, "us");
    report.footprint("p99 of a write beside the background's trim", beside, "us");
    report.footprint("p99 of a write beside the background's trim, over that without", beside / quiet, "x");
    report.footprint(
        "records the background trims in a second beside a writer",
        gone / (2 * time).as_secs_f64(),
        "",
    );
    let (from, started) = (trimmed(&file)?, Instant::now());
    std::thread::park_timeout(time);
    let alone = (trimmed(&file)? - from) / started.elapsed().as_secs_f64();
    report.footprint("records the background trims in a second with no writer", alone, "");

    // Where nothing is trimmed unasked.
    let ours = Ours::open(Some(&folder.path().join("asked.db")), Durability::Normal)?;
    ours.fill(&WORK, 0, sizes.records)?;
    ours.clock.advance(Duration::from_secs(25 * 3600));
    let (trims, started) = (AtomicBool::new(true), Instant::now());
    let (busy, trimmed) = std::thread::scope(|scope| {
        let trim = scope.spawn(|| {
            let done = ours.db.run_due_work().map(|done| done.trimmed.records);
            trims.store(false, Ordering::Release);
            done.map_err(|error| error.to_string())
        });
        let busy = p99_of_writes(&ours, sizes.records, &|_| trims.load(Ordering::Acquire));
        (busy, trim.join())
    });
    let (busy, trimmed) = (busy?, trimmed.map_err(|_| "the trim panicked")??);
    report.footprint("records trimmed when asked to", trimmed as f64, "records");
    report.footprint("time that took", started.elapsed().as_secs_f64(), "s");
    report.footprint("p99 of a write beside a trim that was asked for", busy, "us");
    Ok(())
}

/// How many records were trimmed from the first shards, read behind our back: clients are not shown what is due.
fn trimmed(file: &Path) -> Result<f64, Box<dyn Error>> {
    let connection = rusqlite::Connection::open(file)?;
    let sql = "SELECT sum(trimmed_sequence) FROM pdb_shard";
    Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))? as f64)
}

/// Writes from one thread while `goes_on`; returns the 99th percentile in microseconds.
fn p99_of_writes(ours: &Ours, first: u64, goes_on: &dyn Fn(Instant) -> bool) -> Result<f64, Box<dyn Error>> {
    let (started, mut latencies, mut n) = (Instant::now(), Vec::new(), first);
    while goes_on(started) || latencies.len() < 1_000 {
        let sent = Instant::now();
        ours.put(&WORK, n)?;
        latencies.push(sent.elapsed().as_secs_f64() * 1e6);
        n += 1;
    }
    latencies.sort_by(f64::total_cmp);
    Ok(latencies[latencies.len() * 99 / 100])
}

/// Writes to ten streamed tables in turn, beside one.
fn streamed_tables(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ours = Ours::open(Some(&folder.path().join("ten.db")), Durability::Normal)?;
    let tables = names(10)?;
    for table in &tables {
        create_table(&ours.db, table)?;
    }
    let puts = |tables: &[TableName], first: u64| -> Result<Cost, Box<dyn Error>> {
        measure(sizes.operations, || {
            for n in first..first + sizes.operations {
                let table = tables[n as usize % tables.len()].clone();
                ours.db.put_item(PutItemInput::new(table, WORK.item(n)))?;
            }
            Ok(())
        })
    };
    puts(&tables, 0)?;
    let mut pairs = Vec::new();
    for turn in 1..=u64::from(sizes.turns) {
        let first = turn * sizes.operations;
        let one = puts(&tables[..1], first)?;
        pairs.push(Pair::of(puts(&tables, first)?, one));
    }
    report.share("a put, ten streamed tables in turn; beside one", &pairs);
    Ok(())
}

/// Gets and puts in a database with many streamed tables, beside one with a single table.
fn many_tables(report: &mut Report, sizes: &Sizes) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let few = Ours::open(Some(&folder.path().join("few.db")), Durability::Normal)?;
    let many = Ours::open(Some(&folder.path().join("many.db")), Durability::Normal)?;
    let tables = names(sizes.tables)?;
    let (most, last) = tables.split_at(tables.len() - tables.len().min(100));
    let started = Instant::now();
    for table in most {
        create_table(&many.db, table)?;
    }
    let each = started.elapsed().as_secs_f64() * 1e3 / most.len().max(1) as f64;
    report.footprint(&format!("CreateTable, mean of {}", most.len()), each, "ms");
    few.fill(&WORK, 0, KEYS)?;
    many.fill(&WORK, 0, KEYS)?;
    let (mut creations, mut reads) = (Vec::new(), Vec::new());
    for table in last {
        let started = Instant::now();
        create_table(&many.db, table)?;
        creations.push(started.elapsed().as_secs_f64() * 1e3);
        let started = Instant::now();
        many.db.get_item(GetItemInput::new(many.table.clone(), Item::new().with("pk", WORK.key(0))))?;
        reads.push(started.elapsed().as_secs_f64() * 1e3);
    }
    for (what, mut times) in [("CreateTable", creations), ("a get after each", reads)] {
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        report.footprint(&format!("{what}, median of the last {}", times.len()), median, "ms");
        report.footprint(&format!("{what}, slowest"), times.last().copied().unwrap_or_default(), "ms");
    }
    let step = sizes.operations / 2;
    let (mut puts, mut gets) = (Vec::new(), Vec::new());
    for turn in 0..u64::from(sizes.turns) {
        let from = KEYS + turn * step;
        puts.push(Pair::of(many.puts(&WORK, from, step)?, few.puts(&WORK, from, step)?));
        gets.push(Pair::of(many.gets(&WORK, step)?, few.gets(&WORK, step)?));
    }
    report.share(&format!("a put, {} tables; beside one", sizes.tables), &puts);
    report.share(&format!("a get, {} tables; beside one", sizes.tables), &gets);
    Ok(())
}

fn names(count: u64) -> Result<Vec<TableName>, Box<dyn Error>> {
    (0..count).map(|n| Ok(TableName::new(&format!("table-{n}"))?)).collect()
}
