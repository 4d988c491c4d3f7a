//! Instruction counts of the hot paths, by callgrind. They show a regression even on a busy machine.
//!
//! Each path is run twice, with few and with more operations. The difference does not contain the start of the program.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use crate::paths::HotPath;

/// What a count may differ from the kept one, as a share: hash seeds and random ids make it vary a little.
const TOLERANCE: f64 = 0.03;
/// How often to count each path. The smallest count is taken: on a busy machine, threads that wait for each other add up to a tenth.
const RUNS: usize = 3;
const FEW: u64 = 100;
const MORE: u64 = 400;

/// Counts all paths and compares them with `kept`; with `bless`, replaces what is kept.
pub(crate) fn run(kept: &Path, bless: bool) -> Result<(), Box<dyn Error>> {
    let mut now = BTreeMap::new();
    let before: BTreeMap<String, u64> = match std::fs::read(kept) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => BTreeMap::new(),
    };
    let mut grown = Vec::new();
    println!("{:<20} {:>14} {:>14}", "path", "instructions", "kept");
    for path in HotPath::value_variants() {
        let name = name(*path);
        let count = smallest_count(&name)?;
        let known = before.get(&name).copied();
        let change = known.map(|known| count as f64 / known as f64 - 1.0);
        println!(
            "{name:<20} {count:>14} {:>14} {}",
            known.map_or("-".to_owned(), |known| known.to_string()),
            change.map_or("new".to_owned(), |change| format!("{:+.1} %", change * 100.0))
        );
        if change.is_none_or(|change| change > TOLERANCE) {
            grown.push(name.clone());
        }
        now.insert(name, count);
    }
    if bless {
        std::fs::write(kept, serde_json::to_string_pretty(&now)? + "\n")?;
        return Ok(());
    }
    if grown.is_empty() {
        return Ok(());
    }
    Err(format!(
        "these take more instructions than what is kept, or are new: {}; if that is meant, run `cargo xtask bench \
         instructions --bless`",
        grown.join(", ")
    )
    .into())
}

fn name(path: HotPath) -> String {
    path.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Returns the instructions of one operation of a path.
fn smallest_count(path: &str) -> Result<u64, Box<dyn Error>> {
    let mut smallest = u64::MAX;
    for _ in 0..RUNS {
        let difference = count(path, MORE)?.saturating_sub(count(path, FEW)?);
        smallest = smallest.min(difference / (MORE - FEW));
    }
    Ok(smallest)
}

/// Returns the instructions of this program when it does `count` operations of a path.
fn count(path: &str, count: u64) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["path", path, &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(text.into());
    }
    let collected = text.lines().find_map(|line| line.split_once("Collected : "));
    collected.and_then(|(_, count)| count.trim().parse().ok()).ok_or_else(|| "callgrind told no count".into())
}
