//! Shards that are read to their ends, or gone: which of them are finished, and which go on because the database went back.

use std::collections::HashSet;
use std::sync::Arc;

use super::{ShardWalker, position_behind};
use crate::tail::checkpoint::ShardProgress;
use crate::tail::source::{SourceError, SourcePage, SourcePosition, SourceShard, StreamSource};

/// What became of a shard that has ended.
enum Ended {
    /// Nothing is behind what was read.
    Finished(ShardProgress),
    /// It was open again meanwhile, or is.
    GoesOn,
    /// The list is older than the page that ended it.
    ListIsOld,
}

impl ShardWalker {
    /// Finishes the shards that have ended and are listed as closed. Those that go on are begun behind what was read.
    ///
    /// The list may be of another past than the page that ended a shard. So the shard is asked once more for what is behind that page;
    /// later its `EndingSequenceNumber` tells.
    pub(super) fn finish_ended_shards<S: StreamSource>(
        &mut self,
        source: &S,
        listed: &[SourceShard],
    ) -> Result<(), SourceError> {
        let ended: Vec<Arc<str>> = self.ended.keys().cloned().collect();
        for shard_id in ended {
            match self.look_at_ended(source, listed, &shard_id)? {
                Ended::Finished(progress) => self.note(&shard_id, progress),
                Ended::GoesOn => {}
                Ended::ListIsOld => continue,
            }
            self.ended.remove(&shard_id);
        }
        Ok(())
    }

    fn look_at_ended<S: StreamSource>(
        &self,
        source: &S,
        listed: &[SourceShard],
        shard_id: &Arc<str>,
    ) -> Result<Ended, SourceError> {
        let finished = |ending| Ok(Ended::Finished(ShardProgress::Finished { ending }));
        let Some(shard) = listed.iter().find(|shard| *shard.shard_id == **shard_id) else {
            return finished(None);
        };
        let read_at = |position: &SourcePosition| {
            let iterator = source.shard_iterator(&self.stream_arn, shard_id, position)?;
            source.records(&iterator, Some(1))
        };
        let page = match &self.ended[shard_id] {
            ShardProgress::Latest(iterator) => source.records(iterator, Some(1)),
            read_to => read_at(&position_behind(read_to)),
        };
        // What was read is trimmed. What is left was written later.
        let page = match page {
            Err(SourceError::Trimmed) => read_at(&SourcePosition::TrimHorizon),
            page => page,
        };
        match page {
            Ok(SourcePage { records, .. }) if !records.is_empty() => Ok(Ended::GoesOn),
            // AWS may return an empty page in front of the end of a closed shard.
            Ok(SourcePage { next_iterator: Some(_), .. }) if shard.is_open => Ok(Ended::GoesOn),
            Ok(_) if shard.is_open => Ok(Ended::ListIsOld),
            Err(error @ (SourceError::Throttled | SourceError::Failed(_))) => Err(error),
            // The shard is not there any more, or what was read is too long ago for its iterator.
            Ok(_) | Err(_) => finished(shard.ending_sequence_number.clone()),
        }
    }

    /// Begins finished shards anew that are listed as open and are open. Returns whether others are listed so that are closed: then the list
    /// is older than the page that ended them, and lacks their children.
    pub(super) fn reopen_shards_that_go_on<S: StreamSource>(
        &mut self,
        source: &S,
        listed: &[SourceShard],
    ) -> Result<bool, SourceError> {
        let mut is_list_old = false;
        for shard in listed.iter().filter(|shard| shard.is_open) {
            let Some(progress) = self.progress.get_mut(&shard.shard_id) else { continue };
            if !progress.is_finished() {
                continue;
            }
            let iterator = source.shard_iterator(&self.stream_arn, &shard.shard_id, &SourcePosition::Latest);
            match iterator.and_then(|iterator| source.records(&iterator, Some(1))) {
                Ok(page) if page.next_iterator.is_some() => *progress = ShardProgress::Begun,
                Err(error @ (SourceError::Throttled | SourceError::Failed(_))) => return Err(error),
                Ok(_) | Err(_) => is_list_old = true,
            }
        }
        Ok(is_list_old)
    }

    /// Gives up shards that were begun earlier and are gone: they held records that nobody can read any more.
    pub(super) fn give_up_gone_shards(&mut self, listed: &[SourceShard]) {
        let listed: HashSet<&str> = listed.iter().map(|shard| shard.shard_id.as_str()).collect();
        let (cursors, ended) = (&self.cursors, &self.ended);
        let is_known = |shard_id: &str| {
            listed.contains(shard_id) || cursors.contains_key(shard_id) || ended.contains_key(shard_id)
        };
        // A shard that is to be read from a time, and is not being read, may have had no record since. It is forgotten.
        self.progress
            .retain(|shard_id, progress| !matches!(progress, ShardProgress::Since(_)) || is_known(shard_id));
        for (shard_id, progress) in &mut self.progress {
            if !is_known(shard_id) && !progress.is_finished() {
                *progress = ShardProgress::Finished { ending: None };
                self.has_lost_shard = true;
                self.gaps.push(shard_id.as_str().into());
            }
        }
    }
}
