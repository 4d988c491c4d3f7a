//! CreateTable and DeleteTable.

use std::sync::Arc;

use pdb_model::{TableChange, TableName};

use super::create_rules::check;
use super::describe::Counts;
use super::description::{TableDescription, TableStatus};
use super::input::CreateTableInput;
use super::manager::{TableManager, find_table};
use super::policies::first_policy;
use super::rules::refused;
use super::transition::{check_created, check_deletion};
use crate::ItemsError;

impl TableManager {
    /// Creates a table, with its indexes and its stream.
    ///
    /// The answer says `CREATING`, as AWS's does; the table is ready all the same.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`]; [`ItemsError::ResourceInUse`] if there is a table of this name.
    pub fn create_table(&self, mut input: CreateTableInput) -> Result<TableDescription, ItemsError> {
        self.habits.adapt_creation(&mut input);
        check(&input)?;
        let input = Arc::new(input);
        self.write(move |manager, tx| {
            let table_name = &input.table_name;
            if let Some(existing) = find_table(tx, table_name)? {
                check_created(&existing.definition, manager.env.clock.now())?;
                return Err(ItemsError::ResourceInUse(format!("Table already exists: {table_name}")));
            }
            let now = tx.moment(|| manager.env.clock.now());
            let mut definition = manager.definition(&input, now)?;
            if let Some(policy) = &input.resource_policy {
                let policy = first_policy(policy, now)?;
                definition.resource_policies.insert(manager.table_arn(table_name), policy);
            }
            manager.begin(&mut definition, TableChange::Creation, now);
            let mut table = tx.create_table(&definition)?;
            if let Some(view_type) = input.stream_specification.and_then(|stream| stream.stream_view_type) {
                table = manager.enable_stream(tx, &table, view_type)?;
            }
            Ok(manager.describer().created(&table.definition, input.warm_throughput.is_some()))
        })
    }

    /// Deletes a table with its items and indexes; its streams stay readable until their records expire.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if the table is protected.
    pub fn delete_table(&self, table_name: &TableName) -> Result<TableDescription, ItemsError> {
        let table_name = table_name.clone();
        self.write(move |manager, tx| {
            let table = manager.table(tx, &table_name)?;
            check_deletion(&table.definition, manager.env.clock.now())?;
            if table.definition.deletion_protection {
                return Err(refused(
                    "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
                     protection first.",
                ));
            }
            let counts = Counts::of(tx, &table)?;
            let now = tx.moment(|| manager.env.clock.now());
            tx.drop_table(&table_name, now)?;
            let describer = manager.describer();
            if manager.habits.long_delete_answer {
                let description = describer.describe(&table.definition, &counts);
                return Ok(TableDescription { table_status: TableStatus::Deleting, ..description });
            }
            Ok(describer.deleted(&table.definition, &counts))
        })
    }
}
