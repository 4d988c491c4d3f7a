//! The subcommands, one file each.

mod archive_reader;
mod archive_settings;
mod backup;
mod begin_with;
#[cfg(feature = "https")]
mod ca_file;
mod check;
mod completions;
mod copy;
mod ctl;
mod data;
mod database;
mod dynamodb_local;
mod exchange;
mod help;
mod man_pages;
mod object_settings;
mod ping;
mod run;
mod security_settings;
mod serve;
mod served_triggers;
mod server_clock;
mod server_settings;
mod start_failure;
mod stop;
mod tail;
mod token;
mod top;
mod trigger;
mod wait;

use std::error::Error;
use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use dynamodb_local::advice;

/// The name of a database in memory, the same as SQLite's.
const MEMORY: &str = ":memory:";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Serve>),
    Run(Box<run::Run>),
    Ls(data::Ls),
    Show(data::Show),
    Get(data::Get),
    Query(Box<data::Query>),
    Scan(Box<data::Scan>),
    Put(data::Put),
    Delete(data::Delete),
    Sql(data::Sql),
    Tail(tail::Tail),
    Top(top::Top),
    Trigger(Box<trigger::Trigger>),
    Ctl(ctl::Ctl),
    Backup(backup::BackUp),
    Check(check::Check),
    Copy(copy::Copy),
    Import(Box<exchange::Import>),
    Export(Box<exchange::Export>),
    Ping(ping::Ping),
    Completions(completions::Completions),
    ManPages(man_pages::ManPages),
    Help(help::Help),
}

impl Command {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Run(run) => return run.run(),
            Self::Check(check) => return check.run(),
            Self::Ls(ls) => ls.run(),
            Self::Show(show) => show.run(),
            Self::Get(get) => get.run(),
            Self::Query(query) => query.run(),
            Self::Scan(scan) => scan.run(),
            Self::Put(put) => put.run(),
            Self::Delete(delete) => delete.run(),
            Self::Sql(sql) => sql.run(),
            Self::Backup(backup) => backup.run(),
            Self::Copy(copy) => copy.run(),
            Self::Import(import) => import.run(),
            Self::Export(export) => export.run(),
            Self::Ctl(ctl) => ctl.run(),
            Self::Ping(ping) => return ping.run(),
            Self::Tail(tail) => tail.run(),
            Self::Top(top) => top.run(),
            Self::Trigger(trigger) => trigger.run(),
            Self::Completions(completions) => completions.run(),
            Self::ManPages(man_pages) => man_pages.run(),
            Self::Help(help) => help.run(),
        }
        .map(|()| ExitCode::SUCCESS)
    }

    /// Returns the exit code for an error.
    pub(crate) fn exit_code(error: &(dyn Error + 'static)) -> ExitCode {
        if error.is::<check::NotChecked>() {
            ExitCode::from(check::NOT_CHECKED)
        } else if error.is::<run::NotRun>() {
            ExitCode::from(run::NOT_RUN)
        } else {
            ExitCode::FAILURE
        }
    }
}
