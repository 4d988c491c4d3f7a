//! What an operation answers.

/// An answer: a status code and a JSON body. Headers are the transport's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// JSON on one line; empty for the few operations that answer nothing.
    pub body: Vec<u8>,
}
