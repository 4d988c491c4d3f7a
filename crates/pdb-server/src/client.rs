//! Clients for servers.
//!
//! A command that talks to a server flattens [`Connection`] into its arguments, and gets from it what it needs: [`Api`]
//! for calls to the DynamoDB and DynamoDB Streams APIs, [`RemoteStreams`] to read streams, [`Control`] for the control
//! API under `/_pretender/`, [`MetricsClient`] for its metrics.

mod absent;
mod answer;
mod api;
#[cfg(feature = "https")]
mod authorities;
mod connection;
mod control;
mod endpoint;
mod failure;
mod machine;
mod metrics;
mod probe;
mod profile;
mod remote;
mod retry;
mod service;
mod sign;
mod streams;

pub(crate) use api::{Api, ApiFailure};
pub(crate) use connection::{Connection, ConnectionError, Server, parse_server};
pub(crate) use control::{Control, ControlFailure, RemoteBackup, with_token};
pub(crate) use endpoint::{Endpoint, NotAnEndpoint};
pub(crate) use failure::Unanswered;
pub(crate) use metrics::{MetricsClient, MetricsFailure};
pub(crate) use probe::Probe;
pub(crate) use remote::{RemoteRecord, RemoteStreams};
pub(crate) use retry::{pause, rest, retried};
pub(crate) use service::Service;
