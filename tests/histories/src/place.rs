//! Databases of every kind, with what can happen to them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pdb_testpg::Server as PostgresServer;
use pdb_wire::Wire;
use pretender::{Durability, Pretender};

use crate::Outcome;
use crate::endpoint::{Address, Endpoint};
use crate::random::Random;
use crate::server::Server;

/// What a history runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A database in memory: in this process, or of a server.
    Memory,
    /// A database in a file: of a server that is killed, or in this process.
    File,
    /// Two servers on one PostgreSQL database, each of which is killed.
    Processes,
    /// A server on a PostgreSQL database that crashes too, or a database in this process.
    Postgres,
}

impl Kind {
    /// All kinds with their names.
    pub const ALL: &[(&str, Self)] = &[
        ("memory", Self::Memory),
        ("file", Self::File),
        ("processes", Self::Processes),
        ("postgres", Self::Postgres),
    ];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Returns whether it needs PostgreSQL.
    #[must_use]
    pub fn needs_postgres(self) -> bool {
        matches!(self, Self::Processes | Self::Postgres)
    }
}

/// How a database is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is on.
    pub kind: Kind,
    /// Whether it is in this process.
    pub in_process: bool,
    /// `--durability`.
    pub durability: &'static str,
    /// `--shards`.
    pub shards: u32,
    /// `--shard-rotation` in milliseconds.
    pub rotation: Option<u64>,
    /// `--workers`.
    pub workers: usize,
}

impl Settings {
    /// Chooses.
    #[must_use]
    pub fn random(kind: Kind, random: &mut Random) -> Self {
        let in_process = match kind {
            Kind::Memory => 60,
            Kind::File => 20,
            Kind::Postgres => 30,
            Kind::Processes => 0,
        };
        Self {
            kind,
            in_process: random.percent(in_process),
            durability: random.of(&["full", "normal", "normal", "off"]),
            shards: random.of(&[1, 1, 2, 3]),
            rotation: random.percent(50).then(|| 100 + random.below(900) as u64),
            workers: 1 + random.below(4),
        }
    }

    /// Describes them for people.
    #[must_use]
    pub fn text(&self) -> String {
        let place = if self.in_process { "in process" } else { "over HTTP" };
        let rotation = self.rotation.map(|ms| format!(", rotation {ms} ms")).unwrap_or_default();
        let durability =
            if self.kind == Kind::File { format!(", durability {}", self.durability) } else { String::new() };
        format!("{place}{durability}, {} shards{rotation}, {} workers", self.shards, self.workers)
    }
}

/// A PostgreSQL server that all histories of a run share.
pub type SharedPostgres = Arc<Mutex<PostgresServer>>;

/// A database with its servers.
pub struct Place {
    /// How it is set up.
    pub settings: Settings,
    /// The servers, if it is not in this process.
    pub servers: Vec<Mutex<Server>>,
    /// The database, if it is in this process.
    pub in_process: Option<Pretender>,
    /// The server of the database, and its name there.
    pub postgres: Option<(SharedPostgres, String)>,
    addresses: Vec<Address>,
    program: PathBuf,
    location: String,
}

impl Place {
    /// Opens a new database with its files in a folder.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(
        settings: Settings,
        program: &Path,
        folder: &Path,
        postgres: Option<&SharedPostgres>,
        name: &str,
    ) -> Outcome<Self> {
        let postgres = postgres.filter(|_| settings.kind.needs_postgres()).cloned();
        let location = match (&settings.kind, &postgres) {
            (Kind::Memory, _) => ":memory:".to_owned(),
            (Kind::File, _) => folder.join("history.db").display().to_string(),
            (_, Some(server)) => {
                let server = lock(server);
                server.sql(&format!("CREATE DATABASE {name}"))?;
                let url = server.url();
                let address = url.strip_suffix("/postgres").unwrap_or(&url);
                format!("{address}/{name}")
            }
            (_, None) => return Err("this kind of history needs PostgreSQL".into()),
        };
        let mut place = Self {
            servers: Vec::new(),
            in_process: None,
            postgres: postgres.map(|server| (server, name.to_owned())),
            addresses: Vec::new(),
            program: program.to_owned(),
            location,
            settings,
        };
        if place.settings.in_process {
            place.in_process = Some(place.open_in_process()?);
            return Ok(place);
        }
        let count = if place.settings.kind == Kind::Processes { 2 } else { 1 };
        for at in 0..count {
            let log = folder.join(format!("server-{at}.log"));
            let server = Server::start(program, place.arguments(), &log)?;
            place.addresses.push(server.address().clone());
            place.servers.push(Mutex::new(server));
        }
        Ok(place)
    }

    fn arguments(&self) -> Vec<String> {
        let settings = &self.settings;
        let mut arguments: Vec<String> = [
            ("--db", self.location.clone()),
            ("--shards", settings.shards.to_string()),
            ("--workers", settings.workers.to_string()),
            ("--log-level", "warn".to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect();
        if let Some(rotation) = settings.rotation {
            arguments.extend(["--shard-rotation".to_owned(), format!("{rotation}ms")]);
        }
        if settings.kind == Kind::File {
            arguments.extend(["--durability".to_owned(), settings.durability.to_owned()]);
        }
        arguments
    }

    fn open_in_process(&self) -> Outcome<Pretender> {
        let settings = &self.settings;
        // As for servers: a database server that crashes may lose commits that do not wait for its disk.
        let durability = if settings.kind == Kind::File { settings.durability } else { "normal" };
        let builder = Pretender::builder().shards_per_stream(settings.shards).durability(match durability {
            "full" => Durability::Full,
            "off" => Durability::Off,
            _ => Durability::Normal,
        });
        let builder = match settings.rotation {
            Some(rotation) => builder.shard_rotation(Some(Duration::from_millis(rotation))),
            None => builder,
        };
        let builder = match settings.kind {
            Kind::Memory => builder.in_memory(),
            Kind::File => builder.file(&self.location),
            Kind::Processes | Kind::Postgres => builder.postgres(&self.location),
        };
        Ok(builder.open()?)
    }

    /// Returns a way to each server, or to the database.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        match &self.in_process {
            Some(db) => vec![Endpoint::InProcess(Box::new(Wire::new(db.clone())))],
            None => self.addresses.iter().map(Endpoint::http).collect(),
        }
    }

    /// Closes the database, and looks for damage: with `pretender check`, and for panics in the logs. Returns what it found.
    ///
    /// # Errors
    ///
    /// If the check cannot be run.
    pub fn close(mut self) -> Outcome<Vec<String>> {
        let mut wrong = Vec::new();
        for server in &mut self.servers {
            let server = server.get_mut().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = server.end(crate::server::End::Terminate) {
                wrong.push(error.to_string());
            }
            let log = std::fs::read_to_string(server.log()).unwrap_or_default();
            wrong.extend(log.lines().filter(|line| line.contains("panicked")).map(ToOwned::to_owned));
        }
        if let Some(db) = self.in_process.take() {
            db.close();
        }
        if self.settings.kind != Kind::Memory {
            let check = Command::new(&self.program).args(["check", &self.location]).output()?;
            if !check.status.success() {
                let [out, err] = [&check.stdout, &check.stderr].map(|text| String::from_utf8_lossy(text));
                wrong.push(format!("pretender check: {} {out} {err}", check.status));
            }
        }
        Ok(wrong)
    }

    /// Removes what is not in the folder.
    ///
    /// # Errors
    ///
    /// If the database server refuses.
    pub fn remove(postgres: Option<&SharedPostgres>, name: &str) -> Outcome {
        if let Some(server) = postgres {
            lock(server).sql(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        }
        Ok(())
    }
}

/// Locks a PostgreSQL server.
pub fn lock(server: &SharedPostgres) -> MutexGuard<'_, PostgresServer> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}
