//! The walk and subscriptions against a source made of lists.

mod cases;
mod fake;
mod histories;
mod walker;
