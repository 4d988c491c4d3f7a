//! The engine of SQLite.

pub(crate) mod backup;
pub(crate) mod checkpoint;
pub(crate) mod connection;
pub(crate) mod copy;
pub(crate) mod copy_check;
pub(crate) mod engine;
pub(crate) mod files;
pub(crate) mod interrupt;
pub(crate) mod pool;
pub(crate) mod schema;
pub(crate) mod seal;
pub(crate) mod writer;
