//! Connections, kept open between transactions.

use std::time::Duration;

use r2d2::{ManageConnection, PooledConnection};
use r2d2_postgres::PostgresConnectionManager;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    error::OpenError,
    names::quoted,
    postgres::{address::Address, session::Session, tls},
};

/// How long a thread waits for a connection at once.
const CHECK_OUT: Duration = Duration::from_secs(2);

pub(crate) type Pool = r2d2::Pool<Sessions>;
pub(crate) type Lent = PooledConnection<Sessions>;

/// Opens and checks connections.
pub(crate) struct Sessions {
    manager: PostgresConnectionManager<MakeRustlsConnect>,
    schema: Option<String>,
    is_hasty: bool,
}

impl Sessions {
    /// `is_hasty`: a commit need not be on disk when it is acknowledged.
    pub(crate) fn new(address: &Address, is_hasty: bool) -> Result<Self, OpenError> {
        let manager = PostgresConnectionManager::new(address.config.clone(), tls::connector(&address.trust)?);
        Ok(Self { manager, schema: address.schema.clone(), is_hasty })
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }
}

impl ManageConnection for Sessions {
    type Connection = Session;
    type Error = postgres::Error;

    fn connect(&self) -> Result<Session, postgres::Error> {
        let mut client = self.manager.connect()?;
        let mut sql = String::from("SET client_min_messages = warning;");
        if let Some(schema) = &self.schema {
            sql.push_str(&format!("SET search_path TO {};", quoted(schema)));
        }
        if self.is_hasty {
            sql.push_str("SET synchronous_commit = off;");
        }
        client.batch_execute(&sql)?;
        Ok(Session::new(client))
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), postgres::Error> {
        session.check()
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.is_broken()
    }
}

/// Makes the pool; connections are opened as they are needed. Whether they still live shows when a transaction begins.
pub(crate) fn pool(sessions: Sessions, size: u32) -> Pool {
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(0))
        .test_on_check_out(false)
        .idle_timeout(Some(Duration::from_secs(10 * 60)))
        .connection_timeout(CHECK_OUT)
        .error_handler(Box::new(Quiet))
        .build_unchecked(sessions)
}

/// Failures to connect are told to whoever waits for a connection.
#[derive(Debug)]
struct Quiet;

impl r2d2::HandleError<postgres::Error> for Quiet {
    fn handle_error(&self, error: postgres::Error) {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection failed");
    }
}
