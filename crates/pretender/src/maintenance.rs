//! Work on whole databases: backups of a file, copies to another database, checks.
//!
//! # Examples
//!
//! ```
//! use pretender::Pretender;
//! use pretender::maintenance::copy;
//!
//! use std::ops::ControlFlow;
//!
//! let folder = tempfile::tempdir()?;
//! let (orders, copied) = (folder.path().join("orders.db"), folder.path().join("copy.db"));
//! let db = Pretender::open(&orders)?;
//! assert!(db.check(&mut |_| {})?.is_sound());
//! db.close();
//! let (from, to) = (Pretender::builder().file(&orders), Pretender::builder().file(&copied));
//! copy(&from, &to, &mut |_| ControlFlow::Continue(()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backup;
mod check;
mod copy;

pub use backup::{Backup, BackupError, BackupProgress, BackupReport};
pub use check::{CheckEvent, CheckProgress, CheckReport, Finding, FindingKind, check};
pub use copy::{CopyError, CopyPhase, CopyProgress, CopyReport, copy};

#[doc(inline)]
pub use pdb_store::{ActivityReport, ClearReport, CompactReport, CopiedBytes};
