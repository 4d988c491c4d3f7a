//! Statements: methods of [`ReadTx`](crate::ReadTx) and [`Tx`](crate::Tx), one file for each subject.

pub(crate) mod backups;
pub(crate) mod clear;
pub(crate) mod documents;
pub(crate) mod history;
pub(crate) mod items;
pub(crate) mod records;
pub(crate) mod rotation;
pub(crate) mod settings;
pub(crate) mod shards;
pub(crate) mod statistics;
pub(crate) mod streams;
pub(crate) mod tables;
pub(crate) mod texts;
pub(crate) mod tokens;
