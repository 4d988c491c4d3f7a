//! Starting a server with its settings.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pdb_server::{
    BoundServer, Credentials, NamedDatabase, NamedDatabases, OpenError, Regions, RunningServer, Server,
    ServerOptions, Span,
};
use pretender::time::ManualClock;
use pretender::{Builder, Pretender};

use super::values::{span, word};
use super::{Listen, ServerSettings};
use crate::commands::database::WaitNotice;
use crate::commands::object_settings::ServedObjects;
use crate::commands::served_triggers::{PlannedTrigger, ServedTriggers};
use crate::commands::{MEMORY, start_failure};
use crate::traces::Traces;
use crate::{logging, open_files};

/// A running server, and its databases.
pub(in crate::commands) struct StartedServer {
    pub(in crate::commands) server: RunningServer,
    pub(in crate::commands) regions: Regions,
    databases: Option<NamedDatabases>,
    /// The keys that requests must be signed with, if they must.
    pub(in crate::commands) credentials: Option<Credentials>,
    /// The file with the authority that clients must trust, if the server has made one.
    pub(in crate::commands) ca_file: Option<PathBuf>,
    triggers: ServedTriggers,
    traces: Traces,
    /// Where the data is, for people.
    pub(in crate::commands) location: String,
    /// Where the buckets are, for people, if the server has any.
    pub(in crate::commands) objects: Option<String>,
    /// What was done to the data before the server was ready, for people.
    pub(in crate::commands) startup_notes: Vec<String>,
}

impl StartedServer {
    /// Stops the triggers, finishes the requests in flight, and closes the databases.
    pub(in crate::commands) fn stop(self) {
        // First, because the functions may call the server.
        self.triggers.stop();
        if !self.server.stop() {
            tracing::warn!("stopped before some requests were finished");
        }
        if let Some(databases) = &self.databases {
            databases.close();
        }
        self.regions.close();
        tracing::info!(target: "pretender::server", "stopped");
        self.traces.stop();
    }
}

impl ServerSettings {
    /// Starts logging, and a server for the database `db`. Calls `on_bound` when the port is bound and before the
    /// server answers.
    pub(in crate::commands) fn start(
        &self,
        listen: Listen,
        db: &str,
        on_bound: &dyn Fn() -> Result<(), String>,
    ) -> Result<StartedServer, Box<dyn Error>> {
        let traces = self.traces.start()?;
        logging::start(&self.log_level, self.log_format, self.access_log.as_deref(), traces.layer())?;
        traces.report_problem();
        open_files::raise_limit();
        // Bind the port first: a second server must not touch the first one's file.
        let clock = self.control.then(|| Arc::new(ManualClock::running()));
        if self.database_idle.is_some() && !self.databases {
            tracing::warn!("--database-idle has no effect without --databases");
        }
        let objects = self.objects.open(self.region())?;
        let archive = self.archive.options(objects.store.as_deref())?;
        let databases = self.databases.then(|| self.named_databases(&objects)).transpose()?;
        let credentials = self.security.credentials()?;
        if credentials.is_some() && self.control && self.control_token.is_none() {
            return Err("--credentials with --control needs a token (PRETENDER_CONTROL_TOKEN): without one, any program that can \
                        reach the port could use the control API, whichever keys it has"
                .into());
        }
        let triggers = self.triggers.plan()?;
        let options = ServerOptions {
            control: clock.clone(),
            triggers: triggers.iter().map(PlannedTrigger::monitor).cloned().collect(),
            databases: databases.clone(),
            credentials: credentials.clone(),
            ..self.server_options(listen)
        };
        #[cfg(feature = "https")]
        let tls = self.security.tls(&self.names(listen))?;
        #[cfg(feature = "https")]
        let options = ServerOptions { tls: tls.as_ref().map(|it| it.tls.clone()), ..options };
        let bound = Server::bind(options).map_err(start_failure::explained)?;
        on_bound()?;
        #[cfg(feature = "https")]
        let ca_file = tls.map(|tls| tls.write_authority()).transpose()?.flatten();
        #[cfg(not(feature = "https"))]
        let ca_file = None;
        self.warn_about_control(&bound);
        let db = self.database(db);
        let mut builder = self.builder(db, &objects)?;
        if let Some(archive) = archive {
            builder = builder.archive(archive);
        }
        if let Some(clock) = clock {
            builder = builder.clock(clock);
        }
        let location = self.shown_location(db, &builder);
        let waiting = WaitNotice::begin(&builder);
        let opened = self.open(builder);
        drop(waiting);
        let (regions, startup_notes) = opened?;
        let server = bound.start(regions.clone())?;
        self.log_start(&server.url(), &location, objects.location.as_deref());
        let none = ServedTriggers::default();
        let mut started = StartedServer {
            server,
            regions,
            databases,
            credentials,
            ca_file,
            triggers: none,
            traces,
            location,
            objects: objects.location,
            startup_notes,
        };
        match ServedTriggers::start(triggers, started.regions.home()) {
            Ok(triggers) => started.triggers = triggers,
            Err(error) => {
                started.stop();
                return Err(error);
            }
        }
        Ok(started)
    }

    /// Logs the start, with the settings that explain most differences between servers.
    fn log_start(&self, url: &str, location: &str, objects: Option<&str>) {
        tracing::info!(
            target: "pretender::server",
            version = env!("CARGO_PKG_VERSION"),
            process = std::process::id(),
            url,
            data = location,
            objects,
            region = self.region(),
            separate_regions = self.separate_regions,
            databases = self.databases,
            control = self.control,
            control_token = self.control_token.is_some(),
            credentials = self.security.checks_signatures(),
            durability = word(&self.durability),
            shards = self.shards,
            retention = span(&self.retention),
            shard_rotation = span(&self.shard_rotation),
            transition_delay = span(&self.transition_delay),
            enforce_limits = self.enforce_limits,
            like = self.like.as_ref().map(word),
            message_layer = word(&self.message_layer),
            "started"
        );
    }

    /// Returns the databases that requests can name.
    fn named_databases(&self, objects: &ServedObjects) -> Result<NamedDatabases, Box<dyn Error>> {
        let idle = self.database_idle.unwrap_or(Span(Some(Duration::from_secs(3600)))).0;
        if idle.is_some_and(|idle| idle.is_zero()) {
            return Err("--database-idle needs a time above 0, or off".into());
        }
        let builder = self.builder(MEMORY, objects)?;
        let (has_control, separate_regions) = (self.control, self.separate_regions);
        let begin_with = self.begin_with.clone();
        Ok(NamedDatabases::new(idle, move |_name| {
            let clock = has_control.then(|| Arc::new(ManualClock::running()));
            let builder = match &clock {
                Some(clock) => builder.clone().clock(clock.clone()),
                None => builder.clone(),
            };
            let home = builder.clone().open()?;
            // The start has shown the notes already. The error cannot be sent to another thread.
            begin_with.fill(&home).map_err(|error| OpenError::from(crate::one_line(error.as_ref())))?;
            let regions = if separate_regions { Self::separate(home, builder) } else { home.into() };
            Ok(NamedDatabase { regions, clock })
        }))
    }

    fn separate(home: Pretender, builder: Builder) -> Regions {
        Regions::separate(home, move |region| builder.clone().in_region(region).open())
    }

    /// Opens the database, or the one of the home region, and fills it with its initial data.
    pub(super) fn open(&self, builder: Builder) -> Result<(Regions, Vec<String>), Box<dyn Error>> {
        if self.separate_regions {
            // Check this at the start, not when the first request for such a region comes.
            let longest = "x".repeat(Regions::MAX_NAME_BYTES);
            if let Err(error) = builder.clone().try_in_region(&longest) {
                let length = longest.len();
                return Err(
                    format!("cannot store a region whose name has {length} characters: {error}").into()
                );
            }
        }
        let home = builder.clone().open()?;
        let startup_notes = self.begin_with.apply(&home)?;
        let regions = if self.separate_regions { Self::separate(home, builder) } else { home.into() };
        Ok((regions, startup_notes))
    }

    /// Returns the names and addresses under which this server is reached, besides the usual ones.
    #[cfg(feature = "https")]
    fn names(&self, listen: Listen) -> Vec<String> {
        let host = Some(listen.host).filter(|host| !host.is_unspecified() && !host.is_loopback());
        let names = self.allow_host.iter().map(|name| name.as_str().to_owned());
        names.chain(host.map(|host| host.to_string())).collect()
    }

    /// Returns where the data is, for people.
    fn shown_location(&self, db: &str, builder: &Builder) -> String {
        if let Some(snapshot) = &self.begin_with.snapshot {
            format!("memory: a copy of {}, gone when the server stops", snapshot.display())
        } else if db == MEMORY {
            "memory: it is gone when the server stops".to_owned()
        } else if builder.is_on_server() {
            builder.location()
        } else {
            std::path::absolute(Path::new(db))
                .map_or_else(|_| db.to_owned(), |path| path.display().to_string())
        }
    }

    /// Warns of a control API that others can reach, and of options that have no effect without it.
    fn warn_about_control(&self, bound: &BoundServer) {
        if !self.control {
            if self.snapshot_dir.is_some() {
                tracing::warn!("--snapshot-dir has no effect without --control");
            }
            return;
        }
        let address = bound.address();
        if address.ip().is_loopback() {
            return;
        }
        if self.control_token.is_some() && bound.is_https() {
            return;
        }
        if self.control_token.is_some() {
            tracing::warn!(%address, "other machines can reach the control API, and the token is sent unencrypted");
        } else {
            tracing::warn!(
                %address,
                "any program that can reach this address can use the control API: set a token (--control-token), or listen on 127.0.0.1"
            );
        }
    }
}
