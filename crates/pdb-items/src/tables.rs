//! Operations on tables, and all that belongs to them: indexes, streams' switches, expiry, tags, backups, policies.
//!
//! What a request may hold is in `input`, what answers tell in `description`. Checks that need no store are in `..._rules`, in the
//! order in which AWS makes them; what was refused before (types, lengths, words of enums) cannot reach them. Every change is
//! done when its operation returns.

mod account;
mod backfill;
mod backup;
mod continuous_backups;
mod create_rules;
mod create_table;
mod definition;
mod describe;
mod description;
mod import;
mod index_rules;
mod input;
mod insights;
mod key_rules;
mod kinesis;
mod manager;
mod policies;
mod resource;
mod restore;
mod rules;
mod streams;
mod tags;
mod time_to_live;
mod transition;
mod update_indexes;
mod update_rules;
mod update_table;
mod update_throughput;
mod vector_input;
mod vector_rules;

pub use account::Limits;
pub use backup::{
    BackupDescription, BackupDetails, BackupStatus, BackupSummary, KeptItems, ListBackupsInput,
    ListBackupsOutput, kept_items,
};
pub use continuous_backups::PointInTimeRecoveryDescription;
pub use describe::{ListTablesInput, ListTablesOutput};
pub use description::{
    BillingModeSummary, GlobalIndexDescription, LocalIndexDescription, RestoreSummary, SseDescription,
    TableClassSummary, TableDescription, TableStatus, ThroughputDescription, VectorIndexDescription,
    WarmThroughputDescription,
};
pub use input::{
    CreateTableInput, GlobalIndexInput, GlobalIndexThroughputUpdate, GlobalIndexUpdate, KeySchemaElement,
    KeyType, LocalIndexInput, ProjectionInput, ProjectionType, SseSpecification, SseType,
    StreamSpecification, TableClassInput, Tag, ThroughputInput, UpdateTableInput, WarmThroughputInput,
};
pub use insights::{ContributorInsightsDescription, UpdateContributorInsightsInput};
pub use manager::TableManager;
pub use restore::{RestoreOverrides, RestoreToPointInTimeInput};
pub use time_to_live::TimeToLiveSpecification;
pub use vector_input::{SearchSchemaElement, VectorIndexInput, VectorIndexUpdate};

#[cfg(test)]
mod tests;
