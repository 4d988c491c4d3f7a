//! CreateBackup, DescribeBackup, ListBackups, DeleteBackup: real copies of a table's items, which survive the table.
//!
//! Evidence: `dynamodb.md` 14. The description of a backup is a document of the store, its items a table of their own.

use pdb_model::{EpochMillis, TableArn, TableDefinition, TableName};
use pdb_store::{ReadTx, Statistics, StoreError};

use super::continuous_backups::missing;
use super::describe::Counts;
use super::description::TableDescription;
use super::import::is_being_imported;
use super::manager::{TableManager, find_table};
use super::rules::refused;
use crate::ItemsError;

/// The kind of the store's documents that describe backups.
const KIND: &str = "backup";
/// Backups on a page of ListBackups.
const BACKUPS_A_PAGE: usize = 100;

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupDetails {
    /// Its ARN.
    pub backup_arn: String,
    /// Its name; several may have the same.
    pub backup_name: String,
    /// Whether the operation that returns this description created it: AWS would still be working on it.
    pub backup_status: BackupStatus,
    /// The size of its items.
    pub backup_size_bytes: u64,
    /// When it was made.
    pub backup_creation_date_time: EpochMillis,
}

/// The state of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupStatus {
    /// Just made.
    Creating,
    /// Just deleted.
    Deleted,
    /// Ready.
    Available,
}

impl BackupStatus {
    /// Returns the name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Deleted => "DELETED",
            Self::Available => "AVAILABLE",
        }
    }
}

/// A backup and the table it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupDescription {
    /// The backup.
    pub details: BackupDetails,
    /// The table, as it was then.
    pub source: TableDescription,
    /// The attribute that said when items expire, if they did.
    pub time_to_live_attribute: Option<String>,
}

/// The input of ListBackups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBackupsInput {
    /// Only backups of tables of this name.
    pub table_name: Option<TableName>,
    /// Only backups made then or later.
    pub time_range_lower_bound: Option<EpochMillis>,
    /// Only backups made before.
    pub time_range_upper_bound: Option<EpochMillis>,
    /// Only backups that AWS creates by itself, which do not exist here.
    pub only_system: bool,
    /// Where the previous page ended.
    pub exclusive_start_backup_arn: Option<String>,
    /// At most so many: 1 to 100, which is also the default.
    pub limit: Option<u32>,
}

/// One entry of ListBackups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// The backup.
    pub details: BackupDetails,
    /// The table it was made of.
    pub table_name: TableName,
    /// That table's id.
    pub table_id: String,
    /// That table's ARN.
    pub table_arn: String,
}

/// The output of ListBackups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBackupsOutput {
    /// Backups, in the order of their ARNs.
    pub backup_summaries: Vec<BackupSummary>,
    /// The last one, if more follow.
    pub last_evaluated_backup_arn: Option<String>,
}

/// What is stored of a backup besides its items.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct StoredBackup {
    version: u32,
    backup_arn: String,
    backup_name: String,
    created: EpochMillis,
    item_count: u64,
    size_bytes: u64,
    pub(crate) definition: TableDefinition,
}

impl StoredBackup {
    /// The name under which the store keeps the items: the end of the ARN.
    pub(crate) fn item_name(&self) -> &str {
        self.backup_arn.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn created(&self) -> EpochMillis {
        self.created
    }

    fn details(&self, backup_status: BackupStatus) -> BackupDetails {
        BackupDetails {
            backup_arn: self.backup_arn.clone(),
            backup_name: self.backup_name.clone(),
            backup_status,
            backup_size_bytes: self.size_bytes,
            backup_creation_date_time: self.created,
        }
    }

    fn matches(&self, input: &ListBackupsInput) -> bool {
        input.table_name.as_ref().is_none_or(|name| *name == self.definition.name)
            && input.time_range_lower_bound.is_none_or(|lower| lower <= self.created)
            && input.time_range_upper_bound.is_none_or(|upper| self.created < upper)
    }
}

/// The items that a backup keeps.
#[derive(Clone, Debug)]
pub struct KeptItems {
    /// The name under which the store keeps them.
    pub name: String,
    /// The ARN of the backup.
    pub backup_arn: String,
    /// How many there are.
    pub item_count: u64,
    /// Their size.
    pub size_bytes: u64,
    /// The table as it was.
    pub definition: TableDefinition,
}

/// Returns what all backups keep.
///
/// # Errors
///
/// [`StoreError::Corrupt`] if the description of one cannot be read, [`StoreError::Database`].
pub fn kept_items(tx: &mut ReadTx<'_>) -> Result<Vec<KeptItems>, StoreError> {
    let mut kept = Vec::new();
    for (_, text) in tx.documents(KIND, None, u32::MAX)? {
        let backup: StoredBackup =
            serde_json::from_str(&text).map_err(|e| StoreError::corrupt("backup", e))?;
        kept.push(KeptItems {
            name: backup.item_name().to_owned(),
            item_count: backup.item_count,
            size_bytes: backup.size_bytes,
            backup_arn: backup.backup_arn,
            definition: backup.definition,
        });
    }
    Ok(kept)
}

impl TableManager {
    /// Copies a table's items.
    ///
    /// # Errors
    ///
    /// [`ItemsError::TableNotFound`].
    pub fn create_backup(
        &self,
        table_name: &TableName,
        backup_name: &str,
    ) -> Result<BackupDetails, ItemsError> {
        let (table_name, backup_name) = (table_name.clone(), backup_name.to_owned());
        self.write(move |manager, tx| {
            let table = find_table(tx, &table_name)?.ok_or_else(|| missing(&table_name))?;
            if is_being_imported(&table.definition) {
                return Err(ItemsError::TableInUse(format!("Table is being created: {table_name}")));
            }
            let created = manager.env.clock.now();
            let random = manager.env.ids.next_id() as u32;
            let Statistics { item_count, size_bytes } = tx.table_statistics(&table)?;
            let backup = StoredBackup {
                version: 1,
                backup_arn: format!(
                    "{}/backup/{:014}-{random:08x}",
                    manager.table_arn(&table_name),
                    created.0
                ),
                backup_name: backup_name.clone(),
                created,
                item_count,
                size_bytes,
                definition: (*table.definition).clone(),
            };
            tx.keep_items(&table, backup.item_name())?;
            tx.put_document(KIND, &backup.backup_arn, &serde_json::to_string(&backup).map_err(unreadable)?)?;
            Ok(backup.details(BackupStatus::Creating))
        })
    }

    /// Describes a backup.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`] for a text that is not the ARN of a backup, [`ItemsError::BackupNotFound`].
    pub fn describe_backup(&self, backup_arn: &str) -> Result<BackupDescription, ItemsError> {
        let backup = self.read(|tx| stored_backup(tx, backup_arn))?;
        Ok(self.described_backup(&backup, BackupStatus::Available))
    }

    /// Deletes a backup.
    ///
    /// # Errors
    ///
    /// As [`describe_backup`](Self::describe_backup).
    pub fn delete_backup(&self, backup_arn: &str) -> Result<BackupDescription, ItemsError> {
        let backup_arn = backup_arn.to_owned();
        self.write(move |manager, tx| {
            let backup = stored_backup(tx, &backup_arn)?;
            tx.drop_kept_items(backup.item_name())?;
            if !tx.delete_document(KIND, &backup_arn)? {
                // Another process did so meanwhile.
                return Err(ItemsError::BackupNotFound(format!("Backup not found: {backup_arn}")));
            }
            Ok(manager.described_backup(&backup, BackupStatus::Deleted))
        })
    }

    /// Lists backups in the order of their ARNs.
    ///
    /// # Errors
    ///
    /// Only if the store fails.
    pub fn list_backups(&self, input: &ListBackupsInput) -> Result<ListBackupsOutput, ItemsError> {
        let limit = input.limit.map_or(BACKUPS_A_PAGE, |limit| limit as usize).clamp(1, BACKUPS_A_PAGE);
        let mut output = ListBackupsOutput::default();
        if input.only_system {
            return Ok(output);
        }
        self.read(|tx| {
            let mut after = input.exclusive_start_backup_arn.clone();
            loop {
                let documents = tx.documents(KIND, after.as_deref(), BACKUPS_A_PAGE as u32)?;
                let Some((last, _)) = documents.last() else { return Ok(()) };
                after = Some(last.clone());
                for (_, text) in &documents {
                    let backup: StoredBackup = serde_json::from_str(text).map_err(unreadable)?;
                    if !backup.matches(input) {
                        continue;
                    }
                    if output.backup_summaries.len() == limit {
                        let last = output.backup_summaries.last();
                        output.last_evaluated_backup_arn = last.map(|last| last.details.backup_arn.clone());
                        return Ok(());
                    }
                    output.backup_summaries.push(self.summary(&backup));
                }
            }
        })?;
        Ok(output)
    }

    fn summary(&self, backup: &StoredBackup) -> BackupSummary {
        BackupSummary {
            details: backup.details(BackupStatus::Available),
            table_name: backup.definition.name.clone(),
            table_id: backup.definition.table_id.clone(),
            table_arn: self.table_arn(&backup.definition.name),
        }
    }

    fn described_backup(&self, backup: &StoredBackup, status: BackupStatus) -> BackupDescription {
        let counts = Counts::of_table(backup.item_count, backup.size_bytes);
        BackupDescription {
            details: backup.details(status),
            source: self.describer().describe(&backup.definition, &counts),
            time_to_live_attribute: backup.definition.time_to_live_attribute.clone(),
        }
    }
}

/// Reads a backup's description.
pub(crate) fn stored_backup(tx: &mut ReadTx<'_>, backup_arn: &str) -> Result<StoredBackup, ItemsError> {
    let is_backup_arn = backup_arn
        .split_once("/backup/")
        .is_some_and(|(table, id)| table.parse::<TableArn>().is_ok() && !id.is_empty() && !id.contains('/'));
    if !is_backup_arn {
        return Err(refused("Invalid Backup ARN"));
    }
    let text = tx
        .document(KIND, backup_arn)?
        .ok_or_else(|| ItemsError::BackupNotFound(format!("Backup not found: {backup_arn}")))?;
    serde_json::from_str(&text).map_err(unreadable)
}

/// A stored description that cannot be read, or written, is a bug or a damaged database.
fn unreadable(error: serde_json::Error) -> ItemsError {
    StoreError::corrupt("backup", error).into()
}
