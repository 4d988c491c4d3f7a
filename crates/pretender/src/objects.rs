//! Stores of objects, in which exports, imports and archives find their buckets.
//!
//! With the feature `objects`, buckets can be folders (`FolderObjects`), or those of any S3-compatible service (`S3Objects`).
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use pretender::Pretender;
//! use pretender::objects::{MemoryObjects, ObjectStore};
//!
//! let objects = MemoryObjects::new();
//! objects.create_bucket("exports");
//! let db = Pretender::builder().objects(Arc::new(objects)).open()?;
//! assert_eq!(db.objects().get("exports", "orders.json", 1024)?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "objects")]
#[doc(inline)]
pub use pdb_objects::{FolderObjects, S3Credentials, S3Objects, S3Settings, S3SettingsError, S3Timeouts};
#[doc(inline)]
pub use pdb_objects::{MemoryObjects, NoObjects, Object, ObjectError, ObjectStore, ObjectWriter};
