//! Compares AWS's model of a service with the requests that pretender accepts.
//!
//! The model is the JSON from which AWS's SDKs are generated; botocore contains it as `service-2.json`. Nothing here repeats what
//! pretender supports: each operation, member, enumeration and limit of the model is tried on a database, and the answer tells
//! whether it is supported.
//!
//! - An operation is known unless the answer is `UnknownOperationException`.
//! - A member is known if a value of the wrong type is refused, because unknown members are ignored, as on AWS.
//! - An enumeration or a limit is known if a value outside of it is refused with a text that names it.
//! - The members of answers cannot be tested in this way, so their names are searched in the source text instead.

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
