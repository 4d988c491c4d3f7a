//! The operations on tables of one account in one store.

use std::sync::Arc;
use std::time::Duration;

use pdb_model::{Account, Env, TableDefinition, TableName};
use pdb_store::{Activities, ReadTx, Store, StoreError, Table, Tx};

use super::rules::table_not_found;
use crate::{Habits, ItemsError};

/// The operations on tables: one method for each. Cheap to clone.
///
/// Each is done, durably, when it returns: a table that is described as `CREATING` in the answer is there.
#[derive(Clone, Debug)]
pub struct TableManager {
    pub(crate) store: Store,
    pub(crate) env: Env,
    pub(crate) account: Arc<Account>,
    pub(crate) shards_per_stream: u32,
    pub(crate) transition_delay: Duration,
    pub(crate) habits: Habits,
    pub(crate) warm_shards: bool,
    pub(crate) activities: Activities,
}

impl TableManager {
    /// Returns the operations on the tables of `store`; new streams get `shards_per_stream` shards.
    #[must_use]
    pub fn new(store: Store, env: Env, account: Account, shards_per_stream: u32) -> Self {
        Self {
            store,
            env,
            account: Arc::new(account),
            shards_per_stream: shards_per_stream.max(1),
            transition_delay: Duration::ZERO,
            habits: Habits::default(),
            warm_shards: false,
            activities: Activities::default(),
        }
    }

    /// Sets for how long tables are shown as `CREATING` or `UPDATING` after a change. During that time, operations are refused that AWS
    /// refuses. For tests of code that waits; zero by default.
    #[must_use]
    pub fn with_transition_delay(self, transition_delay: Duration) -> Self {
        Self { transition_delay, ..self }
    }

    /// Sets whether warm throughput opens shards, as many as AWS has partitions for it: one for each 1,000 write units or
    /// 3,000 read units a second, the larger number of the two, up to 64. Off by default.
    #[must_use]
    pub fn with_warm_shards(self, warm_shards: bool) -> Self {
        Self { warm_shards, ..self }
    }

    /// Tells there how far indexes are that are filled.
    #[must_use]
    pub fn with_activities(self, activities: Activities) -> Self {
        Self { activities, ..self }
    }

    /// Sets the habits of DynamoDB Local to take over; none by default.
    #[must_use]
    pub fn with_habits(self, habits: Habits) -> Self {
        Self { habits, ..self }
    }

    pub(crate) fn table_arn(&self, table_name: &TableName) -> String {
        self.account.table_arn(table_name).to_string()
    }

    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, ItemsError>,
    ) -> Result<T, ItemsError> {
        self.store.read(work)
    }

    /// Runs `work` in a transaction of its own; it may be run again, so it changes nothing but through `tx`.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&Self, &mut Tx<'_>) -> Result<T, ItemsError> + Send + 'static,
    ) -> Result<T, ItemsError> {
        let manager = self.clone();
        self.store.write(move |tx| work(&manager, tx))
    }

    /// Changes the definition of a table in a transaction of its own.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        table_name: &TableName,
        mut work: impl FnMut(&Self, &mut Tx<'_>, &mut TableDefinition) -> Result<T, ItemsError> + Send + 'static,
    ) -> Result<T, ItemsError> {
        let table_name = table_name.clone();
        self.write(move |manager, tx| {
            let table = manager.table(tx, &table_name)?;
            let mut definition = (*table.definition).clone();
            let answer = work(manager, tx, &mut definition)?;
            if definition != *table.definition {
                tx.replace_definition(&definition)?;
            }
            Ok(answer)
        })
    }

    /// Returns a table, or the error that operations on tables have.
    pub(crate) fn table(
        &self,
        tx: &mut ReadTx<'_>,
        table_name: &TableName,
    ) -> Result<Arc<Table>, ItemsError> {
        find_table(tx, table_name)?.ok_or_else(|| table_not_found(table_name))
    }

    /// Returns a fresh UUID as text.
    pub(crate) fn fresh_uuid(&self) -> String {
        let id = self.env.ids.next_id();
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            id >> 96,
            (id >> 80) & 0xffff,
            (id >> 64) & 0xffff,
            (id >> 48) & 0xffff,
            id & 0xffff_ffff_ffff
        )
    }
}

/// Returns the table, if there is one.
pub(crate) fn find_table(
    tx: &mut ReadTx<'_>,
    table_name: &TableName,
) -> Result<Option<Arc<Table>>, ItemsError> {
    match tx.table(table_name) {
        Ok(table) => Ok(Some(table)),
        Err(StoreError::TableNotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
