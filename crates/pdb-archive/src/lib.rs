#![doc = include_str!("../README.md")]

mod adopt;
mod archive;
mod error;
mod guard;
mod layout;
mod location;
mod manifest;
mod note;
mod plan;
mod reader;
mod record;
mod segment;
mod shard_run;
mod source;
mod status;
mod token;
mod verify;

pub use archive::Archive;
pub use error::ArchiveError;
pub use location::{ArchiveLocation, ArchiveOptions, LocationError};
pub use manifest::{ArchivedShard, Gap, Manifest, Segment};
pub use reader::ArchiveReader;
pub use record::ArchivedRecord;
pub use source::{ArchivedLine, ArchivedStreams, NoLiveStreams};
pub use status::ArchiveStatus;
