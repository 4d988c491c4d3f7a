//! Tokens with which clients mark their transactions.

use pdb_model::EpochMillis;

/// A transaction that succeeded under a client's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Tells requests with different parameters apart.
    pub fingerprint: Vec<u8>,
    /// What the transaction answered, in the caller's own form.
    pub answer: String,
    /// Until when the token is remembered.
    pub expires: EpochMillis,
}
