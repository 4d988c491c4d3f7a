//! Commands that read and change tables and items, at any endpoint.

mod grid;
mod items;
mod lineage;
mod ls;
mod output;
mod schema;
mod show;
mod single;
mod sql;

pub(crate) use items::{Query, Scan};
pub(crate) use ls::Ls;
pub(super) use output::{items_of, note};
pub(super) use schema::typed;
pub(crate) use show::Show;
pub(crate) use single::{Delete, Get, Put};
pub(crate) use sql::Sql;
