//! A black-box suite of DynamoDB Streams scenarios.
//!
//! It speaks HTTP to any endpoint, real AWS included, and knows nothing of the server behind it. Each [`Case`] makes its
//! own tables, waits for what it needs with a deadline instead of assuming that anything is instant, reads all shards
//! along their lineage, and removes its tables at the end. Cases that need time travel, rotation, splits or trimming
//! use a small [control interface](control) and are skipped where there is none.
//!
//! Errors are matched by type and status; their texts only where the service's text is known.

mod case;
pub mod cases;
mod checklist;
mod client;
mod context;
pub mod control;
mod expect;
mod history;
mod lane;
mod moment;
mod outcome;
mod random;
mod reader;
mod record;
mod report;
mod run;
mod server;
mod sign;

pub use case::{Case, Group, Needs};
pub use checklist::CHECKLIST;
pub use client::{Answer, Api, ApiFailure, Client};
pub use context::{Context, Field, Keys, SharedTable, Table};
pub use control::Control;
pub use expect::Text;
pub use history::{Change, Place};
pub use lane::Lane;
pub use outcome::{Outcome, Stop, shown};
pub use reader::{Reader, read_page};
pub use record::{Record, Shard, View};
pub use report::{Counts, groups, line, summary, to_json};
pub use run::{CaseResult, Verdict, run};
pub use server::Server;
pub use sign::Credentials;
