#![doc = include_str!("../README.md")]

mod batch_queue;
mod checkpoint_file;
mod event;
mod function;
mod mapping;
mod message;
mod settings;
mod shard;
mod state;
mod trigger;

pub use checkpoint_file::CheckpointFileError;
pub use event::{EventRecord, ToEventRecord, lambda_event};
pub use function::{Function, InvokeError, Response};
pub use message::{Condition, Destination, FileDestination};
pub use settings::{MAX_FILTERS, MAX_PAYLOAD_BYTES, MAX_STATE_BYTES, Settings, SettingsError};
pub use state::{Notice, TriggerState};
pub use trigger::{Trigger, TriggerBuilder, TriggerError};
