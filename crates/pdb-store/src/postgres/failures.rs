//! What a server says when it fails.

use std::{error::Error as _, fmt};

use postgres::Error;

use crate::db_error::{Cause, DbError};

pub(crate) fn is_full(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code() == "53100")
}

/// With the severity and the code, as people look for them; without them, with the cause that the driver leaves out.
pub(crate) fn show(error: &Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error.as_db_error() {
        Some(said) => write!(f, "{}: {} ({})", said.severity(), said.message(), said.code().code()),
        None => {
            fmt::Display::fmt(error, f)?;
            match error.source() {
                Some(cause) => write!(f, ": {cause}"),
                None => Ok(()),
            }
        }
    }
}

impl DbError {
    /// An error that no driver makes.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self::new(Cause::Said(text.into()))
    }

    pub(crate) fn postgres(&self) -> Option<&Error> {
        match &*self.cause {
            Cause::Postgres(error) => Some(error),
            _ => None,
        }
    }

    /// The code by which PostgreSQL says what it is about.
    pub(crate) fn sql_state(&self) -> Option<&str> {
        self.postgres().and_then(|error| error.code()).map(|code| code.code())
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        Self::new(Cause::Postgres(error))
    }
}
