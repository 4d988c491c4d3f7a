//! Contributor insights: only the setting is kept, nothing is counted.
//!
//! Evidence: `dynamodb.md` 17.

use pdb_model::{ContributorInsights, EpochMillis, IndexName, TableDefinition, TableName};

use super::manager::TableManager;
use crate::ItemsError;

/// Contributor insights of a table or index, as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContributorInsightsDescription {
    /// The table.
    pub table_name: TableName,
    /// The index, unless it is the table itself.
    pub index_name: Option<IndexName>,
    /// Whether they are enabled.
    pub enabled: bool,
    /// Only throttled keys rather than accessed and throttled ones.
    pub throttled_keys_only: bool,
    /// When the setting was last changed, if it ever was.
    pub last_update_date_time: Option<EpochMillis>,
}

/// The input of UpdateContributorInsights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateContributorInsightsInput {
    /// The table.
    pub table_name: TableName,
    /// The index, unless it is the table itself.
    pub index_name: Option<IndexName>,
    /// Enable, or disable.
    pub enable: bool,
    /// Only throttled keys rather than accessed and throttled ones; as it was if absent.
    pub throttled_keys_only: Option<bool>,
}

impl TableManager {
    /// Describes the contributor insights of a table or index.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`] of the table or the index.
    pub fn describe_contributor_insights(
        &self,
        table_name: &TableName,
        index_name: Option<&IndexName>,
    ) -> Result<ContributorInsightsDescription, ItemsError> {
        self.read(|tx| {
            let table = self.table(tx, table_name)?;
            check_index(&table.definition, index_name)?;
            let known =
                table.definition.contributor_insights.iter().find(|known| known.index.as_ref() == index_name);
            Ok(described(table_name, index_name, known))
        })
    }

    /// Enables or disables the contributor insights of a table or index.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`] of the table or the index.
    pub fn update_contributor_insights(
        &self,
        input: UpdateContributorInsightsInput,
    ) -> Result<ContributorInsightsDescription, ItemsError> {
        let table_name = input.table_name.clone();
        self.change(&table_name, move |manager, _, definition| {
            let index = input.index_name.as_ref();
            check_index(definition, index)?;
            let insights = &mut definition.contributor_insights;
            let at = insights.iter().position(|known| known.index.as_ref() == index);
            let old_mode = at.is_some_and(|at| insights[at].throttled_keys_only);
            let new = ContributorInsights {
                index: index.cloned(),
                enabled: input.enable,
                throttled_keys_only: input.throttled_keys_only.unwrap_or(old_mode),
                last_update: manager.env.clock.now(),
            };
            let description = described(&input.table_name, index, Some(&new));
            match at {
                Some(at) => insights[at] = new,
                None => insights.push(new),
            }
            Ok(description)
        })
    }

    /// Lists the contributor insights that are enabled, of a table or of all.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`] of the table.
    pub fn list_contributor_insights(
        &self,
        table_name: Option<&TableName>,
    ) -> Result<Vec<ContributorInsightsDescription>, ItemsError> {
        self.read(|tx| {
            let tables = match table_name {
                Some(name) => vec![self.table(tx, name)?],
                None => tx.tables()?,
            };
            let mut listed = Vec::new();
            for table in tables {
                let enabled = table.definition.contributor_insights.iter().filter(|known| known.enabled);
                listed
                    .extend(enabled.map(|known| described(table.name(), known.index.as_ref(), Some(known))));
            }
            Ok(listed)
        })
    }
}

fn check_index(definition: &TableDefinition, index_name: Option<&IndexName>) -> Result<(), ItemsError> {
    match index_name {
        Some(index) if definition.index(index.as_str()).is_none() => Err(ItemsError::ResourceNotFound(
            format!("Requested resource not found: Index: {index} not found for table: {}", definition.name),
        )),
        Some(_) | None => Ok(()),
    }
}

fn described(
    table_name: &TableName,
    index_name: Option<&IndexName>,
    known: Option<&ContributorInsights>,
) -> ContributorInsightsDescription {
    ContributorInsightsDescription {
        table_name: table_name.clone(),
        index_name: index_name.cloned(),
        enabled: known.is_some_and(|known| known.enabled),
        throttled_keys_only: known.is_some_and(|known| known.throttled_keys_only),
        last_update_date_time: known.map(|known| known.last_update),
    }
}
