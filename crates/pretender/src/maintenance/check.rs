//! Checks of a whole database: whether everything in it fits together.

mod contents;
mod findings;
mod histories;
mod indexes;
mod items;
mod shards;
mod streams;

pub use findings::{CheckProgress, CheckReport, Finding, FindingKind};

use pdb_store::{Inspection, Part, ReadTx, StoreError};

use crate::{Builder, Pretender};
use findings::Findings;

/// An event of a running check.
#[derive(Clone, Debug)]
pub enum CheckEvent {
    /// Something is wrong.
    Finding(Finding),
    /// Progress of the check.
    Progress(CheckProgress),
}

/// Checks a database: SQLite's own check of the file, checksums of rows, texts and the keys under which they are stored, counts and sizes,
/// indexes against their tables, expiry, histories, shards and their lineage, records against their shards, streams that are complete against their
/// tables, and rows that belong to nothing.
///
/// Only the location of the data in the builder matters. A file is only read, and must not be in use. A database on a server is read in one
/// snapshot and may be in use. `each` is called with findings and progress as they come. The memory that the check takes does not grow with
/// the database. Each kind of finding is reported about a dozen times for a part of the database; a last finding gives the number of others.
///
/// # Errors
///
/// [`StoreError`] if the database cannot be opened, or its definitions cannot be read at all.
///
/// # Examples
///
/// ```
/// use pretender::Pretender;
/// use pretender::maintenance::check;
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("orders.db");
/// Pretender::open(&file)?.close();
/// let report = check(&Pretender::builder().file(file), &mut |_| {})?;
/// assert!(report.is_sound());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check(builder: &Builder, each: &mut dyn FnMut(CheckEvent)) -> Result<CheckReport, StoreError> {
    run(&Inspection::open(builder.store_options()?)?, each)
}

impl Pretender {
    /// Checks this database while it is open, in one snapshot. See [`check`](super::check()).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database cannot be read at all.
    pub fn check(&self, each: &mut dyn FnMut(CheckEvent)) -> Result<CheckReport, StoreError> {
        run(&Inspection::of(self.inner.store.clone()), each)
    }
}

fn run(inspection: &Inspection, each: &mut dyn FnMut(CheckEvent)) -> Result<CheckReport, StoreError> {
    inspection.read(|tx| {
        let mut findings = Findings::new(each, tx.shape().map_or(0, |shape| shape.rows()));
        check_file(tx, &mut findings);
        let kept = match pdb_items::tables::kept_items(tx) {
            Ok(kept) => kept,
            Err(error) => {
                findings.broken("backups", &error);
                Vec::new()
            }
        };
        check_orphans(tx, &kept, &mut findings);
        check_small(tx, &Part::Tokens, &mut findings);
        check_small(tx, &Part::Documents, &mut findings);
        for table in tx.tables()? {
            findings.report.tables += 1;
            let contents = items::check_table(tx, &table, &mut findings);
            indexes::check_indexes(tx, &table, &contents, &mut findings);
            streams::check_enabled(&table, &mut findings);
            histories::check_history(tx, &table, &mut findings);
            findings.table_contents(table.name(), contents);
        }
        for backup in &kept {
            items::check_backup(tx, backup, &mut findings);
        }
        streams::check_streams(tx, &mut findings)?;
        Ok(findings.finish())
    })
}

/// The structure of the file, by SQLite's own check.
fn check_file(tx: &mut ReadTx<'_>, findings: &mut Findings<'_>) {
    findings.begin("structure of the file");
    // It may take long, and tells nothing meanwhile.
    findings.tell_progress(false);
    match tx.structural_damage() {
        Ok(lines) => {
            for line in lines {
                findings.add(FindingKind::File, "the file", &line);
            }
        }
        Err(error) => findings.broken("the file", &error),
    }
    findings.end();
}

fn check_orphans(tx: &mut ReadTx<'_>, kept: &[pdb_items::tables::KeptItems], findings: &mut Findings<'_>) {
    let names: Vec<String> = kept.iter().map(|backup| backup.name.clone()).collect();
    match tx.orphans(&names) {
        Ok(orphans) => {
            for orphan in orphans {
                findings.add(FindingKind::Orphan, "the database", &orphan);
            }
        }
        Err(error) => findings.broken("the database", &error),
    }
}

/// Tokens and documents: each is JSON, or nothing.
fn check_small(tx: &mut ReadTx<'_>, part: &Part, findings: &mut Findings<'_>) {
    let subject = part.to_string();
    findings.begin(&subject);
    let walked = tx.walk(part, &mut |_, row| {
        match &row {
            Ok(row) if row.is_readable() => {}
            Ok(_) => findings.add(FindingKind::Text, &subject, "a text is not JSON"),
            Err(error) => findings.damaged(&subject, error),
        }
        findings.row(row.is_ok_and(|row| row.has_checksum()))
    });
    findings.walked(&subject, walked);
}
