//! How large an answer with many items may become.
//!
//! DynamoDB counts the bytes of items, and an item is up to seven times as long in JSON: a list of `NULL`s takes two bytes an
//! element there, and fourteen in `{"NULL":true},`. Its limits alone would let a request of a kilobyte fetch 110 MB.

/// The most bytes of JSON that the items of one answer have together, give or take one item.
///
/// The largest answers of AWS have 16 MB of items, so with usual texts and documents the limits of AWS are reached first.
pub(crate) const MAX_ANSWER_JSON_BYTES: usize = 20 * 1024 * 1024;
