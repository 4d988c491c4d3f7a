//! The span of an API call: `request`, the parent of its transactions and commits.
//!
//! Its fields are attributes of OpenTelemetry's semantic conventions for databases, remote calls and AWS.

#[cfg(feature = "otlp")]
mod remote_parent;

use std::sync::Arc;

use hyper::http::request::Parts;
use pdb_wire::Operation;
use pretender::faults::RequestContext;
use tracing::field::Empty;
use tracing::{Level, Span, info_span, span_enabled};

use super::answer::Answer;
use super::{target, user_agent};
use crate::error_code;

/// The target of the spans, the same as in `pdb-store`.
const TARGET: &str = "pretender::traces";

/// The trace of one call.
pub(super) struct CallTrace {
    span: Span,
    /// Knows the tables, once the request is decoded.
    context: Option<Arc<RequestContext>>,
}

impl CallTrace {
    /// Returns whether anybody traces calls.
    #[inline]
    pub(super) fn is_wanted() -> bool {
        span_enabled!(target: TARGET, Level::INFO)
    }

    /// Begins the span of a call that has just arrived.
    pub(super) fn begin(parts: &Parts, request_id: &str) -> Self {
        let operation = target(&parts.headers).and_then(Operation::from_target);
        let service = |operation: Operation| {
            if operation.is_of_streams() { "DynamoDBStreams" } else { "DynamoDB" }
        };
        let service = operation.map(service);
        let method = operation.map(Operation::name);
        let name = service.zip(method).map(|(service, method)| format!("{service}.{method}"));
        let span = info_span!(
            target: TARGET,
            parent: None,
            "request",
            "otel.name" = name,
            "otel.kind" = "server",
            "otel.status_code" = Empty,
            "rpc.system" = "aws-api",
            "rpc.service" = service,
            "rpc.method" = method,
            "db.system.name" = "aws.dynamodb",
            "db.operation.name" = method,
            "db.namespace" = Empty,
            "db.collection.name" = Empty,
            "aws.request_id" = request_id,
            "user_agent.original" = user_agent(&parts.headers),
            "http.response.status_code" = Empty,
            "error.type" = Empty
        );
        #[cfg(feature = "otlp")]
        remote_parent::adopt(&span, &parts.headers);
        Self { span, context: None }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes the name of the database that the request means.
    pub(super) fn note_database(&self, name: &str) {
        self.span.record("db.namespace", name);
    }

    /// Returns the context in which the request is to be carried out.
    pub(super) fn context(&mut self, operation: Operation, request_id: &str) -> Arc<RequestContext> {
        let new = || Arc::new(RequestContext::new(operation, Some(request_id), true));
        self.context.get_or_insert_with(new).clone()
    }

    /// Notes the answer; there is none if a fault has dropped the connection.
    pub(super) fn finish(self, answer: Option<&Answer>) {
        self.note_tables();
        let Some(answer) = answer else {
            self.span.record("error.type", "dropped");
            self.span.record("otel.status_code", "ERROR");
            return;
        };
        let status = answer.status;
        self.span.record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_success() {
            return;
        }
        let code = error_code::find(answer.body());
        self.span.record("error.type", code.as_deref().unwrap_or(status.as_str()));
        // By the conventions for servers, an error of the client is none of the server.
        if status.is_server_error() {
            self.span.record("otel.status_code", "ERROR");
        }
    }

    /// Notes the table that the request names. Of several, only OpenTelemetry can have a list.
    fn note_tables(&self) {
        let mut tables = self.context.as_ref().map(|context| context.tables()).unwrap_or_default();
        tables.sort();
        tables.dedup();
        if let [table] = &tables[..] {
            self.span.record("db.collection.name", table.as_str());
        }
        #[cfg(feature = "otlp")]
        remote_parent::set_tables(&self.span, &tables);
    }
}
