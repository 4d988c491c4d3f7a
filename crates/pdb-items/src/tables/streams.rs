//! Enabling a table's stream under a label that no stream of the table's name ever had.
//!
//! Evidence: `streams.md` 2.2.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use pdb_capture::enable_stream;
use pdb_model::{EpochMillis, StreamLabel, StreamViewType, TableDefinition, TableName, WarmThroughput};
use pdb_store::{ReadTx, Table, Tx};

use super::manager::TableManager;
use crate::ItemsError;

/// The most shards that warm throughput opens.
const MOST_WARM_SHARDS: u32 = 64;

impl TableManager {
    /// Enables a new stream on a table that has none enabled. Returns the table as it then is.
    pub(crate) fn enable_stream(
        &self,
        tx: &mut Tx<'_>,
        table: &Table,
        view_type: StreamViewType,
    ) -> Result<Arc<Table>, ItemsError> {
        let now = tx.moment(|| self.env.clock.now());
        let label = free_label(tx, table.name(), now)?;
        let arn = self.account.stream_arn(table.name(), &label);
        let shards = self.shards_per_stream.max(self.warm_shards(&table.definition));
        Ok(enable_stream(&self.env, tx, table, &arn, view_type, shards)?)
    }

    /// Splits open shards of an enabled stream, the widest first, until there are as many as the warm throughput of the table asks
    /// for. Returns the table as it then is.
    pub(crate) fn split_warm_shards(
        &self,
        tx: &mut Tx<'_>,
        mut table: Arc<Table>,
    ) -> Result<Arc<Table>, ItemsError> {
        let wanted = self.warm_shards(&table.definition) as usize;
        let now = tx.moment(|| self.env.clock.now());
        loop {
            let Some(stream) = &table.stream else { return Ok(table) };
            let lacking = wanted.saturating_sub(stream.shards.len());
            let mut shards: Vec<_> =
                stream.shards.iter().filter(|shard| shard.hash_from < shard.hash_to).collect();
            if lacking == 0 || shards.is_empty() {
                return Ok(table);
            }
            shards.sort_by_key(|shard| (Reverse(shard.hash_to - shard.hash_from), shard.number));
            let mut numbers: Vec<u64> = shards.iter().take(lacking).map(|shard| shard.number).collect();
            // Shards are locked by number.
            numbers.sort_unstable();
            table = tx.split_shards(&table, &numbers, &*self.env.ids, now)?.0;
        }
    }

    /// How many shards the warm throughput of a table asks for, if that is a setting here.
    fn warm_shards(&self, definition: &TableDefinition) -> u32 {
        definition.warm_throughput.filter(|_| self.warm_shards).map_or(0, partitions)
    }
}

/// How many partitions AWS has for a throughput: each serves 1,000 write units and 3,000 read units a second, says the guide
/// under "Partitions and data distribution".
fn partitions(warm: WarmThroughput) -> u32 {
    let of = |units: i64, each: i64| (units.max(0) as u64).div_ceil(each as u64).min(MOST_WARM_SHARDS.into());
    of(warm.write_units, 1000).max(of(warm.read_units, 3000)) as u32
}

/// Returns the label of `now`, or of the next millisecond that is not yet a label of this table name: tables are created,
/// deleted and created again faster than a clock ticks.
fn free_label(
    tx: &mut ReadTx<'_>,
    table_name: &TableName,
    now: EpochMillis,
) -> Result<StreamLabel, ItemsError> {
    let streams = tx.streams(Some(table_name))?;
    let taken: BTreeSet<EpochMillis> = streams.iter().map(|stream| stream.label().moment()).collect();
    let mut moment = now;
    while taken.contains(&moment) {
        moment.0 += 1;
    }
    Ok(StreamLabel::at(moment))
}
