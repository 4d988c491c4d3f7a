//! Connections, kept open between transactions.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use postgres::{Client, Config, config::Host};
use r2d2::{ManageConnection, PooledConnection};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    db_error::DbError,
    error::OpenError,
    names::quoted,
    postgres::{address::Address, fault, incarnation, session::Session, tls},
};

/// How long a thread waits for a connection at once.
const CHECK_OUT: Duration = Duration::from_secs(2);

pub(crate) type Pool = r2d2::Pool<Sessions>;
pub(crate) type PooledSession = PooledConnection<Sessions>;

/// Opens and checks connections.
pub(crate) struct Sessions {
    hosts: Vec<Config>,
    tls: MakeRustlsConnect,
    schema: Option<String>,
    commits_are_async: bool,
}

impl Sessions {
    /// `commits_are_async`: a commit need not be on disk when it is acknowledged.
    pub(crate) fn new(address: &Address, commits_are_async: bool) -> Result<Self, OpenError> {
        let (tls, hosts) = (tls::connector(address)?, address.hosts.clone());
        Ok(Self { hosts, tls, schema: address.schema.clone(), commits_are_async })
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Connects to the first host that lets us in and can be written. One that refuses us is the last that is tried, as
    /// PostgreSQL's own client has it: else its reason would be lost, and the password handed round.
    fn connect_to_any(&self) -> Result<Client, DbError> {
        let mut failed = None;
        for address in self.hosts.iter().flat_map(addresses) {
            match address.connect(self.tls.clone()).map_err(DbError::from) {
                Ok(client) => return Ok(client),
                Err(error) if fault::may_pass(&error) => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failed.unwrap_or_else(|| DbError::said("the address names no host")))
    }
}

/// A name may have several addresses: here they are, each as a host of its own.
fn addresses(host: &Config) -> Vec<Config> {
    let found = match (host.get_hosts(), host.get_hostaddrs(), host.get_ports()) {
        ([Host::Tcp(name)], [], [port]) => (name.as_str(), *port).to_socket_addrs(),
        _ => return vec![host.clone()],
    };
    let one = |address: SocketAddr| {
        let mut one = host.clone();
        one.hostaddr(address.ip());
        one
    };
    match found.map(|found| found.map(one).collect::<Vec<_>>()) {
        Ok(all) if !all.is_empty() => all,
        // The driver finds none either, and says so.
        Ok(_) | Err(_) => vec![host.clone()],
    }
}

impl ManageConnection for Sessions {
    type Connection = Session;
    type Error = DbError;

    fn connect(&self) -> Result<Session, DbError> {
        let mut client = self.connect_to_any()?;
        let mut sql = String::from("SET client_min_messages = warning;");
        if let Some(schema) = &self.schema {
            sql.push_str(&format!("SET search_path TO {};", quoted(schema)));
        }
        if self.commits_are_async {
            sql.push_str("SET synchronous_commit = off;");
        }
        client.batch_execute(&sql)?;
        incarnation::check(&mut client)?;
        Ok(Session::new(client))
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), DbError> {
        Ok(session.check()?)
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
        .error_handler(Box::new(LogConnectFailures))
        .build_unchecked(sessions)
}

/// Logs failures to connect. The caller that waits for the connection gets the error, too.
#[derive(Debug)]
struct LogConnectFailures;

impl r2d2::HandleError<DbError> for LogConnectFailures {
    fn handle_error(&self, error: DbError) {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection failed");
    }
}
