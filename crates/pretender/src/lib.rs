#![doc = include_str!("../README.md")]

mod backup;
mod batches;
mod builder;
mod changes;
mod check;
mod control;
mod copy;
mod database;
mod errors;
mod faults;
mod items;
mod location;
mod snapshots;
mod streams;
mod table_operations;

pub use backup::{Backup, BackupError, BackupProgress, BackupReport};
pub use builder::Builder;
pub use changes::{ReplayError, ReplayReport};
pub use check::{CheckEvent, CheckProgress, CheckReport, Finding, FindingKind, check};
pub use control::{ControlError, ShardSummary};
pub use copy::{CopyError, CopyPhase, CopyProgress, CopyReport, copy};
pub use database::Pretender;
pub use faults::{
    Call, Drops, Fault, FaultError, FaultId, FaultKind, FaultReport, FaultState, FaultTarget, Faults,
    InjectedFault, Injection, NotATarget, OperationGroup,
};
pub use snapshots::SnapshotSummary;
pub use streams::StreamReader;

pub use pdb_assert::{
    CatchUpError, Change, ChangeParseError, ExpectChanges, ExpectError, ExportError, ImportError, ReadError,
    StreamDiff,
};
pub use pdb_cleanup::{SweepReport, TrimReport};
pub use pdb_items::tables::*;
pub use pdb_items::*;
pub use pdb_model::*;
pub use pdb_store::{
    ActivityReport, ClearReport, CompactReport, CopiedBytes, Durability, OpenError, RecordRef, StoreError,
};
pub use pdb_streams::*;
