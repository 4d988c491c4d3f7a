//! From a target and a body to an answer.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use pdb_model::{ApiError, Operation};
use pretender::Pretender;
use pretender::access::Access;

use crate::decode::{is_json, not_json};
use crate::error::{error_response, unknown_operation};
use crate::layer::{Family, Texts};
use crate::response::Response;

/// Answers requests of both services from one database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Wire {
    /// The database as operations call it: without faults, or with those of one request.
    pub(crate) pretender: Pretender,
    /// The database as the caller passed it in.
    pub(crate) original: Pretender,
    pub(crate) endpoint: Arc<str>,
    /// The region that ARNs of tables must have, if other regions have databases of their own.
    pub(crate) only_region: Option<Arc<str>>,
}

impl Wire {
    /// Returns the wire of a database. It uses the generation of messages with which the database was opened.
    #[must_use]
    pub fn new(pretender: Pretender) -> Self {
        Self {
            pretender: pretender.without_faults(),
            original: pretender,
            endpoint: "localhost:8000".into(),
            only_region: None,
        }
    }

    /// Sets the endpoint that `DescribeEndpoints` returns, as `host:port`.
    #[must_use]
    pub fn with_endpoint(self, endpoint: &str) -> Self {
        Self { endpoint: endpoint.into(), ..self }
    }

    /// Returns the same wire without faults, for calls that observe a test and must not use up its faults.
    #[must_use]
    pub fn without_faults(&self) -> Self {
        Self { original: self.pretender.clone(), ..self.clone() }
    }

    /// Returns the same wire for code that only looks: calls meet no faults, and reads of streams are not those of a reader.
    #[must_use]
    pub fn as_observer(&self) -> Self {
        let pretender = self.original.as_observer();
        Self { pretender: pretender.clone(), original: pretender, ..self.clone() }
    }

    /// Returns the same wire for the calls of one caller, with its limits.
    #[must_use]
    pub fn for_caller(&self, access: &Arc<Access>) -> Self {
        Self {
            pretender: self.pretender.for_caller(access),
            original: self.original.for_caller(access),
            ..self.clone()
        }
    }

    /// Makes ARNs of other regions name no table, because those regions have databases of their own. Without it the region in the ARN of
    /// a table does not matter.
    #[must_use]
    pub fn with_separate_regions(self) -> Self {
        let region = self.original.account().region.as_str().into();
        Self { only_region: Some(region), ..self }
    }

    /// Returns the endpoint at which clients reach this database.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the database, as it was passed to [`Wire::new`].
    #[expect(clippy::misnamed_getters, reason = "the field of this name is for operations only")]
    #[must_use]
    pub fn pretender(&self) -> &Pretender {
        &self.original
    }

    /// Finds the operation that a request names in its `X-Amz-Target` header.
    ///
    /// # Errors
    ///
    /// The answer for a request that names no operation. If its body is not JSON, that is reported: AWS reads the body before it
    /// looks at the target.
    pub fn operation(&self, target: Option<&str>, body: &[u8]) -> Result<Operation, Response> {
        target.and_then(Operation::from_target).ok_or_else(|| unknown_operation(body))
    }

    /// Returns the answer for a request that lacks authentication, with AWS's reason. If its body is not JSON, that is reported
    /// instead.
    #[must_use]
    pub fn refuse(&self, body: &[u8], reason: &ApiError) -> Response {
        error_response(&if is_json(body) { reason.clone() } else { not_json() })
    }

    /// The region that ARNs of tables must have, if it matters.
    pub(crate) fn only_region(&self) -> Option<&str> {
        self.only_region.as_deref()
    }

    /// The messages with which operations of a family refuse requests.
    pub(crate) fn texts(&self, family: Family) -> Texts {
        Texts::of(self.pretender.message_layer(), family)
    }
}

/// Runs a future on this thread, which sleeps while the future waits.
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
