//! What a failure means for the transaction it happened in.

use std::error::Error as StdError;

use crate::error::DbError;

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

fn is_io(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}
