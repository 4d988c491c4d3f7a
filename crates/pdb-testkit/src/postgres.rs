//! Schemas of a PostgreSQL server for tests.

use std::{
    env,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use pdb_testpg::{Failure, Server, ServerOptions, dump, sql, sql_file};

/// The environment variable with the server that tests use, as `postgres://user:password@host/database`. `cargo xtask test` sets it to a
/// server that it starts. Without it, each test program that needs a server starts one.
pub const POSTGRES: &str = "PRETENDER_TEST_POSTGRES";

/// A schema for one test. Dropping this value removes the schema with all its tables.
#[derive(Debug)]
pub struct Schema {
    name: String,
    url: String,
    /// The same for `psql`, which selects a schema in another way.
    psql_url: String,
}

impl Schema {
    /// Creates an empty schema. Returns `None` if PostgreSQL is not installed, after printing that on standard error: the test has to return
    /// then.
    ///
    /// # Panics
    ///
    /// If the schema cannot be created, or if PostgreSQL is not installed and the variable `CI` is set.
    #[must_use]
    pub fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = server_url()?;
        let name = format!("pretender_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // An earlier process with the same id may have been killed, and left its schema.
        let text = format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}");
        sql(server, &text).expect("PostgreSQL for tests makes a schema");
        let separator = if server.contains('?') { '&' } else { '?' };
        Some(Self {
            url: format!("{server}{separator}schema={name}"),
            psql_url: format!("{server}{separator}options=-csearch_path%3D{name}"),
            name,
        })
    }

    /// Returns the URL of the database with the schema, in the form of the option `--db`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL in the schema, for tests that look into the database. Returns one line for each row, with values separated by `|`.
    ///
    /// # Panics
    ///
    /// If the statement fails.
    pub fn sql(&self, text: &str) -> String {
        sql(&self.psql_url, text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }
}

impl Schema {
    /// Returns SQL that creates the content of the schema again, in any schema and on any version of the server.
    ///
    /// # Panics
    ///
    /// If `pg_dump` fails.
    #[must_use]
    pub fn dump(&self) -> String {
        let dump = dump(server_url().unwrap_or_default(), &self.name).unwrap_or_else(|why| panic!("{why}"));
        // The settings of a session differ between versions, and commands of the client are not SQL.
        let is_kept = |line: &&str| {
            let is_dropped = ["--", "SET ", "\\", "CREATE SCHEMA"].iter().any(|it| line.starts_with(it));
            !is_dropped && !line.is_empty() && !line.contains("set_config('search_path'")
        };
        let lines: Vec<&str> = dump.lines().filter(is_kept).collect();
        lines.join("\n").replace(&format!("{}.", self.name), "")
    }

    /// Runs the SQL that [`dump`](Self::dump) has returned.
    ///
    /// # Panics
    ///
    /// If a statement fails.
    pub fn load(&self, dump: &str) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("dump.sql");
        std::fs::write(&path, dump).expect("a file is written");
        sql_file(&self.psql_url, &path).unwrap_or_else(|why| panic!("{why}"));
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A failed test may still hold locks. A schema that is left over is better than a test that hangs.
        let text = format!("SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS {} CASCADE", self.name);
        if let Err(why) = sql(server_url().unwrap_or_default(), &text) {
            eprintln!("the schema {} was not removed: {why}", self.name);
        }
    }
}

/// Returns the server for tests: the one in [`POSTGRES`], or one that this process starts. Returns `None`, and prints that, if PostgreSQL
/// is not installed.
fn server_url() -> Option<&'static str> {
    static SERVER: OnceLock<Option<(String, Option<Server>)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        if let Some(url) = env::var_os(POSTGRES).and_then(|url| url.into_string().ok()) {
            return Some((url, None));
        }
        match Server::start(&ServerOptions::default()) {
            // A static is never dropped, but the keeper of the server notices the end of the process.
            Ok(server) => Some((server.url(), Some(server))),
            Err(Failure::Missing(why)) if env::var_os("CI").is_none() => {
                eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
                None
            }
            Err(failure) => panic!("no PostgreSQL for tests: {failure}"),
        }
    });
    server.as_ref().map(|(url, _)| url.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_separate_can_be_dumped_and_are_removed() {
        let (Some(one), Some(two)) = (Schema::new(), Schema::new()) else { return };
        for schema in [&one, &two] {
            schema.sql("CREATE TABLE thing (id integer, name text)");
        }
        one.sql("INSERT INTO thing VALUES (1, 'a'), (2, 'b')");
        assert_eq!(one.sql("SELECT * FROM thing ORDER BY id"), "1|a\n2|b");
        assert_eq!(two.sql("SELECT count(*) FROM thing"), "0");
        let three = Schema::new().unwrap();
        three.load(&one.dump());
        assert_eq!(three.sql("SELECT * FROM thing ORDER BY id"), "1|a\n2|b");
        let name = one.name.clone();
        drop(one);
        let sql = format!("SELECT count(*) FROM information_schema.schemata WHERE schema_name = '{name}'");
        assert_eq!(two.sql(&sql), "0");
    }
}
