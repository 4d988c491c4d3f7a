//! What an archive does about one shard.

use pdb_model::EpochMillis;
use pdb_store::{ReadTx, ShardRow, Store, StoreError, StreamRow};

use crate::note::{Note, ShardNote};
use crate::plan::{Due, first_behind, plan};
use crate::{ArchiveError, ArchiveLocation, Gap, Manifest, adopt, segment, verify};

/// A shard about which something is to be done.
#[derive(Clone, Debug)]
pub(crate) struct ShardWork {
    pub(crate) shard: ShardRow,
    /// What the database knows; `None` if the stream was never archived in this place.
    noted: Option<ShardNote>,
    /// When the first record was created that is due.
    pub(crate) oldest: Option<EpochMillis>,
}

impl ShardWork {
    /// Whether the archiving of the shard begins, and nothing is due yet.
    pub(crate) fn is_begin(&self) -> bool {
        self.noted.is_none() && self.oldest.is_none() && self.shard.is_open()
    }

    /// Returns the note with which the archiving of the shard begins.
    pub(crate) fn begun(&self) -> ShardNote {
        ShardNote { through: self.shard.starting.max(self.shard.trimmed), is_complete: false }
    }
}

/// Finds the shards of a stream about which something is to be done. Looks at the database alone.
pub(crate) fn find_work(
    tx: &mut ReadTx<'_>,
    location: &ArchiveLocation,
    stream: &StreamRow,
    due: Due,
) -> Result<Vec<ShardWork>, StoreError> {
    if tx.stream(&stream.arn)?.is_none_or(|now| now.id != stream.id) {
        return Ok(Vec::new());
    }
    let note = Note::read(tx, location, &stream.arn)?;
    let mut work = Vec::new();
    for shard in tx.shards(stream.id)? {
        let noted = note.as_ref().map(|note| note.shard(&shard));
        let through = noted.map_or(0, |noted| noted.through);
        let first = first_behind(tx, stream, &shard, through.max(shard.trimmed))?;
        let oldest = first.filter(|created| due.is_due(*created, !shard.is_open()));
        let is_news = match noted {
            // Archiving begins here: what is trimmed from now on, was lost.
            None => true,
            Some(noted) => (!shard.is_open() && !noted.is_complete) || shard.trimmed > noted.through,
        };
        if oldest.is_some() || is_news {
            work.push(ShardWork { shard, noted, oldest });
        }
    }
    Ok(work)
}

/// Archives what is due of a shard, and adds it to the manifest. Returns what the database may know when the manifest is written.
pub(crate) fn archive_shard(
    location: &ArchiveLocation,
    store: &Store,
    stream: &StreamRow,
    work: &ShardWork,
    due: Due,
    manifest: &mut Manifest,
    is_stopped: &dyn Fn() -> bool,
) -> Result<ShardNote, ArchiveError> {
    let ShardWork { shard, noted, .. } = work;
    let number = |counter| shard.sequence_number(counter);
    let archived = manifest.shard_of(shard);
    let claimed = noted.map_or(0, |noted| noted.through);
    if archived.through().is_none_or(|through| through < number(claimed)) && claimed > shard.starting {
        // The manifest is older than what it should say.
        for segment in adopt::objects_behind(location, &stream.arn, shard.id.as_str(), archived.through())? {
            archived.add(segment);
        }
    }
    let through = archived.through().map(|through| through.counter);
    if through.is_some_and(|through| through > claimed) {
        verify::check_same(location, store, (stream, shard), archived, claimed.max(shard.trimmed))?;
    }
    // Where the archive should go on. Without any note, it begins at what is there.
    let expected = through.or(noted.map(|noted| noted.through));
    let begin = through.unwrap_or(shard.starting).max(shard.trimmed);
    if let Some(after) = expected.filter(|expected| *expected < shard.trimmed) {
        archived.gaps.push(Gap { after: number(after), through: number(shard.trimmed) });
        tracing::error!(
            stream = %stream.arn,
            shard = %shard.id,
            after = %number(after),
            through = %number(shard.trimmed),
            "records were trimmed that are not in the archive; its manifest notes the gap"
        );
    }
    let mut covered = begin;
    for run in plan(store, stream, shard, begin, due)? {
        if is_stopped() {
            return Ok(ShardNote { through: covered, is_complete: false });
        }
        archived.add(segment::write(location, store, stream, shard, run)?);
        covered = run.last;
    }
    // No further records can come if it is closed, and all that came are due.
    Ok(ShardNote { through: covered, is_complete: !shard.is_open() })
}
