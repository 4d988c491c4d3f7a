//! The engine of SQLite.

pub(crate) mod backup;
pub(crate) mod checkpoint;
pub(crate) mod connection;
pub(crate) mod copy;
pub(crate) mod copy_check;
pub(crate) mod engine;
pub(crate) mod failures;
pub(crate) mod files;
pub(crate) mod floor;
pub(crate) mod inspected_file;
pub(crate) mod interrupt;
pub(crate) mod load;
pub(crate) mod migrate;
pub(crate) mod open;
pub(crate) mod pool;
pub(crate) mod queue;
pub(crate) mod refusals;
pub(crate) mod renew_keys;
pub(crate) mod schema;
pub(crate) mod seal;
pub(crate) mod statements;
pub(crate) mod store;
pub(crate) mod texts;
pub(crate) mod transaction;
pub(crate) mod writer;
