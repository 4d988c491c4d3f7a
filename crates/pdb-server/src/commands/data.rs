//! Commands that look at tables and items, and change items: at any endpoint, with nothing but the program itself.

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
pub(crate) use show::Show;
pub(crate) use single::{Delete, Get, Put};
pub(crate) use sql::Sql;
