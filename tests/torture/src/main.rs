//! `torture`: breaks databases in every way that a machine can, and checks that pretender keeps its promises. `cargo xtask torture` builds
//! and runs it.

mod campaign;
mod consumer;
mod damage;
mod dice;
mod door;
mod faults;
mod history;
mod images;
mod kills;
mod ledger;
mod portrait;
mod postgres;
mod script;
mod scripts;
mod seen;
mod server;
mod verify;
mod writer;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use pdb_testvfs::Disk;

use campaign::{Budget, Outcome, Part, Tally, guarded};
use dice::Dice;

/// Breaks databases and checks that pretender keeps its promises.
#[derive(Debug, Parser)]
struct Cli {
    /// The program of the server
    #[arg(long)]
    server: PathBuf,
    /// Repeats a run; without it, a fresh one is drawn
    #[arg(long)]
    seed: Option<u64>,
    /// How long the whole campaign takes, about
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Goes on until every part has done a thousand of what it does, and kills at every system call
    #[arg(long)]
    slow: bool,
    /// Runs only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Which>,
    /// Where the databases are made; a folder in memory is quick
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// A part of the campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// A server is killed at random moments under load
    Kills,
    /// Short scripts are killed at each of their system calls
    Scripts,
    /// The power fails at any moment of a session
    Images,
    /// The disk fails under load
    Faults,
    /// Files are damaged
    Damage,
    /// Several servers on PostgreSQL, which crashes, and connections to it, which break
    Postgres,
}

impl Which {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn run(self, part: &mut Part, disk: &Disk) -> Outcome {
        match self {
            Self::Kills => kills::run(part),
            Self::Scripts => scripts::run(part),
            Self::Images => images::run(part, disk),
            Self::Faults => faults::run(part, disk),
            Self::Damage => damage::run(part),
            Self::Postgres => postgres::run(part),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == scripts::CHILD) {
        return scripts::be_child(&arguments[1..]);
    }
    let cli = Cli::parse();
    match campaign(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn no_panics() -> Outcome {
    match server::take_panics().as_slice() {
        [] => Ok(()),
        [first, ..] => Err(format!("a thread of a server has panicked: {first}")),
    }
}

fn campaign(cli: &Cli) -> Outcome {
    kills::check_program(&cli.server)?;
    let seed = cli.seed.unwrap_or_else(fresh_seed);
    println!("seed {seed}");
    let parts = if cli.only.is_empty() { Which::value_variants().to_vec() } else { cli.only.clone() };
    let place = cli.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = place.join(format!("torture-{seed}-{}", std::process::id()));
    let time = Duration::from_secs_f64(cli.minutes * 60.0) / parts.len() as u32;
    let disk = Disk::install();
    let mut failed = false;
    for which in &parts {
        let began = Instant::now();
        let mut part = Part {
            // Of the seed and the part alone, so that a part can be repeated without the others.
            dice: Dice::new(seed ^ (*which as u64).wrapping_mul(0x5851_f42d_4c95_7f2d)),
            budget: Budget::new(time, if cli.slow { 1_000 } else { 1 }),
            folder: folder.join(which.name()),
            server: cli.server.clone(),
            tally: Tally::new(),
        };
        let outcome = guarded(|| which.run(&mut part, &disk)).and_then(|()| no_panics());
        let figures: Vec<String> =
            part.tally.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        println!("{:<9} {:>5} s  {}", which.name(), began.elapsed().as_secs(), figures.join(", "));
        match outcome {
            Ok(()) => drop(std::fs::remove_dir_all(&part.folder)),
            Err(reason) => {
                failed = true;
                eprintln!("{}: {reason}", which.name());
                eprintln!("  its files are in {}", part.folder.display());
                let slow = if cli.slow { " --slow" } else { "" };
                eprintln!("  again: cargo xtask torture --seed {seed} --only {}{slow}", which.name());
            }
        }
    }
    if failed {
        return Err("the database did not keep its promises".to_owned());
    }
    drop(std::fs::remove_dir_all(&folder));
    Ok(())
}

/// A number that nobody has chosen.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() % 1_000_000_000
}
