//! Enabling a table's stream under a label that no stream of the table's name ever had.
//!
//! Evidence: `streams.md` 2.2.

use std::collections::BTreeSet;
use std::sync::Arc;

use pdb_capture::enable_stream;
use pdb_model::{EpochMillis, StreamLabel, StreamViewType, TableName};
use pdb_store::{ReadTx, Table, Tx};

use super::manager::TableManager;
use crate::ItemsError;

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
        Ok(enable_stream(&self.env, tx, table, &arn, view_type, self.shards_per_stream)?)
    }
}

/// Returns the label of `now`, or of the next millisecond that is no label of this table name yet: tables are created,
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
