//! Objects that the manifest does not name: a process died before it wrote the manifest, or another one wrote an older manifest after it.

use std::ops::ControlFlow;

use pdb_model::{SequenceNumber, StreamArn};

use crate::layout::interval_of;
use crate::{ArchiveError, ArchiveLocation, Segment, segment};

/// Returns the entries of all objects of a shard that have records behind a number.
pub(crate) fn objects_behind(
    location: &ArchiveLocation,
    stream: &StreamArn,
    shard_id: &str,
    number: Option<SequenceNumber>,
) -> Result<Vec<Segment>, ArchiveError> {
    let folder = location.shard_folder(stream, shard_id);
    let mut found = Vec::new();
    location.objects.list(&location.bucket, &folder, &mut |object| {
        if let Some((after, last)) = interval_of(&object.key)
            && number.is_none_or(|number| number < last)
        {
            found.push((object.key, (after, last)));
        }
        ControlFlow::Continue(())
    })?;
    found.iter().map(|(key, interval)| segment::describe(location, key, *interval)).collect()
}
