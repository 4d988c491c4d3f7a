//! What a failure means for the transaction it happened in.

use std::{error::Error as StdError, io};

use crate::db_error::{Cause, DbError};

/// Why a transaction was not committed, or may not have been.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It and others were in each other's way, or it knew an older catalog: it is worth another try.
    Conflict(Option<DbError>),
    /// The connection is lost, or is to one that cannot write: another may serve.
    Lost(DbError),
    /// The database said no.
    Refused(DbError),
}

impl Fault {
    pub(crate) fn of(error: DbError) -> Self {
        let Some(cause) = error.postgres() else { return Self::Refused(error) };
        match cause.code().map(|code| code.code()) {
            // No answer: what failed is the connection, unless the client could not even ask.
            None if cause.is_closed() || is_io(cause) => Self::Lost(error),
            None => Self::Refused(error),
            // https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure, deadlock, unique
            // violation (somebody else has inserted the same key), lock not available.
            Some("40001" | "40P01" | "23505" | "55P03") => Self::Conflict(Some(error)),
            // Table, column or schema unknown; table, its row type or schema there already; cached plan out of date, prepared
            // statement unknown: others define tables.
            Some("42P01" | "42703" | "3F000" | "42P07" | "42710" | "42P06" | "0A000" | "26000") => {
                Self::Conflict(Some(error))
            }
            // Connection trouble; shut down, crashed, starting; idle too long in a transaction; read-only: a standby, or a
            // primary that has become one; too many connections.
            Some("57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006" | "53300") => Self::Lost(error),
            Some(code) if code.starts_with("08") => Self::Lost(error),
            Some(_) => Self::Refused(error),
        }
    }

    /// Whether a `COMMIT` that failed in this way has certainly not been carried out.
    pub(crate) fn is_certain(&self) -> bool {
        match self {
            // 40003: CockroachDB does not know the outcome itself.
            Self::Conflict(_) => true,
            Self::Refused(error) => error.sql_state().is_some_and(|code| code != "40003"),
            Self::Lost(_) => false,
        }
    }
}

impl DbError {
    /// An error that no driver makes.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self::new(Cause::Said(text.into()))
    }

    pub(crate) fn postgres(&self) -> Option<&postgres::Error> {
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

impl From<postgres::Error> for DbError {
    fn from(error: postgres::Error) -> Self {
        Self::new(Cause::Postgres(error))
    }
}

/// Whether an attempt to connect that failed in this way may succeed if it is repeated: nobody answers there, or not yet. What
/// else a server says, to the password for example, and what is wrong with its certificate, it will say again.
pub(crate) fn may_pass(error: &DbError) -> bool {
    let Some(cause) = error.postgres() else { return false };
    if let Some(code) = cause.code().map(|code| code.code()) {
        // Shutting down, crashed, starting, too many connections; connection trouble, but for 08P01: so poolers refuse a
        // parameter that they do not know.
        let is_trouble = code.starts_with("08") && code != "08P01";
        return is_trouble || matches!(code, "57P01" | "57P02" | "57P03" | "53300");
    }
    if cause.is_closed() {
        return true;
    }
    // The driver wraps in the same type what the system says of the connection, and what it says itself of what came over it.
    io_cause(cause).is_some_and(|io| {
        let is_ours = matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
        !is_ours && !io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
    })
}

fn is_io(error: &(dyn StdError + 'static)) -> bool {
    io_cause(error).is_some()
}

fn io_cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}
