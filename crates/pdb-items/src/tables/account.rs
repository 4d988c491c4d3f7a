//! DescribeLimits, and operations that are always refused, with the texts of AWS: global tables.
//!
//! Evidence: `dynamodb.md` 18.

use pdb_model::TableName;

use super::manager::TableManager;
use super::rules::invalid;
use crate::ItemsError;

/// The output of DescribeLimits: AWS's initial quotas. They are not enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Read units of all tables together.
    pub account_max_read_capacity_units: u64,
    /// Write units of all tables together.
    pub account_max_write_capacity_units: u64,
    /// Read units of one table.
    pub table_max_read_capacity_units: u64,
    /// Write units of one table.
    pub table_max_write_capacity_units: u64,
}

impl TableManager {
    /// Returns the limits of an account as AWS documents them; none of them is enforced.
    ///
    /// # Errors
    ///
    /// None today. All operations can fail.
    pub fn describe_limits(&self) -> Result<Limits, ItemsError> {
        Ok(Limits {
            account_max_read_capacity_units: 80_000,
            account_max_write_capacity_units: 80_000,
            table_max_read_capacity_units: 40_000,
            table_max_write_capacity_units: 40_000,
        })
    }

    /// Refuses the operations that change global tables of 2017, as AWS does.
    ///
    /// # Errors
    ///
    /// Always [`ItemsError::Validation`].
    pub fn refuse_legacy_global_tables(&self) -> Result<(), ItemsError> {
        Err(invalid(
            "DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables \
             version 2019.11.21, instead of version 2017.11.29 (Legacy).",
        ))
    }

    /// Finds no global table of 2017: there are none.
    ///
    /// # Errors
    ///
    /// Always [`ItemsError::GlobalTableNotFound`].
    pub fn describe_global_table(&self, name: &TableName) -> Result<(), ItemsError> {
        Err(ItemsError::GlobalTableNotFound(format!(
            "Global table not found: Global table with name: '{name}' does not exist."
        )))
    }

    /// Finds no scaling of replicas: no table has any.
    ///
    /// # Errors
    ///
    /// Always [`ItemsError::ResourceNotFound`].
    pub fn describe_table_replica_auto_scaling(&self, name: &TableName) -> Result<(), ItemsError> {
        Err(ItemsError::ResourceNotFound(format!("Global table with name: '{name}' does not exist.")))
    }
}
