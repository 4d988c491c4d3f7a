//! Requests and the faults that the user has asked for: what is decided when a request arrives, and what comes out.

pub(crate) mod tables;

use std::time::Duration;

use pdb_model::Operation;
use pretender::faults::{Call, ConnectionDrop, Injection};

use crate::Wire;
use crate::error::error_response;
use crate::response::Response;
use crate::wire::block_on;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is answered.
    Answer(Response),
    /// There is no answer: the front door closes the connection, or fails as if it had been closed. Comes of faults only that
    /// the user has asked for.
    Drop,
}

impl Reply {
    /// Returns the answer, if there is one.
    #[must_use]
    pub fn answer(self) -> Option<Response> {
        match self {
            Self::Answer(response) => Some(response),
            Self::Drop => None,
        }
    }
}

/// A request about which has been decided what faults it meets: none, unless the user has asked for some.
#[derive(Debug)]
pub struct Admission {
    operation: Operation,
    injection: Option<Injection>,
    request_id: Option<String>,
}

impl Admission {
    /// Takes the wait that the request is to have out of the admission: whoever does so waits before the request is carried
    /// out. What is not taken is waited for while it is carried out.
    pub fn take_delay(&mut self) -> Option<Duration> {
        self.injection.as_mut().and_then(Injection::take_delay)
    }
}

impl Wire {
    /// Decides what faults a request meets; to be asked once for each. `request_id` is what the answer will carry.
    #[must_use]
    pub fn admit(&self, operation: Operation, body: &[u8], request_id: Option<&str>) -> Admission {
        let faults = self.pretender().faults();
        let injection = faults.is_armed().then(|| {
            faults.decide(&Call {
                operation,
                tables: tables::named(operation, body),
                request_id: request_id.map(str::to_owned),
                has_connection: true,
            })
        });
        Admission { operation, injection, request_id: request_id.map(str::to_owned) }
    }

    /// Carries out a request that was admitted, with the faults it meets. Waiting, also for a commit, does not block the
    /// thread; reading does.
    pub async fn carry_out(&self, admission: Admission, body: &[u8]) -> Reply {
        let Admission { operation, injection, request_id } = admission;
        let Some(injection) = injection else { return Reply::Answer(self.respond(operation, body).await) };
        injection.wait_async().await;
        if let Some(error) = injection.refusal() {
            return Reply::Answer(error_response(error));
        }
        let drops = injection.drops();
        if drops == Some(ConnectionDrop::Before) {
            return Reply::Drop;
        }
        let response = self.with_injection(injection, request_id.as_deref()).respond(operation, body).await;
        if drops == Some(ConnectionDrop::After) { Reply::Drop } else { Reply::Answer(response) }
    }

    /// Carries out a request that was admitted, blocking until it is done.
    #[must_use]
    pub fn carry_out_blocking(&self, admission: Admission, body: &[u8]) -> Reply {
        block_on(self.carry_out(admission, body))
    }
}
