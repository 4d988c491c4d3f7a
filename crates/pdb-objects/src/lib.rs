#![doc = include_str!("../README.md")]

mod absent;
mod error;
#[cfg(feature = "folder")]
mod folder;
mod memory;
#[cfg(any(feature = "folder", feature = "s3"))]
mod names;
#[cfg(feature = "s3")]
mod s3;
mod store;

pub use absent::NoObjects;
pub use error::ObjectError;
#[cfg(feature = "folder")]
pub use folder::FolderObjects;
pub use memory::MemoryObjects;
#[cfg(feature = "s3")]
pub use s3::{S3Credentials, S3Objects, S3Settings, S3SettingsError, S3Timeouts};
pub use store::{Object, ObjectStore, ObjectWriter};
