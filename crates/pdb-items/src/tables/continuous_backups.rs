//! Continuous backups and point-in-time recovery: the status. Restores are in `backups`.
//!
//! Evidence: `dynamodb.md` 14.

use pdb_model::{EpochMillis, PointInTimeRecovery, TableName};
use std::time::Duration;

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
        let table = self.read(|tx| find_table(tx, table_name))?.ok_or_else(|| missing(table_name))?;
        Ok(table.definition.point_in_time_recovery.map(|recovery| self.described(recovery)))
    }

    /// Enables or disables point-in-time recovery.
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
            let mut definition = (*table.definition).clone();
            let known = definition.point_in_time_recovery;
            definition.point_in_time_recovery = enabled.then(|| PointInTimeRecovery {
                enabled: known.map_or_else(|| manager.env.clock.now(), |known| known.enabled),
                recovery_period_days: recovery_period_in_days
                    .or(known.map(|known| known.recovery_period_days))
                    .unwrap_or(RECOVERY_PERIOD_DAYS),
            });
            if definition != *table.definition {
                tx.replace_definition(&definition)?;
            }
            Ok(definition.point_in_time_recovery.map(|recovery| manager.described(recovery)))
        })
    }

    /// The latest moment is now: what can be restored is the table as it is.
    pub(crate) fn described(&self, recovery: PointInTimeRecovery) -> PointInTimeRecoveryDescription {
        let now = self.env.clock.now();
        let period = Duration::from_secs(u64::from(recovery.recovery_period_days) * 24 * 60 * 60);
        PointInTimeRecoveryDescription {
            earliest_restorable_date_time: recovery.enabled.max(now.minus(period)),
            latest_restorable_date_time: now,
            recovery_period_in_days: recovery.recovery_period_days,
        }
    }
}

/// `TableNotFoundException` of the operations on backups.
pub(crate) fn missing(table_name: &TableName) -> ItemsError {
    ItemsError::TableNotFound(format!("Table not found: {table_name}"))
}
