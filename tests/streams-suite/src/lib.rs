//! A black-box suite of DynamoDB Streams scenarios.
//!
//! It sends HTTP requests to any endpoint, including AWS, and does not know which server answers. Each [`Case`] creates its
//! own tables, waits for states and records with a deadline instead of assuming that they are instant, reads all shards
//! along their lineage, and deletes its tables at the end. Cases that need to move the clock, or to rotate, split or trim,
//! use a small [control API](control), and are skipped without it.
//!
//! Errors are compared by type and status, and by text only if the service's text is known.

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
