//! Compares AWS's model of a service with what pretender takes.
//!
//! The model is the JSON that AWS's SDKs are made from; botocore ships it as `service-2.json`. Nothing here repeats what
//! pretender knows: each operation, member, enumeration and limit of the model is tried on a real engine, and the answer tells
//! whether it is known.
//!
//! - An operation is known unless the answer is `UnknownOperationException`.
//! - A member is known if a value of the wrong type is refused: unknown members are passed over, as AWS does.
//! - An enumeration and a limit are known if a value outside is refused with a text that names them.
//! - What an answer holds cannot be asked for, so names of answers are looked for in the source text instead.

mod compare;
mod engine;
mod known;
mod model;
mod source;

pub use compare::{Report, compare};
pub use engine::Engine;
pub use known::Known;
pub use model::Model;
pub use source::Source;
