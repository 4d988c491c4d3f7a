//! Subscriptions against a source made of lists.

mod cases;
mod fake;
mod histories;
