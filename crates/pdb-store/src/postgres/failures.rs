//! What a server says when it fails.

use std::{error::Error as _, fmt};

use postgres::Error;

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
