//! Whether the archive has the same records as the database, where both should.
//!
//! Usually the note of the database says so. If the archive has more than the note tells, then a process died before it wrote the note, or the
//! database was restored to an earlier state: the numbers it gives out since then are higher. Or the archive is that of another database, which
//! gave the same numbers to other records: that must not be taken for an archive of this one.

use pdb_store::{ShardRow, Store, StreamRow};

use crate::segment::{OpenSegment, read_page};
use crate::{ArchiveError, ArchiveLocation, ArchivedShard};

/// Compares the records of a shard behind a counter with those in the archive.
pub(crate) fn check_same(
    location: &ArchiveLocation,
    store: &Store,
    (stream, shard): (&StreamRow, &ShardRow),
    archived: &ArchivedShard,
    behind: u64,
) -> Result<(), ArchiveError> {
    for segment in &archived.objects {
        if segment.last <= shard.sequence_number(behind) || segment.last.shard != shard.number {
            continue;
        }
        let mut lines = OpenSegment::open(location, segment)?;
        let mut next = behind.saturating_add(1).max(segment.first.counter);
        let mut line = lines.next()?;
        while next <= segment.last.counter {
            let (mut page, mut records) = (String::new(), 0);
            let range = (next, segment.last.counter);
            let last = read_page(store, stream, shard.number, range, &mut page, &mut records)?;
            for text in page.lines() {
                // The archive may have records that the database has lost.
                let (number, _) =
                    crate::record::head_of(text).map_err(|reason| location.damaged(&segment.key, reason))?;
                while line.as_ref().is_some_and(|line| line.number < number) {
                    line = lines.next()?;
                }
                if line.as_ref().is_none_or(|line| line.text != text) {
                    return Err(ArchiveError::Foreign {
                        location: location.to_string(),
                        stream: stream.arn.to_string(),
                        number: number.to_string(),
                    });
                }
            }
            let Some(last) = last else { break };
            next = last.saturating_add(1);
        }
    }
    Ok(())
}
