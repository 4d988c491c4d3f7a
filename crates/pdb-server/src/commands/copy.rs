//! `pretender copy`.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;

use clap::Args;
use pretender::maintenance::{CopyPhase, CopyProgress};
use pretender::{Builder, Pretender};

use super::database::{WaitNotice, check_exists, is_like_memory};
use crate::progress::{Progress, Step, Unit};
use crate::quantity::counted;

/// Shares of the total time, for the progress bar.
const COPYING: (f64, f64) = (0.0, 0.6);
const COMPARING: (f64, f64) = (0.6, 1.0);

/// Copy a whole database into an empty one.
///
/// Copies tables with their settings, items, indexes and backups, and streams with their shards and sequence numbers:
/// consumers can continue with the shard iterators they have. At the end, it compares source and target row by row. No
/// server may use either of them meanwhile. If a copy is interrupted, run the same command again: it continues where it
/// stopped. Servers refuse to open the target until the copy is complete.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Copy {
    /// The database to copy: a file, or "postgres://USER:PASSWORD@HOST/DATABASE"
    #[arg(long, value_name = "DB")]
    from: String,

    /// Where to copy it to: a new file, or an empty database on a PostgreSQL server
    #[arg(long, value_name = "DB")]
    to: String,
}

const EXAMPLES: &str = "\
Examples:
  pretender copy --from pretender.db --to copy.db
  pretender copy --from pretender.db --to postgres://me@db/orders";

impl Copy {
    /// Copies the database.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let to = database(&self.to)?;
        let from = existing(&self.from)?;
        let mut progress = Progress::new();
        let mut waiting = (WaitNotice::begin(&from), WaitNotice::begin(&to));
        let copied = pretender::maintenance::copy(&from, &to, &mut |step| {
            waiting = (None, None);
            show(&mut progress, step);
            ControlFlow::Continue(())
        });
        drop(progress);
        let report = copied?;
        let mut said = format!(
            "Copied {} and {}: {}, {} of them stream records. Counts and checksums agree.\n",
            counted(report.tables, "table"),
            counted(report.streams, "stream"),
            counted(report.rows, "row"),
            report.records
        );
        if report.rows_found > 0 {
            said.push_str(&format!("An earlier attempt had copied {}.\n", counted(report.rows_found, "row")));
        }
        Ok(std::io::stdout().write_all(said.as_bytes())?)
    }
}

/// Progress is measured in bytes: the sizes of rows may differ a hundredfold, so a bar that counts rows would stall at
/// the large ones.
fn show(progress: &mut Progress, step: &CopyProgress) {
    let (what, share) = match step.phase {
        CopyPhase::Copying => ("copying", COPYING),
        CopyPhase::Verifying => ("comparing", COMPARING),
    };
    let what = format!("{what} {}", step.part);
    progress.show(&Step::new(&what, step.bytes, Some(step.bytes_in_all), Unit::Bytes).within(share));
}

/// Returns the source, which must exist: opening a missing file would create it.
fn existing(text: &str) -> Result<Builder, Box<dyn Error>> {
    let builder = database(text)?;
    if !builder.is_on_server() {
        check_exists(text)?;
    }
    Ok(builder)
}

fn database(text: &str) -> Result<Builder, Box<dyn Error>> {
    if text == super::MEMORY || is_like_memory(text) {
        let text =
            "only its own process can reach a database in memory, so it can be neither source nor target";
        return Err(text.into());
    }
    Ok(Pretender::builder().try_database(text)?)
}
