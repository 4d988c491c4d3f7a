//! `cargo xtask clients`: runs the programs in `tests/clients`, each against its own server.

mod programs;
mod report;
mod server;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::{Outcome, run, workspace};
use programs::{PROGRAMS, Program};
use report::Figures;
use server::Server;

/// How long a program may run, without its build.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which programs to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only this program (may be repeated): python, javascript, go, java, kinesis
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Fail if a program's language is not installed, instead of skipping the program
    #[arg(long)]
    all: bool,
}

impl Options {
    /// Returns the options for the continuous integration, in which nothing is skipped.
    pub(crate) fn in_ci() -> Self {
        Self { only: Vec::new(), all: true }
    }
}

/// Builds and runs the programs, and prints their figures.
pub(crate) fn run(options: &Options) -> Outcome {
    for name in &options.only {
        if !PROGRAMS.iter().any(|program| program.name == name) {
            let names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
            return Err(format!("there is no client `{name}`, but {}", names.join(", ")));
        }
    }
    run::run(run::cargo().args(["build", "--package", "pdb-server", "--bin", "pretender"]))?;

    let mut lines = Vec::new();
    let mut failures = Vec::new();
    for program in PROGRAMS {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == program.name) {
            continue;
        }
        if let Some(tool) = program.missing_tool() {
            lines.push(format!("{:<12} skipped: {tool} is not installed", program.name));
            if options.all {
                failures.push(format!("{}: {tool} is not installed", program.name));
            }
            continue;
        }
        let began = Instant::now();
        match run_program(program) {
            Ok(figures) => {
                lines.push(format!("{:<12} {figures} {:>5} s", program.name, began.elapsed().as_secs()));
                failures
                    .extend(figures.complaint().map(|complaint| format!("{}: {complaint}", program.name)));
            }
            Err(reason) => {
                lines.push(format!("{:<12} failed", program.name));
                failures.push(format!("{}: {reason}", program.name));
            }
        }
    }
    println!("{:<12} {} {:>7}", "client", Figures::HEADER, "took");
    for line in lines {
        println!("{line}");
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nerror: ")) }
}

/// Builds one program and runs it against a fresh server.
fn run_program(program: &Program) -> Outcome<Figures> {
    program.build()?;
    let server = Server::start(program.name)?;
    let mut command = program.command();
    command
        .env("ENDPOINT", server.endpoint())
        .env("PRETENDER", server::binary())
        // The program must not see the user's AWS settings.
        .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    eprintln!("running client {} against {}", program.name, server.endpoint());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let last = last_line(&mut child);
    if last.is_err() {
        // This fails if the program has ended by itself, which is fine.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("cannot be waited for: {error}"))?;
    let last = last?;
    if !status.success() {
        return Err(format!("ended with {status}; the server's log is {}", workspace::shown(&server.log())));
    }
    Figures::parse(&last)
}

/// Reads the output of a program to its end and returns the last line.
fn last_line(child: &mut Child) -> Outcome<String> {
    let output = child.stdout.take().ok_or("its output is not piped")?;
    let lines = lines_of(output);
    let end = Instant::now() + PATIENCE;
    let mut last = String::new();
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("{line}");
                last = line;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(last),
            Err(RecvTimeoutError::Timeout) => return Err(format!("did not end in {} s", PATIENCE.as_secs())),
        }
    }
}

/// Reads lines on another thread, so that waiting for a line can time out.
fn lines_of(output: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
