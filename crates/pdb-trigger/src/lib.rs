#![doc = include_str!("../README.md")]

mod batch_queue;
mod checkpoint_file;
mod event;
mod executor;
mod function;
mod mapping;
mod message;
mod monitor;
mod settings;
mod shard;
mod state;
mod stepped_trigger;
mod trigger;
mod trigger_handle;

pub use checkpoint_file::CheckpointFileError;
pub use event::{EventRecord, ToEventRecord, lambda_event};
pub use executor::Executor;
pub use function::{Function, InvokeError, Response};
pub use message::{Condition, Destination, FileDestination};
pub use monitor::{MonitorPhase, RecentNotice, TriggerDescription, TriggerMonitor};
pub use settings::{MAX_FILTERS, MAX_PAYLOAD_BYTES, MAX_STATE_BYTES, Settings, SettingsError};
pub use state::{Notice, ShardState, TriggerState};
pub use stepped_trigger::SteppedTrigger;
pub use trigger::{Trigger, TriggerBuilder, TriggerError};
pub use trigger_handle::TriggerHandle;
