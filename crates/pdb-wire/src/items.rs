//! Operations on items: from their JSON to the facade's typed input, and from its output to JSON.
//!
//! Each checks what needs no table and no parsed expression, in AWS's order: constraints, expressions mixed with legacy parameters,
//! names and values without expression, attribute values, the names and values maps. The rest is the engine's.

mod answer;
mod batch_get_item;
mod batch_write_item;
mod capacity;
mod delete_item;
mod get_item;
mod legacy;
pub(crate) mod placeholders;
mod put_item;
mod query;
mod scan;
mod search_vectors;
pub(crate) mod table;
mod transact_get_items;
mod transact_write_items;
mod update_item;
mod words;

pub(crate) use batch_get_item::batch_get_item;
pub(crate) use batch_write_item::batch_write_item;
pub(crate) use capacity::write_capacity;
pub(crate) use delete_item::delete_item;
pub(crate) use get_item::get_item;
pub(crate) use put_item::put_item;
pub(crate) use query::query;
pub(crate) use scan::scan;
pub(crate) use search_vectors::search_vectors;
pub(crate) use transact_get_items::transact_get_items;
pub(crate) use transact_write_items::transact_write_items;
pub(crate) use update_item::update_item;
