//! The `pretender` binary.
fn main() {}
