//! Stores of objects, in which exports, imports and archives find their buckets.
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

#[doc(inline)]
pub use pdb_objects::{MemoryObjects, NoObjects, Object, ObjectError, ObjectStore, ObjectWriter};
