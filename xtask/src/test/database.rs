//! The PostgreSQL server that all test programs of one run share.

use std::process::Command;

use pdb_testpg::{Failure, Server, ServerOptions};

use crate::Outcome;

/// The environment variable with the server for the tests (`pdb_testkit::Schema`).
const POSTGRES: &str = "PRETENDER_TEST_POSTGRES";

/// The PostgreSQL server for the tests.
pub(super) enum Database {
    /// A server that the environment variable names. The tests read the variable themselves.
    Named,
    /// A server for this run. Dropping this value stops it.
    Own(Server),
    /// No server: PostgreSQL is not installed.
    Missing(String),
}

impl Database {
    /// Finds the server or starts one, and prints which.
    ///
    /// # Errors
    ///
    /// If the server does not start, or if PostgreSQL is missing and `CI` is set.
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

    /// Sets the environment variable for a command that runs tests.
    pub(super) fn tell(&self, command: &mut Command) {
        if let Self::Own(server) = self {
            command.env(POSTGRES, server.url());
        }
    }
}
