#![doc = include_str!("../README.md")]
//!
//! # Adding an operation
//!
//! 1. Name it in the list of `pdb_model::Operation`, with its class.
//! 2. Declare its input with `shape!` (module `decode`): every member becomes an `Option`. Types of members: `Text<'a>`, `bool`, `i32`,
//!    `i64`, `f64`, `Blob`, `Vec<T>`, `Entries<'a, T>` (a map in request order), other shapes, `AttributeMap` and `Value`.
//! 3. Write `fn create_table(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError>` in a file of its own:
//!    `decode_body` the input, run the constraint checks in AWS's order (module `constraint`), convert to the facade's input, call the
//!    facade, write the answer with `JsonWriter`. Errors are `ApiError`s; nothing else knows bodies and status codes.
//! 4. Add the arm to the `match` of `Wire::answer`.
//!
//! ```text
//! shape! {
//!     /// What UpdateTimeToLive takes.
//!     pub(crate) struct UpdateTimeToLiveInput<'a> {
//!         table_name: Text<'a> = "TableName",
//!         time_to_live_specification: TimeToLiveSpecification<'a> = "TimeToLiveSpecification",
//!     }
//!
//!     /// When items expire.
//!     pub(crate) struct TimeToLiveSpecification<'a> {
//!         attribute_name: Text<'a> = "AttributeName",
//!         enabled: bool = "Enabled",
//!     }
//! }
//!
//! pub(crate) fn update_time_to_live(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
//!     let input: UpdateTimeToLiveInput<'_> = decode_body(body)?;
//!     let mut check = Constraints::new(Texts::CLASSIC);
//!     let at_specification = at("TimeToLiveSpecification");
//!     check.required(&at_specification, input.time_to_live_specification.as_ref());
//!     if let Some(specification) = &input.time_to_live_specification {
//!         check.text_length(&at_specification.member("AttributeName"), specification.attribute_name.as_ref(), 1..=255);
//!     }
//!     check.finish()?;
//!     // ... call the facade ...
//!     Ok(JsonWriter::object_of(|json| json.name("TimeToLiveSpecification").object(|json| ...)))
//! }
//! ```
//!
//! Enums: `wire_enum!(BillingMode { "PROVISIONED" => BillingMode::Provisioned, ... })` in the order in which AWS prints the set, then
//! `check.one_of::<BillingMode>(&at("BillingMode"), input.billing_mode.as_ref())` gives `Option<BillingMode>` or notes the error.

mod call;
mod call_log;
mod constraint;
mod decode;
mod dispatch;
mod error;
mod items;
mod json;
mod layer;
mod panics;
mod request_id;
mod response;
mod statements;
mod streams;
mod tables;
mod value;
mod wire;

pub use call::{Host, Reply, Request};
pub use call_log::CallLog;
pub use panics::caught;
pub use pdb_model::{Operation, OperationClass};
pub use request_id::RequestIds;
pub use response::{Response, checksum};
pub use wire::Wire;
