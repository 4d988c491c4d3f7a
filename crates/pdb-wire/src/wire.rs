//! From a target and a body to an answer.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use pdb_model::{ApiError, ErrorCode, Operation};
use pretender::Pretender;
use pretender::faults::Injection;

use crate::admission::Reply;
use crate::decode::{is_json, not_json};
use crate::error::error_response;
use crate::layer::{Family, Texts};
use crate::response::Response;
use crate::{items, statements, streams, tables};

/// Answers requests of both services for one engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Wire {
    /// The engine as operations call it: about the faults they meet has been decided.
    pub(crate) pretender: Pretender,
    /// The engine as it was given.
    given: Pretender,
    endpoint: Arc<str>,
    /// The region that ARNs of tables have to be of, if other regions have databases of their own.
    pub(crate) only_region: Option<Arc<str>>,
}

impl Wire {
    /// Returns the wire of an engine. It speaks the generation of texts that the engine was opened with.
    #[must_use]
    pub fn new(pretender: Pretender) -> Self {
        Self {
            pretender: pretender.with_injection(None, None),
            given: pretender,
            endpoint: "localhost:8000".into(),
            only_region: None,
        }
    }

    /// Sets what `DescribeEndpoints` answers: where clients reach this engine, as `host:port`.
    #[must_use]
    pub fn with_endpoint(self, endpoint: &str) -> Self {
        Self { endpoint: endpoint.into(), ..self }
    }

    /// Finds no tables for ARNs of regions other than the engine's: those have engines of their own. Without it the region in the ARN
    /// of a table does not matter.
    #[must_use]
    pub fn with_separate_regions(self) -> Self {
        let region = self.given.account().region.as_str().into();
        Self { only_region: Some(region), ..self }
    }

    /// Returns where clients reach this engine.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the engine, as it was given.
    #[expect(clippy::misnamed_getters, reason = "the field of this name is for operations only")]
    #[must_use]
    pub fn pretender(&self) -> &Pretender {
        &self.given
    }

    /// Finds what a request asks for: its `X-Amz-Target` header and its body.
    ///
    /// # Errors
    ///
    /// The answer for a request that names no operation, or whose body is no JSON then: AWS reads the body before it looks at the
    /// target.
    pub fn operation(&self, target: Option<&str>, body: &[u8]) -> Result<Operation, Response> {
        target.and_then(Operation::from_target).ok_or_else(|| {
            error_response(&if is_json(body) {
                ApiError::new(ErrorCode::UnknownOperationException, "")
            } else {
                not_json()
            })
        })
    }

    /// Returns the answer for a request that lacks authentication, with AWS's reason: a body that is no JSON is reported first.
    #[must_use]
    pub fn refuse(&self, body: &[u8], reason: &ApiError) -> Response {
        error_response(&if is_json(body) { reason.clone() } else { not_json() })
    }

    /// Answers a request, blocking until it is done.
    #[must_use]
    pub fn call(&self, target: Option<&str>, body: &[u8]) -> Reply {
        match self.operation(target, body) {
            Ok(operation) => block_on(self.run(operation, body)),
            Err(response) => Reply::Answer(response),
        }
    }

    /// Admits a request and carries it out. Waiting, also for a commit, does not block the thread; reading does.
    pub async fn run(&self, operation: Operation, body: &[u8]) -> Reply {
        self.carry_out(self.admit(operation, body, None), body).await
    }

    /// Admits a request and carries it out, blocking until it is done.
    #[must_use]
    pub fn run_blocking(&self, operation: Operation, body: &[u8]) -> Reply {
        block_on(self.run(operation, body))
    }

    /// The answer to a request, whatever faults there are.
    pub(crate) async fn respond(&self, operation: Operation, body: &[u8]) -> Response {
        match self.answer(operation, body).await {
            Ok(body) => Response { status: 200, body },
            Err(error) => error_response(&self.pretender.habits().reword(error)),
        }
    }

    /// The same wire, for one request that meets these faults.
    pub(crate) fn with_injection(&self, injection: Injection, request_id: Option<&str>) -> Self {
        Self { pretender: self.given.with_injection(Some(injection), request_id), ..self.clone() }
    }

    /// The region that ARNs of tables have to be of, if it matters.
    pub(crate) fn only_region(&self) -> Option<&str> {
        self.only_region.as_deref()
    }

    /// How operations of a family phrase their rejections here.
    pub(crate) fn texts(&self, family: Family) -> Texts {
        Texts::of(self.pretender.message_layer(), family)
    }

    async fn answer(&self, operation: Operation, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        match operation {
            Operation::PutItem => items::put_item(self, body).await,
            Operation::UpdateItem => items::update_item(self, body).await,
            Operation::DeleteItem => items::delete_item(self, body).await,
            Operation::GetItem => items::get_item(self, body),
            Operation::Query => items::query(self, body),
            Operation::Scan => items::scan(self, body),
            Operation::BatchGetItem => items::batch_get_item(self, body),
            Operation::BatchWriteItem => items::batch_write_item(self, body).await,
            Operation::TransactGetItems => items::transact_get_items(self, body),
            Operation::TransactWriteItems => items::transact_write_items(self, body).await,
            Operation::ExecuteStatement => statements::execute_statement(self, body),
            Operation::BatchExecuteStatement => statements::batch_execute_statement(self, body),
            Operation::ExecuteTransaction => statements::execute_transaction(self, body),
            Operation::ListStreams => streams::list_streams(self, body),
            Operation::DescribeStream => streams::describe_stream(self, body),
            Operation::GetShardIterator => streams::get_shard_iterator(self, body),
            Operation::GetRecords => streams::get_records(self, body),
            of_tables => tables::answer(self, of_tables, body),
        }
    }
}

/// Runs a future on this thread, asleep while it waits.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
