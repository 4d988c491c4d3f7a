//! Runs the simulation: one seed, or fresh ones until the time is over. `cargo xtask simulate` calls it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use clap::Parser;
use simulation::generate::Config;
use simulation::planted::Bug;
use simulation::run::{Outcome, run};
use simulation::shrink::shrink;

/// How many runs a shrinking may take.
const SHRINKING_RUNS: usize = 1_000;

/// Simulates pretender: one clock, one seed, one thread.
#[derive(Parser)]
struct Options {
    /// Run this seed only, and print the digest of what it has seen
    #[arg(long)]
    seed: Option<u64>,
    /// The number of steps of each run
    #[arg(long, default_value_t = 5_000)]
    steps: usize,
    /// How long to run fresh seeds
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// How many runs at the same time, each on one thread
    #[arg(long, default_value_t = 1)]
    jobs: u32,
    /// The folder for histories that fail
    #[arg(long, default_value = "target/simulation")]
    out: PathBuf,
}

/// What all runs have counted.
#[derive(Default)]
struct Totals {
    runs: AtomicU64,
    steps: AtomicU64,
    kinds: Mutex<BTreeMap<&'static str, u64>>,
    has_failed: AtomicBool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let totals = Totals::default();
    let began = Instant::now();
    // A panic is caught and reported as the failure that it is; while shrinking it comes hundreds of times.
    std::panic::set_hook(Box::new(|_| {}));
    match options.seed {
        Some(seed) => {
            let outcome = simulate(&options, seed, &totals);
            println!("seed {seed}: {} steps, digest {}", outcome.steps, outcome.digest);
        }
        None => {
            // Only the choice of the seeds comes from the machine.
            #[expect(clippy::disallowed_methods, reason = "fresh seeds must differ from run to run")]
            let now = std::time::SystemTime::now();
            let first = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
            let next = AtomicU64::new(first);
            let until = began + Duration::from_secs_f64(options.minutes * 60.0);
            println!("fresh seeds from {first}, {} steps each", options.steps);
            std::thread::scope(|scope| {
                for _ in 0..options.jobs.max(1) {
                    scope.spawn(|| {
                        while Instant::now() < until && !totals.has_failed.load(Ordering::Relaxed) {
                            simulate(&options, next.fetch_add(1, Ordering::Relaxed), &totals);
                        }
                    });
                }
            });
        }
    }
    report(&totals, began.elapsed());
    if totals.has_failed.load(Ordering::Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs a seed, and reports and shrinks its history if it fails.
fn simulate(options: &Options, seed: u64, totals: &Totals) -> Outcome {
    let config = Config::of(seed);
    let history = config.history(options.steps);
    let outcome = run(&config, &history, Bug::None);
    totals.runs.fetch_add(1, Ordering::Relaxed);
    totals.steps.fetch_add(outcome.steps as u64, Ordering::Relaxed);
    {
        let mut kinds = totals.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, count) in &outcome.kinds {
            *kinds.entry(kind).or_default() += count;
        }
    }
    if let Some((steps, violation)) = &outcome.failure {
        totals.has_failed.store(true, Ordering::Relaxed);
        println!("\nFAILED: seed {seed}, after {steps} steps: {violation}");
        println!("{config:?}");
        println!("shrinking the history...");
        let small = shrink(&config, &history, Bug::None, SHRINKING_RUNS);
        let again = run(&config, &small, Bug::None).failure;
        let mut text = format!(
            "seed {seed}, after {steps} steps of {}: {violation}\n\n{config:?}\n\na small history that fails, of {} steps:\n",
            options.steps,
            small.len()
        );
        for (n, step) in small.iter().enumerate() {
            text.push_str(&format!("{:>4}. {step}\n", n + 1));
        }
        if let Some((_, violation)) = again {
            text.push_str(&format!("\nIt ends with: {violation}\n"));
        }
        let command = format!("cargo xtask simulate --seed {seed} --steps {}", options.steps);
        text.push_str(&format!("\nTo repeat it: {command}\n"));
        println!("{text}");
        let file = options.out.join(format!("seed-{seed}.txt"));
        let kept = std::fs::create_dir_all(&options.out).and_then(|()| std::fs::write(&file, &text));
        match kept {
            Ok(()) => println!("kept in {}", file.display()),
            Err(error) => println!("{} could not be written: {error}", file.display()),
        }
    }
    outcome
}

fn report(totals: &Totals, elapsed: Duration) {
    let (runs, steps) = (totals.runs.load(Ordering::Relaxed), totals.steps.load(Ordering::Relaxed));
    let per_minute = steps as f64 * 60.0 / elapsed.as_secs_f64().max(0.001);
    println!("{runs} runs, {steps} steps in {:.1} s: {per_minute:.0} steps a minute", elapsed.as_secs_f64());
    for (kind, count) in totals.kinds.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("{count:>12} {kind}");
    }
}
