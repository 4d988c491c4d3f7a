//! UpdateTimeToLive and DescribeTimeToLive.
//!
//! Evidence: `validation.md` 10.15, `dynamodb.md` 12.

use pdb_model::TableName;

use super::backfill::set_expiries;
use super::manager::TableManager;
use super::rules::refused;
use super::transition::{check_created_for_expiry, check_created_to_describe_expiry};
use crate::ItemsError;

/// The input and the output of UpdateTimeToLive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeToLiveSpecification {
    /// Whether items are to expire.
    pub enabled: bool,
    /// The attribute that says when.
    pub attribute_name: String,
}

impl TableManager {
    /// Switches the expiry of items on or off. Items that are there already get their expiry with it.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if it is so already, or on for another attribute.
    pub fn update_time_to_live(
        &self,
        table_name: &TableName,
        specification: TimeToLiveSpecification,
    ) -> Result<TimeToLiveSpecification, ItemsError> {
        let table_name = table_name.clone();
        self.write(move |manager, tx| {
            let table = manager.table(tx, &table_name)?;
            check_created_for_expiry(&table.definition, manager.env.clock.now())?;
            let mut definition = (*table.definition).clone();
            let current = table.definition.time_to_live_attribute.as_deref();
            let attribute_name = specification.attribute_name.as_str();
            match (specification.enabled, current) {
                (true, Some(current)) if current == attribute_name => {
                    return Err(refused("TimeToLive is already enabled"));
                }
                (true | false, Some(current)) if current != attribute_name => {
                    return Err(refused(format!(
                        "TimeToLive is active on a different AttributeName: current AttributeName is {current}"
                    )));
                }
                (false, None) => return Err(refused("TimeToLive is already disabled")),
                (true, None) => definition.time_to_live_attribute = Some(attribute_name.to_owned()),
                (true | false, Some(_)) => definition.time_to_live_attribute = None,
            }
            let table = tx.replace_definition(&definition)?;
            set_expiries(tx, &table)?;
            Ok(specification.clone())
        })
    }

    /// Returns the attribute that says when items expire, if they do.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`].
    pub fn describe_time_to_live(&self, table_name: &TableName) -> Result<Option<String>, ItemsError> {
        let table = self.read(|tx| self.table(tx, table_name))?;
        check_created_to_describe_expiry(&table.definition, self.env.clock.now())?;
        Ok(table.definition.time_to_live_attribute.clone())
    }
}
