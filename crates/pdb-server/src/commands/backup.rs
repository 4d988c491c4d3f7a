//! `pretender backup`.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use pretender::{Backup, BackupError, BackupProgress, BackupReport, Pretender};

use crate::progress::{self, Progress, Step, Unit};
use crate::signals;
use crate::terminal::visible;

/// The part of the time that copying takes, and the check after it.
const COPYING: (f64, f64) = (0.0, 0.3);
const CHECKING: (f64, f64) = (0.3, 1.0);

/// Copy a database while it is in use.
///
/// The backup is one consistent state: it has every write that was acknowledged before the command began, with its stream record. No
/// writer waits for it. It is checked as `pretender check` does, and gets its name when it is complete and on the disk. The backup is a
/// database like any other: to restore it, stop the server and put it in the place of its file. See docs/operations.md.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BackUp {
    /// The database: a file, which a server may have open
    #[arg(long, value_name = "FILE")]
    db: String,

    /// The file of the backup, which must not be there yet
    #[arg(value_name = "TARGET")]
    target: PathBuf,

    /// Replace a database that is there already, and that nobody has open
    #[arg(long, short)]
    force: bool,

    /// Do not check the backup: it takes a third of the time, and is possible for a damaged database, too
    #[arg(long)]
    no_check: bool,

    /// Also the databases of other regions, which `serve --separate-regions` keeps beside the file: each in a file beside TARGET
    #[arg(long)]
    all_regions: bool,
}

const EXAMPLES: &str = "\
Examples:
  pretender backup --db pretender.db backup.db
  pretender backup --db pretender.db --force latest.db";

impl BackUp {
    /// Makes the backup.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let source = database_file(&self.db)?;
        let others = Pretender::regions_beside(&source).unwrap_or_default();
        let mut backups = vec![(source.clone(), self.target.clone())];
        if self.all_regions {
            for region in &others {
                let beside = |file: &Path| Pretender::file_of_region(file, region);
                backups.push((beside(&source)?, beside(&self.target)?));
            }
        } else if !others.is_empty() {
            let note = format!(
                "Other regions have databases beside it, which are not in this backup: {}. Add --all-regions for them.",
                others.join(", ")
            );
            let _ = writeln!(std::io::stderr(), "{}", visible(&note));
        }
        // Before the first one is made. A database in its own place is told apart from another file there.
        for (_, target) in backups.iter().filter(|(source, target)| source != target) {
            self.backup(target).check_target().map_err(explained)?;
        }
        let interrupted = signals::interruption();
        for (source, target) in &backups {
            let mut progress = Progress::new();
            let made = self.backup(target).of_file(source, &mut |step| {
                show(&mut progress, step);
                if interrupted.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            drop(progress);
            let said = in_words(&made.map_err(explained)?, target);
            writeln!(std::io::stdout(), "{}", visible(&said))?;
        }
        Ok(())
    }

    fn backup(&self, target: &Path) -> Backup {
        Backup::to(target).replacing(self.force).checked(!self.no_check)
    }
}

/// The file that the name of a database means; there are other ways for those that are not in files.
fn database_file(db: &str) -> Result<PathBuf, Box<dyn Error>> {
    if db == super::MEMORY {
        let text = "a database in memory is backed up through its server: give --endpoint instead of --db";
        return Err(text.into());
    }
    if Pretender::builder().try_database(db)?.is_on_server() {
        let text = "a database on a PostgreSQL server is backed up with `pg_dump`, or copied into a file with `pretender copy`";
        return Err(text.into());
    }
    if !Path::new(db).exists() {
        return Err(format!("`{db}` does not exist").into());
    }
    Ok(db.into())
}

fn explained(error: BackupError) -> Box<dyn Error> {
    match error {
        BackupError::Exists(_) => format!("{error}: choose another name, or replace it with --force").into(),
        BackupError::Unsound { .. } => {
            format!("{error}: `pretender check` tells more, and --no-check copies it as it is").into()
        }
        other => other.into(),
    }
}

fn show(progress: &mut Progress, step: &BackupProgress) {
    match step {
        BackupProgress::Copying(bytes) => {
            progress.show(&Step::new("copying", bytes.done, Some(bytes.total), Unit::Bytes).within(COPYING))
        }
        BackupProgress::Checking(step) => {
            let what = format!("checking {}", step.part);
            let rows = Unit::Things("rows");
            progress.show(&Step::new(&what, step.rows, Some(step.rows_at_most), rows).within(CHECKING));
        }
    }
}

fn in_words(report: &BackupReport, target: &Path) -> String {
    let counted = |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let mut said = format!(
        "Backed up {} with {}, {}, into {}.",
        counted(report.tables, "table"),
        counted(report.items, "item"),
        progress::amount(report.size_bytes, Unit::Bytes),
        target.display()
    );
    if let Some(check) = report.check {
        said.push_str(&format!(
            " Checked {} and {}: sound.",
            counted(check.rows, "row"),
            counted(check.streams, "stream")
        ));
    }
    said
}
