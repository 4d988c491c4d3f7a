//! Handles with the limits of a caller.

use std::sync::Arc;

use pdb_model::{ApiError, Operation};

use super::{Access, NeedsPermissions};
use crate::Pretender;

impl Pretender {
    /// Returns a handle to the same database whose calls have the limits of a caller.
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
