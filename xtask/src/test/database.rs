//! The PostgreSQL server that all test programs of one run share.

use std::process::Command;

use pdb_testpg::{Failure, Server, ServerOptions};

use crate::Outcome;

/// Names the server to the tests (`pdb_testkit::Schema`).
const POSTGRES: &str = "PRETENDER_TEST_POSTGRES";

/// Where the tests find PostgreSQL.
pub(super) enum Database {
    /// A server that was named to us, and that the tests therefore know.
    Named,
    /// One of our own, which goes when this value does.
    Own(Server),
    /// Nowhere.
    Missing(String),
}

impl Database {
    /// Finds the server, or starts one; says which.
    ///
    /// # Errors
    ///
    /// When it does not start, or when PostgreSQL is missing where nothing may be skipped.
    pub(super) fn find() -> Outcome<Self> {
        if std::env::var_os(POSTGRES).is_some() {
            eprintln!("PostgreSQL: the server that {POSTGRES} names");
            return Ok(Self::Named);
        }
        match Server::start(&ServerOptions::default()) {
            Ok(server) => {
                eprintln!("PostgreSQL: a server for this run, {}", server.url());
                Ok(Self::Own(server))
            }
            Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
                eprintln!("PostgreSQL: its tests are SKIPPED: {why}");
                Ok(Self::Missing(why))
            }
            Err(failure) => Err(format!("no PostgreSQL for the tests: {failure}")),
        }
    }

    /// Tells a command that runs tests where it is.
    pub(super) fn tell(&self, command: &mut Command) {
        if let Self::Own(server) = self {
            command.env(POSTGRES, server.url());
        }
    }
}
