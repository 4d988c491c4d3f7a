//! Rows as plain types, without a statement.

pub(crate) mod columns;
pub(crate) mod history;
pub(crate) mod items;
pub(crate) mod records;
pub(crate) mod shards;
pub(crate) mod statistics;
pub(crate) mod table;
pub(crate) mod tokens;
