//! `cargo xtask fuzz`: runs the fuzz targets with cargo-fuzz, and keeps what they find.
//!
//! What libFuzzer learns goes to `target/fuzz-corpus`, and grows with each run. `fuzz/corpus` is committed, small, and repeated by the test
//! `replay` of `tests/fuzzing`: an input that makes a target fail is minimised and put there, and `--keep` puts inputs there that reach code
//! that no other reaches.

mod keep;
mod report;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Outcome, run, workspace};
use report::Report;

/// How long an input may take by the clock on the wall before libFuzzer gives up. The targets themselves measure processor time.
const INPUT_TIMEOUT: &str = "-timeout=120";
/// The most memory of the whole program, which holds databases and the corpus. The targets themselves measure each input.
const MEMORY_LIMIT: &str = "-rss_limit_mb=4096";

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long to run, all targets together
    #[arg(long, value_name = "N", default_value_t = 12.0)]
    minutes: f64,
    /// Run only this target, of those in `fuzz/fuzz_targets`; may be repeated
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Run the one target on this input only
    #[arg(long, value_name = "FILE", requires = "target")]
    input: Option<PathBuf>,
    /// Afterwards, keep the smallest inputs that reach all that was reached in `fuzz/corpus`
    #[arg(long)]
    keep: bool,
}

/// The tools and folders of a run.
pub(crate) struct Fuzzer {
    root: PathBuf,
    target: PathBuf,
}

/// Builds and runs the targets, in turn.
pub(crate) fn run(options: &Options) -> Outcome {
    let fuzzer = Fuzzer::ready()?;
    let targets = fuzzer.targets(&options.target)?;
    run::run(&mut fuzzer.cargo_fuzz("build"))?;
    if let Some(input) = &options.input {
        let input = fs::canonicalize(input).map_err(|error| format!("{}: {error}", input.display()))?;
        let [target] = targets.as_slice() else { return Err("an input is for one target".to_owned()) };
        return run::run(fuzzer.cargo_fuzz("run").arg(target).arg(input));
    }
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let share = Duration::from_secs_f64(options.minutes.max(0.0) * 60.0) / count;
    let (mut failed, mut executions) = (Vec::new(), 0);
    for target in &targets {
        let report = fuzzer.fuzz(target, share)?;
        println!("{target:<16} {report}");
        executions += report.executions;
        if let Some(failure) = report.failure {
            failed.push(fuzzer.keep_failure(target, &failure)?);
        }
    }
    println!("{:<16} {executions} executions", "together");
    if options.keep {
        for target in &targets {
            fuzzer.keep(target)?;
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

impl Fuzzer {
    /// Returns the tools, installed if they are missing.
    fn ready() -> Outcome<Self> {
        if !run::works("rustup", &["run", "nightly", "cargo", "--version"]) {
            run::run(run::program("rustup").args([
                "toolchain",
                "install",
                "nightly",
                "--profile",
                "minimal",
            ]))?;
        }
        if !run::works("cargo", &["fuzz", "--version"]) {
            run::run(run::cargo().args(["install", "cargo-fuzz", "--locked"]))?;
        }
        Ok(Self { root: workspace::root().join("fuzz"), target: workspace::target() })
    }

    /// Returns the targets with these names, or all.
    fn targets(&self, names: &[String]) -> Outcome<Vec<String>> {
        let programs = workspace::files(&self.root.join("fuzz_targets"), ".rs")?;
        let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let all: Vec<String> = programs.iter().filter_map(stem).collect();
        if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
            return Err(format!("there is no target `{unknown}`, but {}", all.join(", ")));
        }
        Ok(if names.is_empty() { all } else { names.to_vec() })
    }

    /// Returns a command of cargo-fuzz, with the options that all of them have.
    ///
    /// Without a sanitizer: our code is safe Rust, and what finds mistakes here are the promises that the targets check.
    fn cargo_fuzz(&self, command: &str) -> Command {
        let mut cargo = run::cargo_of("nightly");
        cargo.args(["fuzz", command, "--sanitizer", "none"]);
        cargo.arg("--target-dir").arg(self.target.join("fuzz"));
        cargo
    }

    /// The inputs of a target that are committed.
    fn committed(&self, target: &str) -> PathBuf {
        self.root.join("corpus").join(target)
    }

    /// The inputs that earlier runs have found.
    fn found(&self, target: &str) -> Outcome<PathBuf> {
        let folder = self.target.join("fuzz-corpus").join(target);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// Runs a target for some time. What it prints goes to a file.
    fn fuzz(&self, target: &str, time: Duration) -> Outcome<Report> {
        let folder = self.target.join("fuzz-logs");
        let path = folder.join(format!("{target}.log"));
        let unwritable = |error| format!("{}: {error}", path.display());
        fs::create_dir_all(&folder).map_err(unwritable)?;
        let log = File::create(&path).map_err(unwritable)?;
        let mut command = self.cargo_fuzz("run");
        command.arg(target).args([self.found(target)?, self.committed(target)]).arg("--");
        command.args(["-print_final_stats=1", INPUT_TIMEOUT, MEMORY_LIMIT]);
        command.arg(format!("-max_total_time={}", time.as_secs().max(1)));
        command.arg(format!("-dict={}", self.root.join("words.dict").display()));
        command.stdout(Stdio::null()).stderr(log);
        let began = Instant::now();
        let status = command.status().map_err(|error| format!("cargo-fuzz could not be started: {error}"))?;
        let text = fs::read(&path).map_err(unwritable)?;
        let report = Report::of(&String::from_utf8_lossy(&text), began.elapsed());
        match (status.success(), &report.failure) {
            (false, None) => Err(format!("`{target}` ended with {status}: see {}", path.display())),
            _ => Ok(report),
        }
    }

    /// Makes an input that fails as small as it gets, and keeps it. Returns how to repeat it.
    fn keep_failure(&self, target: &str, input: &Path) -> Outcome<String> {
        let smallest = self.target.join("fuzz-corpus").join(format!("{target}-smallest"));
        let mut command = self.cargo_fuzz("tmin");
        command.args(["--runs", "2000", target]).arg(input).arg("--").arg("-max_total_time=60");
        command.arg(format!("-exact_artifact_path={}", smallest.display()));
        let is_smaller = run::run(&mut command).is_ok() && smallest.is_file();
        let name = input.file_name().map_or("crash".into(), |name| name.to_string_lossy().into_owned());
        let kept = self.committed(target).join(name);
        fs::copy(if is_smaller { &smallest } else { input }, &kept)
            .map_err(|error| format!("{}: {error}", kept.display()))?;
        let _: Result<(), _> = fs::remove_file(smallest);
        let shown = workspace::shown(&kept).to_string();
        Ok(format!("`{target}` fails: repeat it with `cargo xtask fuzz --target {target} --input {shown}`"))
    }
}
