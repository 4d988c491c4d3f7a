//! Copies of a whole database to another.

use std::ops::ControlFlow;

use pdb_store::{Digest, Part, Pending, Place, ReadTx, Shape, Store, StoreError, StoreOptions};

use crate::Builder;

/// The current phase of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyPhase {
    /// Writing rows to the target.
    Copying,
    /// Comparing source and target.
    Verifying,
}

/// Progress of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    /// The phase.
    pub phase: CopyPhase,
    /// The part that is copied or compared, for people, such as `items of Orders`.
    pub part: String,
    /// Rows of this part that are done. While comparing, half of the rows that were read from source and target.
    pub part_rows: u64,
    /// Whether the part is done.
    pub is_part_done: bool,
    /// Rows of all parts that are done in this phase, without those of an earlier attempt.
    pub rows: u64,
    /// The maximum number of rows in all parts, without tokens, documents and backups.
    pub rows_at_most: u64,
    /// Approximate number of bytes of all parts that are done in this phase. A part counts fully when it is done, including what an earlier
    /// attempt copied.
    pub bytes: u64,
    /// Approximate number of bytes in all parts.
    pub bytes_in_all: u64,
}

/// Content of a finished copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// Tables.
    pub tables: u64,
    /// Streams, also disabled ones.
    pub streams: u64,
    /// Rows of all kinds in the target: items, index entries, stream records, and smaller things.
    pub rows: u64,
    /// Of these, stream records.
    pub records: u64,
    /// Rows that an earlier attempt had copied.
    pub rows_found: u64,
}

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source cannot be opened or read.
    #[error("the source cannot be read")]
    Source(#[source] StoreError),
    /// The target cannot be opened or written.
    #[error("the target cannot be written")]
    Target(#[source] StoreError),
    /// Source and target are the same database, possibly under two names.
    #[error("source and target are the same database")]
    SameDatabase,
    /// The target has data that does not come from an unfinished copy.
    #[error("the target holds data of its own: a copy needs an empty database")]
    Occupied,
    /// Source and target differ after the copy. The text says where.
    #[error("source and target differ in {0}: remove the target and copy again, with nobody writing")]
    Differs(String),
    /// The caller stopped the copy. Called again, it continues from there.
    #[error("the copy was broken off")]
    Stopped,
}

/// Reads of the source fail in the middle of a read of its store.
impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Source(error)
    }
}

/// Copies a database to an empty one, in any combination of engines: tables with their settings, items, index entries, backups, streams
/// with their shards, sequence numbers and records, and the key of shard iterators, so that consumers can continue with the iterators they
/// have. At the end it compares both databases row by row.
///
/// Only the location of the data in the builders matters. `each` is called after every step of some megabytes, and can stop the copy. A
/// copy that was stopped or killed continues when it is called again; if the source has changed since, it starts again. Until the copy is
/// finished, the target cannot be opened in another way, and no other process may use it. What is written to the source during the copy
/// (possible on PostgreSQL only) is not copied.
///
/// # Errors
///
/// [`CopyError`]. What was copied before the error stays.
///
/// # Examples
///
/// ```
/// use std::ops::ControlFlow;
/// use pretender::Pretender;
/// use pretender::maintenance::copy;
///
/// let folder = tempfile::tempdir()?;
/// let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
/// Pretender::open(&from)?.close();
/// let (from, to) = (Pretender::builder().file(from), Pretender::builder().file(to));
/// let report = copy(&from, &to, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(report.tables, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn copy(
    from: &Builder,
    to: &Builder,
    each: &mut dyn FnMut(&CopyProgress) -> ControlFlow<()>,
) -> Result<CopyReport, CopyError> {
    let source_options = from.store_options().map_err(CopyError::Source)?;
    let is_same = |to: &StoreOptions| source_options.location.is_same_as(&to.location);
    if to.store_options().is_ok_and(is_same) {
        return Err(CopyError::SameDatabase);
    }
    let source = Store::open(source_options).map_err(CopyError::Source)?;
    let target = to.store_options().and_then(Store::open_to_fill).map_err(CopyError::Target)?;
    let report = source.read(|tx| {
        let shape = tx.shape()?;
        let parts = tx.parts()?;
        let extents = parts.iter().map(|part| tx.extent(part, &shape)).collect::<Result<_, _>>()?;
        let mut copying =
            Copying { target: &target, each, rows: 0, rows_at_most: shape.rows(), extents, part: 0 };
        let goes_on = copying.begin(&shape)?;
        let mut report = CopyReport {
            tables: shape.tables() as u64,
            streams: shape.streams() as u64,
            ..CopyReport::default()
        };
        for (number, part) in parts.iter().enumerate() {
            copying.part = number;
            let after = if goes_on { copying.resume(part)? } else { Place::default() };
            copying.copy(tx, part, after)?;
        }
        copying.verify(tx, &parts, &shape, &mut report)?;
        Ok::<_, CopyError>(report)
    })?;
    target.write(|tx| tx.finish_copy()).map_err(CopyError::Target)?;
    target.close();
    Ok(report)
}

/// What a row takes besides its text: a small one costs no less than the work for its key and its checksum.
const ROW_BYTES: u64 = 200;

/// What a part of so many rows and bytes costs.
fn cost((rows, bytes): (u64, u64)) -> u64 {
    bytes.saturating_add(rows.saturating_mul(ROW_BYTES))
}

struct Copying<'a> {
    target: &'a Store,
    each: &'a mut dyn FnMut(&CopyProgress) -> ControlFlow<()>,
    rows: u64,
    rows_at_most: u64,
    /// About how many rows and bytes each part has.
    extents: Vec<(u64, u64)>,
    /// Which part it is at.
    part: usize,
}

impl Copying<'_> {
    /// Prepares the target; returns whether an earlier attempt has left something in it to go on with.
    fn begin(&mut self, shape: &Shape) -> Result<bool, CopyError> {
        let found = self.target.read(|tx| {
            let is_blank = tx.shape()?.is_empty()
                && tx.rows(&Part::Tokens, &Place::default())?.is_empty()
                && tx.rows(&Part::Documents, &Place::default())?.is_empty();
            Ok::<_, StoreError>((tx.copy_source()?, is_blank))
        });
        let source = shape.fingerprint();
        let is_old = match found.map_err(CopyError::Target)? {
            (Some(earlier), _) if earlier == source => return Ok(true),
            (None, false) => return Err(CopyError::Occupied),
            (mark, _) => mark.is_some(),
        };
        let shape = shape.clone();
        let begun = self.target.write(move |tx| {
            if is_old {
                tx.discard_copy()?;
            }
            tx.begin_copy(&source, &shape)
        });
        begun.map(|()| false).map_err(CopyError::Target)
    }

    /// Finds the place where an earlier attempt came to in a part.
    fn resume(&mut self, part: &Part) -> Result<Place, CopyError> {
        if !part.is_small() {
            return self.target.read(|tx| tx.end_of(part)).map_err(CopyError::Target);
        }
        let cleared = part.clone();
        self.target.write(move |tx| tx.clear(&cleared)).map_err(CopyError::Target)?;
        Ok(Place::default())
    }

    /// Copies what a part has behind a place.
    fn copy(&mut self, tx: &mut ReadTx<'_>, part: &Part, mut after: Place) -> Result<(), CopyError> {
        let mut part_rows = 0;
        let mut pending: Option<Pending<Result<(), StoreError>>> = None;
        loop {
            // One step is read while the one before it is written.
            let rows = tx.rows(part, &after)?;
            if let Some(written) = pending.take() {
                written.wait().map_err(CopyError::Target)?;
            }
            self.tell(CopyPhase::Copying, part, part_rows, rows.is_empty())?;
            if rows.is_empty() {
                return Ok(());
            }
            after = rows.end(part);
            part_rows += rows.len() as u64;
            self.rows += rows.len() as u64;
            let part = part.clone();
            let mut written = self.target.submit(move |tx| tx.add_rows(&part, &rows));
            written.begin();
            pending = Some(written);
        }
    }

    /// Compares source and target, and counts.
    fn verify(
        &mut self,
        tx: &mut ReadTx<'_>,
        parts: &[Part],
        shape: &Shape,
        report: &mut CopyReport,
    ) -> Result<(), CopyError> {
        let copied = std::mem::take(&mut self.rows);
        for (number, part) in parts.iter().enumerate() {
            self.part = number;
            // Both are read whole, so each is half of the part.
            let there = self.digest_of_target(part)?;
            let mut here = Digest::default();
            let mut after = Place::default();
            loop {
                let rows = tx.rows(part, &after)?;
                here.add(&rows);
                self.rows += rows.len() as u64;
                self.tell(CopyPhase::Verifying, part, (there.rows + here.rows) / 2, rows.is_empty())?;
                if rows.is_empty() {
                    break;
                }
                after = rows.end(part);
            }
            if here != there {
                let rows = format!("{part}: {} rows there, {} here", here.rows, there.rows);
                return Err(CopyError::Differs(rows));
            }
            report.rows += there.rows;
            if matches!(part, Part::Records(_)) {
                report.records += there.rows;
            }
        }
        let there = self.target.read(|tx| tx.shape()).map_err(CopyError::Target)?;
        if there != *shape {
            return Err(CopyError::Differs("definitions, streams or counts".to_owned()));
        }
        report.rows_found = report.rows.saturating_sub(copied);
        Ok(())
    }

    fn digest_of_target(&mut self, part: &Part) -> Result<Digest, CopyError> {
        let (mut digest, mut after) = (Digest::default(), Place::default());
        loop {
            let rows = self.target.read(|tx| tx.rows(part, &after)).map_err(CopyError::Target)?;
            if rows.is_empty() {
                return Ok(digest);
            }
            digest.add(&rows);
            self.tell(CopyPhase::Verifying, part, digest.rows / 2, false)?;
            after = rows.end(part);
        }
    }

    fn tell(
        &mut self,
        phase: CopyPhase,
        part: &Part,
        part_rows: u64,
        is_part_done: bool,
    ) -> Result<(), CopyError> {
        let (before, rest) = self.extents.split_at(self.part.min(self.extents.len()));
        let bytes_in = |extents: &[(u64, u64)]| {
            extents.iter().fold(0_u64, |sum, extent| sum.saturating_add(cost(*extent)))
        };
        let this = rest.first().map_or(0, |&extent| match extent {
            extent if is_part_done => cost(extent),
            (rows, _) if part_rows >= rows => cost(extent),
            // No part has so much that this overflows.
            (rows, _) => (u128::from(cost(extent)) * u128::from(part_rows) / u128::from(rows)) as u64,
        });
        let progress = CopyProgress {
            bytes: bytes_in(before).saturating_add(this),
            bytes_in_all: bytes_in(&self.extents),
            phase,
            part: part.to_string(),
            part_rows,
            is_part_done,
            rows: self.rows,
            rows_at_most: self.rows_at_most,
        };
        if (self.each)(&progress).is_break() { Err(CopyError::Stopped) } else { Ok(()) }
    }
}
