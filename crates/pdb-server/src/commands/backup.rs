//! `pretender backup`.

mod remote;

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use pdb_server::ControlToken;
use pretender::Pretender;
use pretender::maintenance::{Backup, BackupError, BackupProgress, BackupReport};

use super::token::TokenParser;
use crate::client::Connection;
use crate::progress::{Progress, Step, Unit};
use crate::quantity::{bytes, counted};
use crate::signals;
use crate::terminal::visible;

/// Shares of the total time, for the progress bar: copying, then checking.
const COPYING: (f64, f64) = (0.0, 0.3);
const CHECKING: (f64, f64) = (0.3, 1.0);

/// Back up a database while it is in use.
///
/// A backup is one consistent state: it has every write that was acknowledged before the command began, with its stream
/// record. Writers of a database file do not wait for it. The backup is checked as `pretender check` does, and gets its
/// name only when it is complete and on the disk. It is a database like any other: to restore it, stop the server and
/// replace the server's file with it. See docs/operations.md.
///
/// With --db, the database is read from a file, even while a server has it open. Otherwise the backup is fetched from a
/// running server, which may store its data in memory. A server on a loopback address does not need --control for that;
/// any other server needs --control or a token.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BackUp {
    /// File to write the backup to, which must not exist yet
    #[arg(value_name = "TARGET")]
    target: PathBuf,

    /// Database file to back up; a server may have it open
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["endpoint", "region", "profile"])]
    db: Option<String>,

    /// Replace an existing database file, which no process may have open
    #[arg(long, short)]
    force: bool,

    /// Do not check the backup; this takes a third of the time, and also works for a damaged database
    #[arg(long)]
    no_check: bool,

    /// Also back up the databases of other regions (`serve --separate-regions`), each into a file beside TARGET
    #[arg(long)]
    all_regions: bool,

    #[command(flatten)]
    connection: Connection,

    /// The server's control token, if it has one; prefer the environment variable, because other users can see command lines
    #[arg(
        help_heading = "Connection",
        long,
        env = "PRETENDER_CONTROL_TOKEN",
        value_name = "TOKEN",
        value_parser = TokenParser,
        hide_env_values = true
    )]
    token: Option<ControlToken>,
}

const EXAMPLES: &str = "\
Examples:
  pretender backup --db pretender.db backup.db
  pretender backup --db pretender.db --force latest.db
  pretender backup --endpoint 127.0.0.1:8000 backup.db";

impl BackUp {
    /// Makes the backup.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let interrupted = signals::interruption();
        match &self.db {
            Some(db) => self.back_up_files(&database_file(db)?, &interrupted),
            None => self.fetch(&interrupted),
        }
    }

    fn back_up_files(&self, source: &Path, interrupted: &AtomicBool) -> Result<(), Box<dyn Error>> {
        let others = match Pretender::regions_beside(source) {
            Err(error) if self.all_regions => {
                return Err(format!("cannot look for regions beside `{}`: {error}", source.display()).into());
            }
            found => found.unwrap_or_default(),
        };
        let mut backups = vec![(source.to_owned(), self.target.clone())];
        for region in self.regions_to_include(&others) {
            backups.push((Pretender::file_of_region(source, region)?, self.target_of(region)?));
        }
        // Check all targets before the first backup is made. If the source is the target, `of_file` reports a better
        // error.
        for (_, target) in backups.iter().filter(|(source, target)| source != target) {
            self.backup(target).check_target().map_err(explained)?;
        }
        for (source, target) in &backups {
            let mut progress = Progress::new();
            let made = self.backup(target).of_file(source, &mut |step| {
                show(&mut progress, step, COPYING, CHECKING);
                unless_interrupted(interrupted)
            });
            drop(progress);
            print_report(&made.map_err(explained)?, target)?;
        }
        Ok(())
    }

    fn fetch(&self, interrupted: &Arc<AtomicBool>) -> Result<(), Box<dyn Error>> {
        let control = self.connection.control(self.token.clone())?;
        self.backup(&self.target).check_target().map_err(explained)?;
        let (report, others) = remote::fetch(&control, &self.backup(&self.target), interrupted)?;
        print_report(&report, &self.target)?;
        for region in self.regions_to_include(&others) {
            let target = self.target_of(region)?;
            let (report, _) = remote::fetch(&control.in_region(region), &self.backup(&target), interrupted)?;
            print_report(&report, &target)?;
        }
        Ok(())
    }

    /// Returns the other regions to back up as well. Notes on standard error if some are left out.
    fn regions_to_include<'r>(&self, others: &'r [String]) -> &'r [String] {
        if self.all_regions {
            return others;
        }
        if !others.is_empty() {
            let note = format!(
                "Other regions have databases of their own, which are not in this backup: {}. Add --all-regions for them.",
                others.join(", ")
            );
            let _ = writeln!(std::io::stderr(), "{}", visible(&note));
        }
        &[]
    }

    /// Returns the file in which a server with `--db TARGET --separate-regions` stores a region.
    fn target_of(&self, region: &str) -> Result<PathBuf, Box<dyn Error>> {
        Ok(Pretender::file_of_region(&self.target, region)?)
    }

    fn backup(&self, target: &Path) -> Backup {
        Backup::to(target).replacing(self.force).checked(!self.no_check)
    }
}

/// Returns the file that `--db` names. The errors say how to back up a database that is not in a file.
fn database_file(db: &str) -> Result<PathBuf, Box<dyn Error>> {
    if db == super::MEMORY {
        let text =
            "a database in memory can only be backed up through its server: use --endpoint instead of --db";
        return Err(text.into());
    }
    if Pretender::builder().try_database(db)?.is_on_server() {
        let text = "to back up a database on a PostgreSQL server, use `pg_dump`, or copy it into a file with `pretender copy`";
        return Err(text.into());
    }
    super::database::check_exists(db)?;
    Ok(db.into())
}

fn explained(error: BackupError) -> Box<dyn Error> {
    match error {
        BackupError::Exists(_) => format!("{error}: choose another name, or replace it with --force").into(),
        BackupError::Unsound { .. } => {
            format!("{error}: `pretender check` shows the details, and --no-check backs it up as it is")
                .into()
        }
        other => other.into(),
    }
}

fn unless_interrupted(interrupted: &AtomicBool) -> ControlFlow<()> {
    if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

fn show(progress: &mut Progress, step: &BackupProgress, copying: (f64, f64), checking: (f64, f64)) {
    match step {
        BackupProgress::Copying(bytes) => {
            progress.show(&Step::new("copying", bytes.done, Some(bytes.total), Unit::Bytes).within(copying));
        }
        BackupProgress::Checking(step) => {
            let what = format!("checking {}", step.part);
            let rows = Unit::Things("row");
            progress.show(&Step::new(&what, step.rows, Some(step.rows_at_most), rows).within(checking));
        }
    }
}

fn print_report(report: &BackupReport, target: &Path) -> std::io::Result<()> {
    let mut said = format!(
        "Backed up {} with {}, {}, into {}.",
        counted(report.tables, "table"),
        counted(report.items, "item"),
        bytes(report.size_bytes),
        target.display()
    );
    match report.check {
        Some(check) => {
            let (rows, streams) = (counted(check.rows, "row"), counted(check.streams, "stream"));
            said.push_str(&format!(" Checked {rows} and {streams}: sound."));
        }
        None => said.push_str(" Not checked."),
    }
    writeln!(std::io::stdout(), "{}", visible(&said))
}
