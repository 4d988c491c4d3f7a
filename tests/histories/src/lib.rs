//! Histories of concurrent clients of pretender, with kills, and the streams beside them.
//!
//! A history is a few seconds in the life of a database. Clients call operations on groups of five items, in two tables, and note when they
//! called, when the answer was there, and what it said. Readers poll the streams. Meanwhile, servers are killed and started again, shards
//! rotate and split, and indexes come and go. Afterwards, porcupine, an independent checker, looks for an order in which
//! the operations of a group, carried out one after the other, give these answers: first in the history alone, then in the order of the stream.
//! The streams themselves are checked in [`stream`].
//!
//! | module | has |
//! | --- | --- |
//! | [`history`] | what clients did and saw, as the checker reads it |
//! | [`plan`], [`request`], [`answer`] | an operation, its request, what its answer says |
//! | [`endpoint`] | HTTP and calls in process |
//! | [`stream`] | readers of streams, and what must hold of streams |
//! | [`place`], [`server`] | databases of every kind, and their servers |
//! | [`run`] | one history: clients, readers, and the thread that disturbs them |
//! | [`verdict`] | all checks of a history; `checker/`, in Go, uses porcupine |

pub mod answer;
pub mod checker;
pub mod disturb;
pub mod endpoint;
pub mod history;
pub mod place;
pub mod plan;
pub mod random;
pub mod request;
pub mod run;
pub mod server;
pub mod stream;
pub mod verdict;
pub mod watch;

/// The result of what may fail for a reason that has nothing to do with what is tested.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
