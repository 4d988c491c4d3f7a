//! The `pretender` binary.

mod client;
mod commands;
mod logging;
mod open_files;
mod paths;
mod progress;
mod quantity;
mod signals;
mod terminal;
mod traces;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use commands::Command;

/// DynamoDB and DynamoDB Streams on your machine, with streams that behave like the real ones.
#[derive(Debug, Parser)]
#[command(
    name = "pretender",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    // `pretender help` also explains topics.
    disable_help_subcommand = true,
    // Longer lines are hard to read, even on a wide terminal.
    max_term_width = 120,
    after_help = EXAMPLES
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  pretender serve                        start a server, data in pretender.db
  pretender run -- pytest                run tests against a server of their own
  pretender tail orders -f               follow the changes of a table
  pretender top                          watch a running server
  pretender ctl clock advance 24h        let a day pass (serve --control)
  pretender help streams                 explain streams; also: faults, clock";

fn main() -> ExitCode {
    signals::survive_file_size_limit();
    let arguments = || std::env::args_os().skip(1);
    if let Some(advice) = commands::advice(arguments()).or_else(|| traces::advice(arguments())) {
        let _ = writeln!(std::io::stderr(), "error: {}", terminal::visible_lines(&advice));
        return ExitCode::from(2);
    }
    match Cli::parse().command.run() {
        Ok(code) => code,
        Err(error) => {
            // If standard error is closed, there is no other place to report the error.
            let _ = writeln!(std::io::stderr(), "pretender: {}", one_line(error.as_ref()));
            Command::exit_code(error.as_ref())
        }
    }
}

/// Returns an error and its causes as one line that is safe to print on a terminal.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some errors include the text of their cause.
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    terminal::visible(&line.replace(['\r', '\n'], " ")).into_owned()
}
