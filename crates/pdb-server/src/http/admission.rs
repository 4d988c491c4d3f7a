//! Which API calls are carried out: what they name, who has signed them, and which database they mean.

use std::sync::Arc;

use hyper::Uri;
use hyper::http::request::Parts;
use pdb_wire::{Operation, Wire};
use pretender::access::Access;

use super::{HttpService, auth, target};
use crate::Credentials;
use crate::credentials::{Caller, Refusal};
use crate::database::Database;
use crate::regions::RegionError;
use crate::signature::{SignedRequest, ValidRegion};

/// The target of a request as its client has sent and signed it, on a server that checks signatures.
#[derive(Clone, Debug)]
pub(super) struct SentTarget(Uri);

impl SentTarget {
    /// Keeps the target of a request, before the name of a database is taken out of it.
    pub(super) fn keep(parts: &mut Parts) {
        parts.extensions.insert(Self(parts.uri.clone()));
    }
}

/// An API call that may be carried out.
pub(super) struct Admitted {
    pub(super) operation: Operation,
    pub(super) database: Arc<Database>,
    /// The wire of the region that the call means, if that is not the home region.
    pub(super) elsewhere: Option<Arc<Wire>>,
    /// The limits of the caller, if it has any.
    pub(super) access: Option<Arc<Access>>,
}

/// The answer to a call that is refused before it is decoded.
pub(super) struct RefusedCall {
    pub(super) answer: pdb_wire::Response,
    /// What the log may contain, if that is less.
    pub(super) for_log: Option<pdb_wire::Response>,
}

impl From<pdb_wire::Response> for RefusedCall {
    fn from(answer: pdb_wire::Response) -> Self {
        Self { answer, for_log: None }
    }
}

impl RefusedCall {
    fn of(wire: &Wire, body: &[u8], refusal: &Refusal) -> Self {
        let (answer, for_log) = (wire.refuse(body, refusal.answer()), wire.refuse(body, refusal.for_log()));
        Self { answer, for_log: Some(for_log) }
    }
}

impl HttpService {
    /// Finds the operation of a call, and the database that it means.
    ///
    /// # Errors
    ///
    /// The answer for a call that is refused before it is decoded.
    pub(super) async fn admit_call(
        &self,
        parts: &Parts,
        name: Option<&str>,
        body: &[u8],
        hash: Option<&[u8; 32]>,
    ) -> Result<Admitted, RefusedCall> {
        let wire = self.home.wire();
        let operation = wire.operation(target(&parts.headers), body)?;
        auth::check(parts).map_err(|reason| wire.refuse(body, &reason))?;
        let caller = match (&self.credentials, hash) {
            (Some(credentials), Some(hash)) => {
                let caller = self.authenticate(credentials, parts, name, hash);
                Some(caller.map_err(|refusal| RefusedCall::of(wire, body, &refusal))?)
            }
            _ => None,
        };
        let database = self.database(name).await;
        let database = database.map_err(|error| wire.refuse(body, &error.refusal()))?;
        // A request without a region in its signature means the home region.
        let region = match &caller {
            _ if !database.regions().are_separate() => None,
            Some(caller) => Some(caller.region().to_owned()),
            None => auth::region(parts),
        };
        let elsewhere = database.wire_elsewhere(region).await.map_err(|error| {
            if let RegionError::Open(source) = &error {
                tracing::error!(error = source as &dyn std::error::Error, "{error}");
            }
            wire.refuse(body, &error.refusal())
        })?;
        let access = caller.map(|caller| caller.access().clone()).filter(|access| access.is_limited());
        Ok(Admitted { operation, database, elsewhere, access })
    }

    /// Checks the signature of a call, before the database that it means is opened.
    fn authenticate<'p>(
        &self,
        credentials: &Credentials,
        parts: &'p Parts,
        name: Option<&str>,
        body_hash: &'p [u8; 32],
    ) -> Result<Caller<'p>, Refusal> {
        let target = parts.extensions.get::<SentTarget>().map_or(&parts.uri, |SentTarget(target)| target);
        let request = SignedRequest {
            method: parts.method.as_str(),
            path: target.path(),
            query: target.query().unwrap_or_default(),
            headers: &parts.headers,
            body_hash,
        };
        // An unknown region is refused where its database would be.
        let are_separate = self.home.regions().are_separate();
        let region = if are_separate { ValidRegion::Any } else { ValidRegion::Only(self.home.region()) };
        let caller = credentials.authenticate(&request, region)?;
        caller.check_time(self.time_of(name))?;
        Ok(caller)
    }
}
