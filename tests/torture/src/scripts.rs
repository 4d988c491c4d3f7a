//! Kills at each system call of short scripts.
//!
//! A script is a few steps, each of which happens as a whole or not at all. It is run once to its end, and what can be seen of the database after
//! each step is noted. Then a program, this one, runs it again and again, and is killed before another of its system calls each time. What
//! is left must look as it did after the last step that was acknowledged, or after the next one.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use pdb_testkit::Kills;
use pretender::Durability;
use pretender_tests::formats::World;
use serde_json::Value;

use crate::campaign::{Outcome, Part, check_file, short};
use crate::history::{FILE, open};
use crate::portrait::portrait;
use crate::script::{SCRIPTS, Scene, Script};

/// The first argument of this program as one that is killed.
pub(crate) const CHILD: &str = "script";

/// What lies beside a database file at some time or other.
const COMPANIONS: [&str; 9] =
    ["", "-journal", "-wal", "-shm", "-lock", "-making", "-saving", "-saving-journal", "-saving-wal"];

/// A script that is ready to be killed.
struct Ready {
    script: &'static Script,
    /// The database as the script finds it; copied for each kill.
    prepared: PathBuf,
    /// What is seen before the first step, and after each.
    portraits: Vec<Value>,
    /// Where it can be killed.
    points: Vec<(String, u32)>,
}

/// Runs this part: every kill of every script if it is to be thorough, else kills at random.
pub(crate) fn run(part: &mut Part) -> Outcome {
    let work = part.fresh("work")?;
    let Some(kills) = Kills::at(&files_in(&work)) else { return Ok(()) };
    let mut ready = Vec::new();
    for script in SCRIPTS {
        let made =
            make_ready(part, script, &work, &kills).map_err(|why| format!("{}: {why}", script.name))?;
        part.count("scripts", 1);
        part.count("system calls of the scripts", made.points.len() as u64);
        ready.push(made);
    }
    if part.budget.least > 1 {
        for made in &ready {
            for (call, nth) in &made.points {
                kill(part, made, &work, &kills, call, *nth)?;
            }
        }
    }
    while part.budget.goes_on(part.counted("kills")) {
        let made = part.dice.pick(&ready);
        let (call, nth) = part.dice.pick(&made.points).clone();
        kill(part, made, &work, &kills, &call, nth)?;
    }
    Ok(())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let beside =
        |file: PathBuf| COMPANIONS.map(|suffix| PathBuf::from(format!("{}{suffix}", file.display())));
    let mut files: Vec<PathBuf> = beside(folder.join(FILE)).into();
    files.extend(beside(Scene::target_in(folder)));
    // Its syncs.
    files.push(folder.to_owned());
    files
}

fn make_ready(part: &Part, script: &'static Script, work: &Path, kills: &Kills) -> Outcome<Ready> {
    let prepared = part.fresh(&format!("prepared-{}", script.name))?;
    if let Some(prepare) = script.prepare {
        let world = open(&prepared, Durability::Full, 0)?;
        prepare(&world)?;
        world.db.close();
    }
    put_back(&prepared, work)?;
    let mut portraits = vec![look(work)?];
    for count in 1..=script.steps.len() {
        put_back(&prepared, work)?;
        let mut scene = Scene::new(work);
        script.steps[..count].iter().try_for_each(|(name, step)| {
            step(&mut scene).map_err(|why| format!("{name}, without a kill: {why}"))
        })?;
        scene.close();
        portraits.push(look(work)?);
    }
    put_back(&prepared, work)?;
    let points = kills.points(&child(script, work));
    Ok(Ready { script, prepared, portraits, points })
}

/// Puts the files of a folder in the place of those in another.
fn put_back(from: &Path, to: &Path) -> Outcome {
    let told = |error: std::io::Error| format!("{}: {error}", to.display());
    fs::remove_dir_all(to).and_then(|()| fs::create_dir(to)).map_err(told)?;
    for entry in fs::read_dir(from).map_err(told)? {
        let path = entry.map_err(told)?.path();
        fs::copy(&path, to.join(path.file_name().unwrap_or_default())).map_err(told)?;
    }
    Ok(())
}

/// What can be seen of the database in a folder; null if there is none.
fn look(folder: &Path) -> Outcome<Value> {
    if !folder.join(FILE).exists() {
        return Ok(Value::Null);
    }
    let world = open(folder, Durability::Full, 2)?;
    let seen = portrait(&world)?;
    world.db.close();
    Ok(seen)
}

fn child(script: &Script, work: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_default());
    command.arg(CHILD).arg(script.name).arg(work).arg(ledger_of(work));
    command
}

/// Where the child notes the steps that are done.
fn ledger_of(work: &Path) -> PathBuf {
    work.with_extension("done")
}

/// What the program that is killed does: `script NAME FOLDER LEDGER`.
pub(crate) fn be_child(arguments: &[String]) -> ExitCode {
    let [name, folder, ledger] = arguments else { return ExitCode::from(2) };
    let Some(script) = SCRIPTS.iter().find(|script| script.name == name) else { return ExitCode::from(2) };
    let mut scene = Scene::new(Path::new(folder));
    for (name, step) in script.steps {
        if let Err(why) = step(&mut scene) {
            eprintln!("{name}: {why}");
            return ExitCode::FAILURE;
        }
        let noted = OpenOptions::new().create(true).append(true).open(ledger);
        if let Err(error) = noted.and_then(|mut file| file.write_all(b"done\n")) {
            eprintln!("{ledger}: {error}");
            return ExitCode::FAILURE;
        }
    }
    scene.close();
    ExitCode::SUCCESS
}

fn kill(part: &mut Part, ready: &Ready, work: &Path, kills: &Kills, call: &str, nth: u32) -> Outcome {
    put_back(&ready.prepared, work)?;
    let ledger = ledger_of(work);
    // There is none before the first step.
    let _ = fs::remove_file(&ledger);
    if kills.kill(&child(ready.script, work), call, nth) {
        part.count("kills", 1);
    } else {
        part.count("ended before the call", 1);
    }
    let done = fs::read_to_string(&ledger).map_or(0, |text| text.lines().count());
    check(ready, work, done).map_err(|why| {
        format!("{}, killed before {call} {nth}, with {done} steps done: {why}", ready.script.name)
    })
}

/// Checks what a kill has left.
fn check(ready: &Ready, work: &Path, done: usize) -> Outcome {
    if work.join(FILE).exists() {
        check_file(&work.join(FILE))?;
    }
    let seen = look(work)?;
    let fits = |at: usize| ready.portraits.get(at).is_some_and(|portrait| *portrait == seen);
    // A database that was made but has nothing in it yet is as good as none.
    let is_fresh = done == 0 && ready.portraits[0].is_null() && seen == empty()?;
    let is_partly =
        ready.script.in_parts && ready.portraits.get(done).is_some_and(|it| is_trimmed(it, &seen));
    if !fits(done) && !fits(done + 1) && !is_fresh && !is_partly {
        let near = [done, done + 1].map(|at| ready.portraits.get(at).map(|it| differences(it, &seen)));
        return Err(format!("neither before nor after the step; it differs from both: {near:#?}"));
    }
    let is_next_done = !fits(done) && !is_partly;
    if let Some(after) = ready.script.after {
        after(work, &seen, done + usize::from(is_next_done))?;
    }
    // And the database goes on: the same steps that are still to be done can be done.
    let mut scene = Scene::new(work);
    let rest = &ready.script.steps[(done + usize::from(is_next_done)).min(ready.script.steps.len())..];
    for (name, step) in rest.iter().filter(|_| ready.script.goes_on) {
        step(&mut scene).map_err(|why| format!("{name}, after the kill: {why}"))?;
    }
    scene.close();
    if work.join(FILE).exists() {
        check_file(&work.join(FILE))?;
    }
    Ok(())
}

/// Whether something is as it was, but for the oldest records of shards.
fn is_trimmed(before: &Value, seen: &Value) -> bool {
    match (before, seen) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, a)| {
                    b.get(name).is_some_and(|b| match (name.as_str(), a, b) {
                        ("records", Value::Array(a), Value::Array(b)) => a.ends_with(b),
                        _ => is_trimmed(a, b),
                    })
                })
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_trimmed(a, b))
        }
        _ => before == seen,
    }
}

/// What an empty database looks like.
fn empty() -> Outcome<Value> {
    let world = World::try_open(pretender::Pretender::builder(), crate::history::NOW);
    portrait(&world.map_err(|error| error.to_string())?)
}

/// The parts in which two portraits differ.
fn differences(one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            let differing = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
            differing
                .flat_map(|name| {
                    let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                    differences(a, b).into_iter().map(move |text| format!("{name}: {text}"))
                })
                .collect()
        }
        _ => vec![format!("{} / {}", short(one), short(other))],
    }
}
