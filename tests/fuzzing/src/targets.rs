//! What each target does with its input.

pub(crate) mod console;
pub(crate) mod exchange_file;
pub(crate) mod expression;
pub(crate) mod http;
pub(crate) mod iterator;
pub(crate) mod number;
pub(crate) mod operation;
pub(crate) mod partiql;
pub(crate) mod pattern;
pub(crate) mod seed_file;
pub(crate) mod snapshot_file;
pub(crate) mod stream_file;
pub(crate) mod value;
