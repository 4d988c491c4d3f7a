//! The clock, the background work, and what is done to shards by command.

use std::time::Duration;

use pretender::streams::{SequenceNumber, ShardId, StreamArn};

use super::World;
use crate::violation::{Checked, Unexpected, ensure, ensure_eq};

impl World {
    /// Returns one of the listed streams.
    pub(crate) fn stream(&self, number: u8) -> Option<StreamArn> {
        let listed: Vec<&StreamArn> = self.model.listed(self.now()).map(|(arn, _)| arn).collect();
        // The newest first: those of tables that are in use.
        usize::from(number).checked_rem(listed.len()).map(|n| listed[listed.len() - 1 - n].clone())
    }

    /// Moves the clock forward. What that makes due is done by the next actor that looks, or by a sweep.
    pub(super) fn advance(&mut self, millis: u64) -> Checked {
        self.audit_all()?;
        self.clock.advance(Duration::from_millis(millis));
        Ok(())
    }

    /// All background work that is due.
    pub(super) fn sweep(&mut self) -> Checked {
        self.audit_all()?;
        let now = self.now();
        let mut expired = Vec::new();
        for (number, table) in &self.model.tables {
            let items = table.items.iter().filter(|(_, stored)| table.is_expired(stored, now.seconds()));
            expired.extend(items.map(|(key, _)| (*number, *key)));
        }
        let report = self.db.run_due_work().expected_to("sweep")?;
        ensure_eq!(report.expired, expired.len() as u64, "the items that have expired");
        // The order in which one sweep deletes items is not determined.
        let ordinal = self.next_ordinal();
        for (table, key) in expired {
            self.model.expire(table, key, ordinal, now);
        }
        self.model.forget(now);
        for stream in self.model.streams.values_mut() {
            stream.is_changed = true;
        }
        self.audit_all()
    }

    /// Rotates or splits shards.
    pub(super) fn replace_shards(&mut self, stream: u8, shard: Option<u8>, splits: bool) -> Checked {
        let Some(arn) = self.stream(stream) else { return Ok(()) };
        self.audit(&arn)?;
        let Some(of_model) = self.model.streams.get(&arn) else { return Ok(()) };
        let open = of_model.shards.iter().filter(|(_, shard)| shard.summary.ending.is_none());
        let open: Vec<ShardId> = open.map(|(id, _)| id.clone()).collect();
        // More shards only make each step slower.
        if open.len() > 4 && splits {
            return Ok(());
        }
        let shard = shard.and_then(|shard| usize::from(shard).checked_rem(open.len())).map(|n| &open[n]);
        let is_enabled = of_model.disabled.is_none();
        let replaced =
            if splits { self.db.split_shards(&arn, shard) } else { self.db.rotate_shards(&arn, shard) };
        if !is_enabled {
            ensure!(replaced.is_err(), "shards of a disabled stream were replaced");
            return Ok(());
        }
        let children = replaced.expected_to("replace shards")?;
        let parents = shard.map_or(open.len(), |_| 1);
        let most = if splits { parents * 2 } else { parents };
        ensure!(
            (parents..=most).contains(&children.len()),
            "{parents} shards were replaced by {}",
            children.len()
        );
        if let Some(of_model) = self.model.streams.get_mut(&arn) {
            of_model.is_changed = true;
        }
        self.audit(&arn)
    }

    /// Trims a stream by command.
    pub(super) fn trim(&mut self, stream: u8, record: Option<u8>) -> Checked {
        let Some(arn) = self.stream(stream) else { return Ok(()) };
        self.audit(&arn)?;
        let now = self.now();
        let Some(of_model) = self.model.streams.get_mut(&arn) else { return Ok(()) };
        let numbers: Vec<SequenceNumber> =
            of_model.visible(now).map(|bound| bound.record.sequence_number).collect();
        let before = match record.map(|record| usize::from(record).checked_rem(numbers.len())) {
            Some(Some(place)) => Some(numbers[place]),
            Some(None) => return Ok(()),
            None => None,
        };
        self.db.trim(&arn, before).expected_to("trim")?;
        let shards: Vec<(ShardId, u64)> =
            of_model.shards.iter().map(|(id, shard)| (id.clone(), shard.summary.starting.shard)).collect();
        for (shard_id, number) in shards {
            let through = match before {
                None => u64::MAX,
                Some(before) if number < before.shard => before.counter,
                Some(before) => before.counter.saturating_sub(1),
            };
            of_model.trim(&shard_id, through);
        }
        Ok(())
    }
}
