//! Handles with the limits of a caller.

use std::sync::Arc;

use pdb_model::{ApiError, Operation};

use super::{Access, NeedsPermissions};
use crate::Pretender;

impl Pretender {
    /// Returns a handle to the same database whose calls have the limits of a caller.
    ///
    /// The limits are for the operations of the API, as a front end calls them. What only this library offers, such as
    /// [`streams`](Self::streams), [`subscribe`](Self::subscribe), snapshots and the control of time, belongs to the owner of the database and has no limits.
    #[must_use]
    pub fn for_caller(&self, access: &Arc<Access>) -> Self {
        Self { access: access.is_limited().then(|| access.clone()), ..self.clone() }
    }

    /// Checks that the caller of this handle, if there is one, may make a call.
    pub(crate) fn authorize(
        &self,
        operation: Operation,
        input: &(impl NeedsPermissions + ?Sized),
    ) -> Result<(), ApiError> {
        match &self.access {
            None => Ok(()),
            Some(access) => access.check(&self.inner.account, operation, input),
        }
    }
}
