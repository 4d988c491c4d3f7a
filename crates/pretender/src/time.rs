//! Clocks. A database reads the time from the clock it was opened with, and from nothing else.
//!
//! # Examples
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use pretender::Pretender;
//! use pretender::time::{EpochMillis, ManualClock};
//!
//! let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
//! let db = Pretender::builder().clock(clock.clone()).open()?;
//! // Four hours later: shards are rotated, expired items are deleted.
//! db.advance(Duration::from_secs(4 * 3600))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(inline)]
pub use pdb_model::{Clock, EpochMillis, ManualClock, SpeedError, SystemClock};
