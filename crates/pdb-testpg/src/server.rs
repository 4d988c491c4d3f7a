//! A server, and operations on it.

use std::{
    fmt,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use crate::{
    keeper::Keeper,
    programs::{Failure, Programs},
};

/// How often another port is tried if another process takes the port first.
const ATTEMPTS: u32 = 5;

/// Options of a server.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    fsync: bool,
    settings: Vec<(String, String)>,
    /// Lines of `pg_hba.conf`.
    access: Vec<String>,
    /// Certificates and key, in PEM.
    tls: Option<(String, String)>,
}

impl ServerOptions {
    /// Makes commits wait for the disk. Without it, a crash of the machine may damage the data; a crash of the server does not.
    #[must_use]
    pub fn with_fsync(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// Adds a setting of `postgresql.conf`.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a rule to `pg_hba.conf`, such as `host all app 127.0.0.1/32 scram-sha-256`, after those that were added before. The default rules,
    /// which allow every user of the machine, come last.
    #[must_use]
    pub fn with_access(mut self, rule: &str) -> Self {
        self.access.push(rule.to_owned());
        self
    }

    /// Enables TLS with these certificates and this private key, both in PEM. Clients may still connect without TLS.
    #[must_use]
    pub fn with_tls(mut self, certificates: &str, key: &str) -> Self {
        self.tls = Some((certificates.to_owned(), key.to_owned()));
        self
    }
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Rolls back transactions, closes connections, and writes all data.
    Fast,
    /// Ends at once, like a crash of the server. The next start recovers.
    Immediate,
    /// Sends `SIGKILL`.
    Kill,
}

/// A running PostgreSQL server. It stops, and its data is removed, when this value is dropped or the process ends.
pub struct Server {
    keeper: Keeper,
    programs: Programs,
    port: u16,
}

impl Server {
    /// Creates a database cluster and starts a server on it.
    ///
    /// # Errors
    ///
    /// [`Failure::Missing`] if PostgreSQL is not installed, [`Failure::Failed`].
    pub fn start(options: &ServerOptions) -> Result<Self, Failure> {
        let programs = Programs::find()?;
        let mut keeper = Keeper::start(&programs.path("pg_ctl"))?;
        let initdb = quoted(&programs.path("initdb"));
        keeper.run(&format!(
            "{initdb} -D data -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions"
        ))?;
        Self::launch(keeper, programs, options)
    }

    /// Copies the data of this server while it runs, and starts a standby on the copy. It replicates this server under the name `name`.
    ///
    /// # Errors
    ///
    /// [`Failure::Failed`].
    pub fn standby(&self, name: &str, options: &ServerOptions) -> Result<Self, Failure> {
        let mut keeper = Keeper::start(&self.programs.path("pg_ctl"))?;
        keeper.run(&format!(
            "{} -D data -R -X stream -c fast --no-sync -d 'host=127.0.0.1 port={} user=postgres application_name={name}'",
            quoted(&self.programs.path("pg_basebackup")),
            self.port
        ))?;
        Self::launch(keeper, self.programs.clone(), options)
    }

    fn launch(mut keeper: Keeper, programs: Programs, options: &ServerOptions) -> Result<Self, Failure> {
        for (name, value) in settings(options) {
            keeper.run(&format!(r#"echo "{name} = '{value}'" >>data/postgresql.conf"#))?;
        }
        if !options.access.is_empty() {
            let rules = one_line(&options.access.join("\n"));
            keeper.run(&format!(
                "printf '%b\\n' '{rules}' | cat - data/pg_hba.conf >data/new && mv data/new data/pg_hba.conf"
            ))?;
        }
        if let Some((certificates, key)) = &options.tls {
            let (certificates, key) = (one_line(certificates), one_line(key));
            keeper.run(&format!(
                "printf %b '{certificates}' >data/server.crt && printf %b '{key}' >data/server.key && \
                 chmod 600 data/server.key && echo 'ssl = on' >>data/postgresql.conf"
            ))?;
        }
        let mut attempt = 1;
        loop {
            let port = free_port()?;
            // If there are several lines, the last one is used.
            keeper.run(&format!("echo port = {port} >>data/postgresql.conf"))?;
            match keeper.run(&start_command(&programs)) {
                Ok(()) => return Ok(Self { keeper, programs, port }),
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Returns the URL: `postgres://postgres@127.0.0.1:PORT/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Returns the port. It stays the same when the server is stopped and started again.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the programs of the server's installation.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Stops the server, and waits until it has stopped. Its data is kept.
    ///
    /// # Errors
    ///
    /// [`Failure::Failed`], for example if the server is not running.
    pub fn stop(&mut self, how: Stop) -> Result<(), Failure> {
        let pg_ctl = quoted(&self.programs.path("pg_ctl"));
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
            Stop::Kill => {
                // The child processes notice that the server has died, and end. `postmaster.pid` is left over; the next start removes it.
                let kill = "pid=$(head -n 1 data/postmaster.pid) && kill -9 $pid && n=0 && \
                            while kill -0 $pid && [ $n -lt 200 ]; do sleep 0.02; n=$((n + 1)); done";
                return self.keeper.run(kill);
            }
        };
        self.keeper.run(&format!("{pg_ctl} -D data -m {mode} -w stop"))
    }

    /// Starts the server again after a stop, with the same port and data.
    ///
    /// # Errors
    ///
    /// [`Failure::Failed`].
    pub fn start_again(&mut self) -> Result<(), Failure> {
        // After a kill, child processes may still be running, and the server does not start beside them.
        let start = start_command(&self.programs);
        self.keeper.run(&format!("{start} || {{ sleep 1; {start}; }} || {{ sleep 3; {start}; }}"))
    }

    /// Promotes a standby, and waits until it accepts writes.
    ///
    /// # Errors
    ///
    /// [`Failure::Failed`].
    pub fn promote(&mut self) -> Result<(), Failure> {
        let pg_ctl = quoted(&self.programs.path("pg_ctl"));
        self.keeper.run(&format!("{pg_ctl} -D data -w -t 60 promote"))
    }

    /// Changes a setting that does not need a restart.
    ///
    /// # Errors
    ///
    /// [`Failure::Failed`].
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let pg_ctl = quoted(&self.programs.path("pg_ctl"));
        self.keeper
            .run(&format!(r#"echo "{name} = '{value}'" >>data/postgresql.conf && {pg_ctl} -D data reload"#))
    }

    /// Runs SQL as the superuser, with [`sql`](crate::sql).
    ///
    /// # Errors
    ///
    /// The same as [`sql`](crate::sql).
    pub fn sql(&self, sql: &str) -> Result<String, Failure> {
        crate::sql(&self.url(), sql)
    }

    /// Returns the log of the server.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.keeper.directory().join("server.log")).unwrap_or_default()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

fn settings(options: &ServerOptions) -> Vec<(&str, &str)> {
    let mut settings = vec![
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("max_connections", "300"),
        ("shared_buffers", "64MB"),
        // Dropped tables leave dead rows in PostgreSQL's catalogs, and tests drop many tables.
        ("autovacuum_naptime", "5s"),
        ("log_min_messages", "warning"),
    ];
    if !options.fsync {
        // Commits are still written to the log before they are acknowledged, so they survive a crash of the server.
        settings.extend([("fsync", "off"), ("full_page_writes", "off")]);
    }
    settings.extend(options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    settings
}

fn start_command(programs: &Programs) -> String {
    format!("{} -D data -l server.log -w -t 60 start", quoted(&programs.path("pg_ctl")))
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|e| Failure::Failed(format!("no port is free: {e}")))
}

/// Escapes a text of several lines for `printf %b`. The text must not contain backslashes or quotes.
fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// Quotes a path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    /// Starts a server. Returns `None`, and prints that, if PostgreSQL is not installed.
    fn server() -> Option<Server> {
        match Server::start(&ServerOptions::default()) {
            Ok(server) => Some(server),
            Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
                eprintln!("SKIPPED: {why}");
                None
            }
            Err(failure) => panic!("{failure}"),
        }
    }

    #[test]
    fn a_server_stops_starts_and_is_removed() {
        let Some(mut server) = server() else { return };
        let listens = |server: &Server| TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).is_ok();
        assert!(listens(&server));
        for how in [Stop::Fast, Stop::Immediate, Stop::Kill] {
            server.stop(how).unwrap();
            assert!(!listens(&server), "{how:?}");
            assert!(how == Stop::Kill || server.stop(how).is_err(), "{how:?}");
            server.start_again().unwrap();
            assert!(listens(&server), "{how:?}");
        }
        let (port, directory) = (server.port(), server.keeper.directory().to_owned());
        drop(server);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        assert!(!directory.exists());
    }

    #[test]
    fn a_standby_is_promoted() {
        let Some(primary) = server() else { return };
        let mut standby = primary.standby("second", &ServerOptions::default()).unwrap();
        assert_ne!(standby.port(), primary.port());
        assert_eq!(standby.sql("SELECT pg_is_in_recovery()").unwrap(), "t");
        standby.promote().unwrap();
        assert_eq!(standby.sql("SELECT pg_is_in_recovery()").unwrap(), "f");
        assert!(standby.promote().is_err(), "it is not a standby any more");
    }

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
