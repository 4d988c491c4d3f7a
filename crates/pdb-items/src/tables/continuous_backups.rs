//! Continuous backups and point-in-time recovery: the switch, and the moments that can be restored. Restores are in `restore`.
//!
//! Evidence: `dynamodb.md` 14, `bulk-import-export.md` 4.1.

use pdb_model::{EpochMillis, PointInTimeRecovery, TableName};
use pdb_store::{ReadTx, Table};
use std::{sync::Arc, time::Duration};

use super::import::is_being_imported;
use super::manager::{TableManager, find_table};
use super::rules::refused;
use crate::ItemsError;

/// The default of days for which a moment can be restored.
const RECOVERY_PERIOD_DAYS: u32 = 35;

/// The description of point-in-time recovery; absent if it is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointInTimeRecoveryDescription {
    /// The first moment that can be restored.
    pub earliest_restorable_date_time: EpochMillis,
    /// The last one.
    pub latest_restorable_date_time: EpochMillis,
    /// For how many days a moment stays restorable.
    pub recovery_period_in_days: u32,
}

impl TableManager {
    /// Describes continuous backups; none means point-in-time recovery is disabled.
    ///
    /// # Errors
    ///
    /// [`ItemsError::TableNotFound`].
    pub fn describe_continuous_backups(
        &self,
        table_name: &TableName,
    ) -> Result<Option<PointInTimeRecoveryDescription>, ItemsError> {
        self.read(|tx| {
            let table = find_table(tx, table_name)?.ok_or_else(|| missing(table_name))?;
            self.recovery(tx, &table)
        })
    }

    /// Enables or disables point-in-time recovery. Enabling begins a history of the table, and disabling removes it.
    ///
    /// # Errors
    ///
    /// [`ItemsError::TableNotFound`]; [`ItemsError::Validation`] for a period without recovery.
    pub fn update_continuous_backups(
        &self,
        table_name: &TableName,
        enabled: bool,
        recovery_period_in_days: Option<u32>,
    ) -> Result<Option<PointInTimeRecoveryDescription>, ItemsError> {
        if !enabled && recovery_period_in_days.is_some() {
            return Err(refused(
                "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.",
            ));
        }
        let table_name = table_name.clone();
        self.write(move |manager, tx| {
            let table = find_table(tx, &table_name)?.ok_or_else(|| missing(&table_name))?;
            if is_being_imported(&table.definition) {
                return Err(ItemsError::ContinuousBackupsUnavailable(format!(
                    "Backups are being enabled for the table: {table_name}. Please retry later"
                )));
            }
            let mut definition = (*table.definition).clone();
            let known = definition.point_in_time_recovery;
            if known.is_some() != enabled {
                // Before the clock is asked: every change from that moment on is to be in the history.
                tx.lock_definition(table.id)?;
            }
            definition.point_in_time_recovery = enabled.then(|| PointInTimeRecovery {
                enabled: known.map_or_else(|| manager.env.clock.now(), |known| known.enabled),
                recovery_period_days: recovery_period_in_days
                    .or(known.map(|known| known.recovery_period_days))
                    .unwrap_or(RECOVERY_PERIOD_DAYS),
            });
            if definition != *table.definition {
                tx.replace_definition(&definition)?;
            }
            let table = find_table(tx, &table_name)?.ok_or_else(|| missing(&table_name))?;
            manager.recovery(tx, &table)
        })
    }

    /// Returns a table whose past can be exported, and which moments of it. `given` is how the caller named it.
    ///
    /// # Errors
    ///
    /// [`ItemsError::TableNotFound`], [`ItemsError::PointInTimeRecoveryUnavailable`].
    pub fn recoverable_table(
        &self,
        tx: &mut ReadTx<'_>,
        table_name: &TableName,
        given: &str,
    ) -> Result<(Arc<Table>, PointInTimeRecoveryDescription), ItemsError> {
        let not_found = || ItemsError::TableNotFound(format!("Table not found: {given}"));
        let table = find_table(tx, table_name)?.ok_or_else(not_found)?;
        let recovery = self.recovery(tx, &table)?.ok_or_else(|| unavailable(table_name))?;
        Ok((table, recovery))
    }

    /// Returns which moments of a table can be restored, if it has point-in-time recovery.
    ///
    /// The latest is now: AWS says five minutes ago, and to wait for that would help no test. A clock that was set back is behind the newest change, which
    /// is then the latest moment. Of a history that was trimmed, the first moment is left out: an export of the changes since then begins with the
    /// state a millisecond before.
    pub(crate) fn recovery(
        &self,
        tx: &mut ReadTx<'_>,
        table: &Table,
    ) -> Result<Option<PointInTimeRecoveryDescription>, ItemsError> {
        let Some(recovery) = table.definition.point_in_time_recovery else { return Ok(None) };
        let span = tx.history_span(table)?.unwrap_or_default();
        let now = self.env.clock.now();
        let was_trimmed = |begin: EpochMillis| begin > recovery.enabled;
        let begin = span
            .earliest
            .map(|begin| if was_trimmed(begin) { begin.plus(Duration::from_millis(1)) } else { begin });
        let latest = now.max(span.newest.unwrap_or(now)).max(begin.unwrap_or(now));
        let period = Duration::from_secs(u64::from(recovery.recovery_period_days) * 24 * 60 * 60);
        let earliest = begin.unwrap_or(latest).max(now.minus(period));
        Ok(Some(PointInTimeRecoveryDescription {
            earliest_restorable_date_time: earliest,
            latest_restorable_date_time: latest,
            recovery_period_in_days: recovery.recovery_period_days,
        }))
    }
}

/// The refusal to look into the past of a table that has no recovery.
pub(crate) fn unavailable(table_name: &TableName) -> ItemsError {
    ItemsError::PointInTimeRecoveryUnavailable(format!(
        "Point in time recovery is not enabled for table '{table_name}'"
    ))
}

/// `TableNotFoundException` of the operations on backups.
pub(crate) fn missing(table_name: &TableName) -> ItemsError {
    ItemsError::TableNotFound(format!("Table not found: {table_name}"))
}
