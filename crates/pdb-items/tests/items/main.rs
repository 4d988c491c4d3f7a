//! The operations on items, through `ItemManager`.

mod answer_sizes;
mod batches;
mod conditions;
mod cost;
mod harness;
mod indexes;
mod layers;
mod legacy;
mod partiql;
mod properties;
mod queries;
mod scans;
mod transactions;
mod updates;
mod writes;
