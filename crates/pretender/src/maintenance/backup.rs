//! Backups of a database file, also while it is in use.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use pdb_model::{Clock, SystemClock};
use pdb_store::{BackupPlan, CopiedBytes, CopyDescription, Location, OpenError, StoreError};

use super::{CheckEvent, CheckProgress, CheckReport, check};
use crate::{Pretender, location};

/// A backup to be made: its file and its options.
///
/// # Examples
///
/// ```
/// use std::ops::ControlFlow;
/// use pretender::Pretender;
/// use pretender::maintenance::Backup;
///
/// let folder = tempfile::tempdir()?;
/// let (file, target) = (folder.path().join("orders.db"), folder.path().join("backup.db"));
/// Pretender::open(&file)?.close();
/// let report = Backup::to(&target).of_file(&file, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(report.tables, 0);
/// Pretender::open(&target)?.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Backup {
    target: PathBuf,
    replaces: bool,
    is_checked: bool,
}

/// Progress of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupProgress {
    /// The database is being copied.
    Copying(CopiedBytes),
    /// The copy is being checked.
    Checking(CheckProgress),
}

/// Content of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Number of tables.
    pub tables: u64,
    /// Number of items in all tables.
    pub items: u64,
    /// Size in bytes.
    pub size_bytes: u64,
    /// The report of its check; `None` if it was not checked, because that was disabled or an older version created the database.
    pub check: Option<CheckReport>,
}

/// Why a backup failed. A file that had the name before is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The backup would replace its own source.
    #[error("`{}` is the database itself", .0.display())]
    Same(PathBuf),
    /// There is a file with this name already, and [`Backup::replacing`] was not set.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// The folder of the backup does not exist.
    #[error("the folder `{}` does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The copied database is damaged.
    #[error("the database is damaged ({findings} found; the first: {first})", findings = counted(.findings))]
    Unsound {
        /// Number of findings.
        findings: u64,
        /// The first finding.
        first: String,
    },
    /// The bytes of the backup did not arrive.
    #[error("the backup did not arrive")]
    NotReceived(#[source] io::Error),
    /// The caller stopped the backup.
    #[error("the backup was broken off")]
    Stopped,
    /// The source cannot be read, or the target cannot be written.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BrokenOff => Self::Stopped,
            StoreError::Open(OpenError::Exists(path)) => Self::Exists(path),
            other => Self::Store(other),
        }
    }
}

/// Called with the progress of a backup; can stop it.
type Each<'a> = &'a mut dyn FnMut(&BackupProgress) -> ControlFlow<()>;

impl Backup {
    /// Returns a backup to this file, which must not exist yet. Before the backup gets its name it is checked as by
    /// [`check`](super::check()).
    pub fn to(target: impl Into<PathBuf>) -> Self {
        Self { target: target.into(), replaces: false, is_checked: true }
    }

    /// Sets whether the backup replaces an existing database that is not open; the default is `false`.
    pub fn replacing(mut self, replaces: bool) -> Self {
        self.replaces = replaces;
        self
    }

    /// Sets whether the backup is checked; the default is `true`. A backup of a damaged database succeeds only without the check.
    pub fn checked(mut self, is_checked: bool) -> Self {
        self.is_checked = is_checked;
        self
    }

    /// Checks the target of the backup: its folder exists, and no file would be replaced.
    ///
    /// # Errors
    ///
    /// [`BackupError::Exists`], [`BackupError::NoFolder`].
    pub fn check_target(&self) -> Result<(), BackupError> {
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(BackupError::NoFolder(folder.into()));
        }
        if !self.replaces && fs::symlink_metadata(&self.target).is_ok() {
            return Err(BackupError::Exists(self.target.clone()));
        }
        Ok(())
    }

    /// Copies a database file, which other processes may have open and write.
    ///
    /// The copy has the state of one commit. Writers do not wait for it; the log of the database grows by what they write during this time.
    /// The copy is written under another name in the same folder, and is on the disk before it gets its name. Consumers of streams can
    /// continue with it as after a crash: sequence numbers continue higher. Use [`Pretender::save_snapshot_file`] for a file that this
    /// process has open itself.
    ///
    /// # Errors
    ///
    /// [`BackupError`].
    pub fn of_file(&self, source: impl AsRef<Path>, each: Each<'_>) -> Result<BackupReport, BackupError> {
        let source = source.as_ref();
        if is_same(source, &self.target) {
            return Err(BackupError::Same(self.target.clone()));
        }
        self.check_target()?;
        self.finish(each, |plan, each| {
            pdb_store::back_up(
                source,
                SystemClock.now(),
                &mut |step| each(&BackupProgress::Copying(step)),
                plan,
            )
        })
    }

    /// Makes the backup from bytes that a server sends, which `fill` writes.
    ///
    /// # Errors
    ///
    /// [`BackupError`].
    pub fn receive(
        &self,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
        each: Each<'_>,
    ) -> Result<BackupReport, BackupError> {
        self.check_target()?;
        self.finish(each, |plan, _| {
            pdb_store::receive(|file| fill(file).map_err(BackupError::NotReceived), plan)
        })
    }

    fn finish(
        &self,
        each: Each<'_>,
        make: impl FnOnce(BackupPlan<'_, BackupError>, Each<'_>) -> Result<CopyDescription, BackupError>,
    ) -> Result<BackupReport, BackupError> {
        // Told by the copy and, after it, by the check.
        let each = RefCell::new(each);
        let mut check = None;
        let mut accept = |unfinished: &Path| {
            if self.is_checked {
                check = sound(unfinished, &mut **each.borrow_mut())?;
            }
            Ok(())
        };
        let plan = BackupPlan { target: &self.target, replaces: self.replaces, accept: &mut accept };
        let made = make(plan, &mut |step| (each.borrow_mut())(step))?;
        let CopyDescription { tables, items, size_bytes, .. } = made;
        Ok(BackupReport { tables, items, size_bytes, check })
    }
}

/// Checks a copy that has not got its name yet; none of a database that an older version made, which only that version can check.
fn sound(file: &Path, each: Each<'_>) -> Result<Option<CheckReport>, BackupError> {
    let mut first = None;
    let checked = check(&Pretender::builder().file(file), &mut |event| match event {
        CheckEvent::Finding(finding) => first = first.take().or(Some(finding)),
        // A check goes on to its end.
        CheckEvent::Progress(step) => drop(each(&BackupProgress::Checking(step))),
    });
    match (checked, first) {
        (Err(StoreError::Open(OpenError::Older { .. })), _) => Ok(None),
        (Err(error), _) => Err(error.into()),
        (Ok(report), None) => Ok(Some(report)),
        (Ok(report), Some(first)) => {
            Err(BackupError::Unsound { findings: report.findings, first: first.to_string() })
        }
    }
}

fn is_same(source: &Path, target: &Path) -> bool {
    matches!((fs::canonicalize(source), fs::canonicalize(target)), (Ok(source), Ok(target)) if source == target)
}

fn counted(findings: &u64) -> String {
    if *findings == 1 { "1 error".to_owned() } else { format!("{findings} errors") }
}

/// # Regions
impl Pretender {
    /// Returns the regions whose databases lie beside a file, in order: those that a server with separate regions has created there. Copies
    /// are not among them, unless they have the name of a region of AWS, because such a file may have been restored.
    ///
    /// # Errors
    ///
    /// That of the system, if the folder cannot be read.
    pub fn regions_beside(file: impl AsRef<Path>) -> io::Result<Vec<String>> {
        let file = file.as_ref();
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name()));
        let names = entries.collect::<io::Result<Vec<_>>>()?;
        let mut regions: Vec<String> =
            names.iter().filter_map(|name| region_of(file, folder, name.to_str()?)).collect();
        regions.sort_unstable();
        Ok(regions)
    }

    /// Returns the file in which a server with separate regions stores the data of another region, beside this one.
    ///
    /// # Errors
    ///
    /// [`OpenError::Address`] for a name that cannot be part of a file name.
    pub fn file_of_region(file: impl AsRef<Path>, region: &str) -> Result<PathBuf, OpenError> {
        match location::in_region(&Location::File(file.as_ref().into()), region)? {
            Location::File(path) => Ok(path),
            other => Err(OpenError::Address(format!("`{other}` is not a file"))),
        }
    }
}

/// The region whose database lies in a file beside another, if there is one in it.
fn region_of(file: &Path, folder: &Path, name: &str) -> Option<String> {
    // The name of a region is the last part of the name of the file, but for the ending.
    let before = format!("{}.", file.file_stem()?.to_str()?);
    let after = match file.extension() {
        Some(extension) => format!(".{}", extension.to_str()?),
        None => String::new(),
    };
    let region = name.strip_prefix(&before)?.strip_suffix(&after)?;
    let place = location::in_region(&Location::File(file.into()), region).ok()?;
    let Location::File(path) = place else { return None };
    let path = folder.join(path.file_name().filter(|found| *found == name)?);
    let is_copy = path.is_file().then(|| pdb_store::is_copy(&path)).flatten()?;
    // Without an ending `orders.db` may be another database beside `orders`.
    let may_be_any = !is_copy && file.extension().is_some();
    (may_be_any || is_like_a_region(region)).then(|| region.to_owned())
}

/// Whether a text looks like `eu-west-1`, and not like a date.
fn is_like_a_region(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.contains('-')
        && text.ends_with(|last: char| last.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_found_by_the_names_of_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let file = path("orders.db");
        for name in [
            "orders.db",
            "orders.eu-west-1.db",
            "orders.us-gov-east-1.db",
            "orders.ddblocal.db",
            "orders.a.b.db",
            "orders.Old.db",
            "other.eu-west-2.db",
            "orders.eu-west-3",
        ] {
            Pretender::open(path(name)).unwrap().close();
        }
        // One copy may have been restored; the others are copies.
        for name in ["orders.2026-11-29.db", "orders.backup.db", "orders.sa-east-1.db"] {
            Backup::to(path(name)).of_file(&file, &mut |_| ControlFlow::Continue(())).unwrap();
        }
        fs::write(path("orders.notes.db"), "notes").unwrap();
        fs::write(path("orders.empty.db"), "").unwrap();
        fs::create_dir(path("orders.eu-west-9.db")).unwrap();
        let expected = ["ddblocal", "eu-west-1", "sa-east-1", "us-gov-east-1"];
        assert_eq!(Pretender::regions_beside(&file).unwrap(), expected);
        let of_region = Pretender::file_of_region(&file, "eu-west-1").unwrap();
        assert_eq!(of_region, folder.path().join("orders.eu-west-1.db"));
        assert_eq!(Pretender::regions_beside(folder.path().join("orders")).unwrap(), ["eu-west-3"]);
    }
}
