//! The engine of PostgreSQL, and of what speaks its protocol.

pub(crate) mod address;
pub(crate) mod engine;
pub(crate) mod failures;
pub(crate) mod fault;
pub(crate) mod incarnation;
pub(crate) mod load;
pub(crate) mod page;
pub(crate) mod paging;
pub(crate) mod parameters;
pub(crate) mod pool;
pub(crate) mod queued_change;
pub(crate) mod queued_record;
pub(crate) mod renew_keys;
pub(crate) mod schema;
pub(crate) mod session;
pub(crate) mod slots;
pub(crate) mod texts;
pub(crate) mod tls;
pub(crate) mod transaction;
#[cfg(feature = "sqlite")]
pub(crate) mod unsupported;
pub(crate) mod work;
