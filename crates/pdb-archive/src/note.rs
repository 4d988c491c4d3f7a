//! What the database knows of its archive: through which number each shard is in it.
//!
//! The note is what holds the trim back. It is written after the manifest, so it never promises too much; if it promises too little, because
//! a process died in between or the database was restored, the archive finds out from the manifest.

use std::collections::BTreeMap;

use pdb_model::StreamArn;
use pdb_store::{ReadTx, ShardRow, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::ArchiveLocation;

const KIND: &str = "archive";

/// What the database knows of the archive of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The bucket and the prefix. A note about another place says nothing about this one.
    location: String,
    /// By shard id.
    shards: BTreeMap<String, ShardNote>,
}

/// What the database knows of the archive of one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardNote {
    /// The counter of the last record in the archive, or one behind which archiving began.
    pub(crate) through: u64,
    /// Whether the archive knows the end of the shard, and has all records of it.
    pub(crate) is_complete: bool,
}

impl Note {
    /// Returns what is known of the archive of a stream in this place; `None` if it was never archived there.
    pub(crate) fn read(
        tx: &mut ReadTx<'_>,
        location: &ArchiveLocation,
        stream: &StreamArn,
    ) -> Result<Option<Self>, StoreError> {
        let Some(text) = tx.document(KIND, &stream.to_string())? else { return Ok(None) };
        let note: Self =
            serde_json::from_str(&text).map_err(|error| StoreError::corrupt("note of an archive", error))?;
        Ok((note.location == location.to_string()).then_some(note))
    }

    /// Returns what is known of a shard. Of one that was opened after archiving began, nothing is in the archive at first.
    pub(crate) fn shard(&self, shard: &ShardRow) -> ShardNote {
        let begun = ShardNote { through: shard.starting, is_complete: false };
        self.shards.get(shard.id.as_str()).copied().unwrap_or(begun)
    }

    /// Adds what is known of shards to the note in the database. Nothing is ever taken back, as another process may know more, and shards that
    /// are gone are forgotten.
    pub(crate) fn write(
        store: &Store,
        location: &ArchiveLocation,
        stream: &StreamArn,
        known: &[(String, ShardNote)],
    ) -> Result<(), StoreError> {
        let (location, stream, known) = (location.clone(), stream.clone(), known.to_vec());
        store.write(move |tx| {
            let Some(row) = tx.stream(&stream)? else { return Ok(()) };
            let shards = tx.shards(row.id)?;
            let mut note = Self::read(tx, &location, &stream)?.unwrap_or_default();
            let before = note.clone();
            note.location = location.to_string();
            for (shard_id, new) in &known {
                let noted = note.shards.entry(shard_id.clone()).or_default();
                noted.through = noted.through.max(new.through);
                noted.is_complete |= new.is_complete;
            }
            note.shards.retain(|shard_id, _| shards.iter().any(|shard| shard.id.as_str() == shard_id));
            if note == before {
                return Ok(());
            }
            let text = serde_json::to_string(&note)
                .map_err(|error| StoreError::corrupt("note of an archive", error))?;
            tx.put_document(KIND, &stream.to_string(), &text)
        })
    }

    /// Forgets the streams that are gone.
    pub(crate) fn forget_gone_streams(store: &Store) -> Result<(), StoreError> {
        let noted = store.read(|tx| {
            let known: Vec<String> = tx.streams(None)?.iter().map(|stream| stream.arn.to_string()).collect();
            let mut gone = Vec::new();
            let mut after = None;
            loop {
                let page = tx.documents(KIND, after.as_deref(), 1_000)?;
                let Some((last, _)) = page.last() else { return Ok::<_, StoreError>(gone) };
                after = Some(last.clone());
                gone.extend(page.into_iter().map(|(name, _)| name).filter(|name| !known.contains(name)));
            }
        })?;
        if noted.is_empty() {
            return Ok(());
        }
        store.write(move |tx| {
            for name in &noted {
                // A stream with this ARN may be back meanwhile, with a restore.
                let is_back = name.parse().is_ok_and(|arn| matches!(tx.stream(&arn), Ok(Some(_))));
                if !is_back {
                    tx.delete_document(KIND, name)?;
                }
            }
            Ok::<_, StoreError>(())
        })
    }
}
