//! Faults on demand: what goes wrong on AWS now and then goes wrong here when, where and as often as a test says.
//!
//! [`Pretender::faults`](crate::Pretender::faults) is the plan of a database. Every typed call, subscription and request asks it once,
//! before it is carried out.
//!
//! # Examples
//!
//! ```
//! use pretender::faults::{Fault, FaultKind, OperationGroup};
//! use pretender::prelude::*;
//!
//! let db = Pretender::in_memory()?;
//! db.faults().add(Fault::new(FaultKind::InternalError).on(OperationGroup::Tables).times(1))?;
//! assert_eq!(db.list_tables(&ListTablesInput::default()).unwrap_err().code, ErrorCode::InternalServerError);
//! assert!(db.list_tables(&ListTablesInput::default()).is_ok());
//! assert_eq!(db.faults().report().injected.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod inject;
pub(crate) mod mode;
pub(crate) mod named_tables;
mod request;

pub use request::{RequestContext, RequestStep};

#[doc(inline)]
pub use pdb_faults::{
    Fault, FaultError, FaultId, FaultKind, FaultReport, FaultState, FaultTarget, Faults, InjectedFault,
    OperationGroup, ParseTargetError, wait, wait_async,
};
