//! The archive as what the trim waits for.

use std::time::Duration;

use pdb_cleanup::{Released, Throttle, TrimGuard, TrimTimes};
use pdb_model::Env;
use pdb_store::{ReadTx, ShardRow, Store, StoreError, StreamRow};

use crate::Archive;
use crate::note::Note;
use crate::plan::Due;

impl TrimGuard for Archive {
    fn copy_due(&self, store: &Store, env: &Env, times: TrimTimes, throttle: &Throttle) {
        let TrimTimes { retention, interval } = times;
        let due = Due { now: env.clock.now(), retention, interval };
        self.run(store, due, &|| throttle.is_stopped());
    }

    fn released(
        &self,
        tx: &mut ReadTx<'_>,
        stream: &StreamRow,
        shard: &ShardRow,
    ) -> Result<Released, StoreError> {
        // The note is in the database, so it goes back with it.
        let note = Note::read(tx, self.location(), &stream.arn)?.map(|note| note.shard(shard));
        Ok(note.map_or(Released { through: 0, is_complete: false }, |note| Released {
            through: note.through,
            is_complete: note.is_complete,
        }))
    }

    fn max_delay(&self) -> Duration {
        self.max_delay()
    }

    fn lost(&self, stream: &StreamRow, shard: &ShardRow, records: u64) {
        self.status_mut().lost_records += records;
        tracing::error!(
            archive = %self.location(),
            stream = %stream.arn,
            shard = %shard.id,
            records,
            "records were trimmed that are not in the archive: it was broken for longer than they may wait"
        );
    }
}
