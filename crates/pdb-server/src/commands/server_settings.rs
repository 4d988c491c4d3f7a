//! Settings that all commands that start a server share.

#[cfg(all(test, feature = "objects"))]
mod tests;

use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use pdb_server::{
    BoundServer, ConsoleAccess, ControlToken, CorsOrigin, Credentials, HostName, NamedDatabase,
    NamedDatabases, OpenError, Regions, RunningServer, Server, ServerOptions, Span,
};
use pretender::time::ManualClock;
use pretender::{Builder, Durability, Habits, MessageLayer, Pretender};

use super::archive_settings::{ArchiveSettings, STREAMS};
use super::begin_with::BeginWith;
use super::database::{self, WaitNotice};
use super::object_settings::{DATA, ObjectSettings, ServedObjects};
use super::security_settings::{NETWORK, SecuritySettings};
use super::served_triggers::{PlannedTrigger, ServedTriggers, TriggerSettings};
use super::token::TokenParser;
use super::{MEMORY, start_failure};
use crate::logging::{self, LogFilter, LogFormat};
use crate::open_files;
use crate::traces::{TraceSettings, Traces};

/// Connections that read a file: as many as there may be long reads, and some for short ones.
const READERS: u32 = ServerOptions::MAX_LONG_READS + 8;

/// The settings of a server, except its address and its database.
#[derive(Args, Debug)]
pub(super) struct ServerSettings {
    #[command(flatten)]
    pub(super) begin_with: BeginWith,

    /// Also answer requests for this host name; can be repeated, or a list separated by commas
    ///
    /// The server always answers requests for localhost, IP addresses, names without a dot and host.docker.internal. It
    /// refuses other names because a web page could have chosen them.
    #[arg(long, env = "PRETENDER_ALLOW_HOST", value_name = "NAME", value_delimiter = ',', help_heading = NETWORK)]
    allow_host: Vec<HostName>,

    /// Let web pages from this origin call the APIs, such as `https://app.example.com`; can be repeated, or a list separated by commas
    ///
    /// "*" stands for any origin, "null" for pages opened from files. Pages from localhost are always allowed.
    #[arg(long, env = "PRETENDER_CORS", value_name = "ORIGIN", value_delimiter = ',', help_heading = NETWORK)]
    cors: Vec<CorsOrigin>,

    /// Who may open the console, the pages under /_pretender/console/
    #[arg(long, env = "PRETENDER_CONSOLE", value_enum, default_value_t = ConsoleArg::Loopback, value_name = "WHO", help_heading = NETWORK)]
    console: ConsoleArg,

    #[command(flatten)]
    pub(super) security: SecuritySettings,

    /// Number of threads that answer requests [default: one for two processors]
    #[arg(long, env = "PRETENDER_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512), help_heading = NETWORK)]
    workers: Option<u16>,

    /// What an acknowledged write survives
    #[arg(long, env = "PRETENDER_DURABILITY", value_enum, default_value_t = DurabilityArg::Normal, help_heading = DATA)]
    durability: DurabilityArg,

    #[command(flatten)]
    objects: ObjectSettings,

    /// Region in ARNs and stream records; clients can use any region [default: us-east-1]
    #[arg(long, short, env = "PRETENDER_REGION", value_parser = parse_region, help_heading = DATA)]
    pub(super) region: Option<String>,

    /// Keep a separate database for each region
    ///
    /// A table then exists only in the region that requests for it are signed for. The databases of other regions are
    /// stored beside that of --region.
    #[arg(long, env = "PRETENDER_SEPARATE_REGIONS", value_parser = FalseyValueParser::new(), help_heading = DATA)]
    pub(super) separate_regions: bool,

    /// Keep a separate database for each name that requests give: with the path /db/NAME, or else as access key ID
    ///
    /// For tests that run at the same time. The first request with a name opens its database, in memory, with the tables
    /// and items of --schema, --seed and --snapshot, and with its own clock, faults and snapshots if there is --control.
    /// The name `pretender` means the database of --db.
    #[arg(long, env = "PRETENDER_DATABASES", value_parser = FalseyValueParser::new(), help_heading = DATA)]
    pub(super) databases: bool,

    /// How long a named database is kept after its last use, or "off" [default: 1h]
    #[arg(long, env = "PRETENDER_DATABASE_IDLE", value_name = "TIME", help_heading = DATA)]
    database_idle: Option<Span>,

    /// Account ID in ARNs: 12 digits
    #[arg(long, env = "PRETENDER_ACCOUNT", default_value = "000000000000", value_parser = parse_account, help_heading = DATA)]
    account: String,

    /// Number of open shards of a new stream; with more than one, tests see several shards at once
    #[arg(long, env = "PRETENDER_SHARDS", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64), help_heading = STREAMS)]
    shards: u32,

    /// Let a table's WarmThroughput open more shards, up to 64
    ///
    /// One shard for each 1,000 write units or 3,000 read units per second.
    #[arg(long, env = "PRETENDER_WARM_SHARDS", value_parser = FalseyValueParser::new(), help_heading = STREAMS)]
    warm_shards: bool,

    /// Age at which a shard closes and a child shard takes over, or "off"
    #[arg(long, env = "PRETENDER_SHARD_ROTATION", default_value = "4h", value_name = "TIME", help_heading = STREAMS)]
    shard_rotation: Span,

    /// How long to keep stream records
    #[arg(long, env = "PRETENDER_RETENTION", default_value = "24h", value_name = "TIME", help_heading = STREAMS)]
    retention: Span,

    /// How often to trim old stream records; "off" disables all deletion in the background
    #[arg(long, env = "PRETENDER_SWEEP_INTERVAL", default_value = "1h", value_name = "TIME", help_heading = STREAMS)]
    sweep_interval: Span,

    /// How often to delete items whose time to live has passed [default: 1m, or 1s with `--like dynamodb-local`]
    #[arg(long, env = "PRETENDER_EXPIRY_INTERVAL", value_name = "TIME", help_heading = STREAMS)]
    expiry_interval: Option<Span>,

    /// Enforce AWS's request rate limits for the Streams API
    #[arg(long, env = "PRETENDER_ENFORCE_LIMITS", value_parser = FalseyValueParser::new(), help_heading = STREAMS)]
    enforce_limits: bool,

    #[command(flatten)]
    archive: ArchiveSettings,

    #[command(flatten)]
    triggers: TriggerSettings,

    /// Enable the control API under /_pretender/ (clock, shards, faults, snapshots), which `pretender ctl` uses
    ///
    /// It is meant for tests. Any program that can reach the port can use it; web pages cannot.
    #[arg(long, short, env = "PRETENDER_CONTROL", value_parser = FalseyValueParser::new(), help_heading = INSTRUMENT)]
    pub(super) control: bool,

    /// Secret that every control command must carry
    ///
    /// Prefer the environment variable: other users of the machine can see command lines.
    #[arg(long, env = "PRETENDER_CONTROL_TOKEN", value_name = "TOKEN", value_parser = TokenParser, hide_env_values = true, help_heading = INSTRUMENT)]
    pub(super) control_token: Option<ControlToken>,

    /// Folder for snapshot files, which must exist; without this option, clients cannot name files to save or restore
    #[arg(long, env = "PRETENDER_SNAPSHOT_DIR", value_name = "DIR", help_heading = INSTRUMENT)]
    snapshot_dir: Option<PathBuf>,

    /// How long tables and streams stay in states such as CREATING, UPDATING and ENABLING, to test code that waits
    #[arg(long, env = "PRETENDER_TRANSITION_DELAY", default_value = "0s", value_name = "TIME", help_heading = INSTRUMENT)]
    transition_delay: Span,

    /// Imitate another server, for test suites that were written against it: see docs/migration.md
    #[arg(long, env = "PRETENDER_LIKE", value_enum, value_name = "SERVER", help_heading = COMPATIBILITY)]
    like: Option<LikeArg>,

    /// Status code of the answer to `GET /`, which some tools poll [default: 200, or 400 with `--like dynamodb-local`]
    #[arg(long, env = "PRETENDER_ROOT_STATUS", value_name = "STATUS", value_parser = parse_status, help_heading = COMPATIBILITY)]
    root_status: Option<u16>,

    /// Which generation of AWS's validation messages to use
    #[arg(long, env = "PRETENDER_MESSAGE_LAYER", value_enum, default_value_t = MessageLayerArg::Classic, help_heading = COMPATIBILITY)]
    message_layer: MessageLayerArg,

    /// What to log: error, warn, info (one line per call), debug (with requests and answers), trace or off; parts can
    /// have levels of their own, as in "info,pdb_store=debug"
    #[arg(long, short, env = "PRETENDER_LOG_LEVEL", default_value = "warn", value_name = "LEVEL", help_heading = LOGGING)]
    log_level: LogFilter,

    /// Format of log lines, which go to standard error
    #[arg(long, env = "PRETENDER_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, help_heading = LOGGING)]
    log_format: LogFormat,

    /// File to append one line per call to, even if --log-level hides calls
    #[arg(long, env = "PRETENDER_ACCESS_LOG", value_name = "FILE", help_heading = LOGGING)]
    access_log: Option<PathBuf>,

    #[command(flatten)]
    traces: TraceSettings,
}

// Headings of these options in the help.
const INSTRUMENT: &str = "Testing";
const COMPATIBILITY: &str = "Compatibility";
const LOGGING: &str = "Logging";

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listen {
    pub(super) host: IpAddr,
    pub(super) port: u16,
}

/// A running server, and its databases.
pub(super) struct StartedServer {
    pub(super) server: RunningServer,
    pub(super) regions: Regions,
    databases: Option<NamedDatabases>,
    /// The keys that requests must be signed with, if they must.
    pub(super) credentials: Option<Credentials>,
    /// The file with the authority that clients must trust, if the server has made one.
    pub(super) ca_file: Option<PathBuf>,
    triggers: ServedTriggers,
    traces: Traces,
    /// Where the data is, for people.
    pub(super) location: String,
    /// Where the buckets are, for people, if the server has any.
    pub(super) objects: Option<String>,
    /// What was done to the data before the server was ready, for people.
    pub(super) startup_notes: Vec<String>,
}

impl StartedServer {
    /// Stops the triggers, finishes the requests in flight, and closes the databases.
    pub(super) fn stop(self) {
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

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DurabilityArg {
    /// Survives a power failure. Each commit waits for the disk
    Full,
    /// Survives a crash of the process. A power failure may lose the most recent writes
    Normal,
    /// Survives a crash of the process. A power failure may damage the file
    Off,
}

/// Who may open the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ConsoleArg {
    /// Nobody
    Off,
    /// Browsers on this machine
    Loopback,
    /// Everybody who reaches the server
    Anywhere,
}

impl From<ConsoleArg> for ConsoleAccess {
    fn from(console: ConsoleArg) -> Self {
        match console {
            ConsoleArg::Off => Self::Off,
            ConsoleArg::Loopback => Self::Loopback,
            ConsoleArg::Anywhere => Self::Anywhere,
        }
    }
}

/// Which generation of messages to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MessageLayerArg {
    /// Classic validation messages (2015 to 2026)
    Classic,
    /// Validation messages introduced in 2026
    #[value(name = "2026")]
    Modern2026,
}

/// Another server to imitate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LikeArg {
    /// DynamoDB Local: its status of `GET /`, its messages for missing tables and failed conditions, its longer answer
    /// to DeleteTable, its order of attribute definitions (unused ones included), throughput of on-demand indexes, and
    /// quick expiry of items
    DynamodbLocal,
}

impl LikeArg {
    fn habits(self) -> Habits {
        match self {
            Self::DynamodbLocal => Habits::dynamodb_local(),
        }
    }

    fn root_status(self) -> u16 {
        match self {
            Self::DynamodbLocal => 400,
        }
    }

    fn expiry_interval(self) -> Span {
        match self {
            Self::DynamodbLocal => Span(Some(Duration::from_secs(1))),
        }
    }
}

impl ServerSettings {
    /// Returns who may open the console.
    pub(super) fn console(&self) -> ConsoleAccess {
        self.console.into()
    }

    /// Returns the region that ARNs contain.
    pub(super) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("us-east-1")
    }

    /// Starts logging, and a server for the database `db`. Calls `on_bound` when the port is bound and before the
    /// server answers.
    pub(super) fn start(
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

    /// Returns the database to open. With `--snapshot`, that is a copy in memory.
    pub(super) fn database<'d>(&self, db: &'d str) -> &'d str {
        if self.begin_with.snapshot.is_some() { MEMORY } else { db }
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
    fn open(&self, builder: Builder) -> Result<(Regions, Vec<String>), Box<dyn Error>> {
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

    fn server_options(&self, listen: Listen) -> ServerOptions {
        ServerOptions {
            host: listen.host,
            port: listen.port,
            workers: self.workers.map(usize::from),
            control_token: self.control_token.clone(),
            console: self.console(),
            snapshot_directory: self.snapshot_dir.clone(),
            root_status: self.root_status.or(self.like.map(LikeArg::root_status)).unwrap_or(200),
            allowed_hosts: self.allow_host.clone(),
            cors_origins: self.cors.clone(),
            ..ServerOptions::default()
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

    fn builder(&self, db: &str, objects: &ServedObjects) -> Result<Builder, Box<dyn Error>> {
        let builder = if db == MEMORY {
            Pretender::builder().in_memory()
        } else {
            database::warn_about_name(db);
            let builder = Pretender::builder().try_database(db)?;
            // Several processes share the connections of a database server, so it keeps its own default.
            let builder = if builder.is_on_server() { builder } else { builder.readers(READERS) };
            builder.durability(match self.durability {
                DurabilityArg::Full => Durability::Full,
                DurabilityArg::Normal => Durability::Normal,
                DurabilityArg::Off => Durability::Off,
            })
        };
        let builder = match &objects.store {
            Some(store) => builder.objects(store.clone()),
            None => builder,
        };
        let retention =
            self.retention.0.ok_or("--retention needs a time: stream records cannot be kept for ever")?;
        let expiry_interval = self.expiry_interval.or(self.like.map(LikeArg::expiry_interval));
        let expiry_interval = expiry_interval.unwrap_or(Span(Some(Duration::from_secs(60))));
        let expiry_interval = expiry_interval.0.ok_or("--expiry-interval needs a time")?;
        Ok(builder
            .habits(self.like.map(LikeArg::habits).unwrap_or_default())
            .expiry_interval(expiry_interval)
            .region(self.region())
            .account(&self.account)
            .shards_per_stream(self.shards)
            .warm_throughput_opens_shards(self.warm_shards)
            .shard_rotation(self.shard_rotation.0)
            .retention(retention)
            .sweep_interval(self.sweep_interval.0)
            .transition_delay(self.transition_delay.0.unwrap_or_default())
            .enforce_limits(self.enforce_limits)
            .message_layer(match self.message_layer {
                MessageLayerArg::Classic => MessageLayer::Classic,
                MessageLayerArg::Modern2026 => MessageLayer::Modern2026,
            }))
    }
}

/// Returns the name of a value on the command line.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn span(Span(length): &Span) -> String {
    length.map_or_else(|| "off".to_owned(), |length| format!("{length:?}"))
}

/// Region names that do not have AWS's form, but that other emulators and their users use.
const OTHER_REGIONS: [&str; 4] = ["local", "localhost", "local-env", "ddblocal"];

/// Reads a region: any name that has AWS's form, or one of `OTHER_REGIONS`.
pub(super) fn parse_region(text: &str) -> Result<String, String> {
    let (place, number) = text.rsplit_once('-').unwrap_or((text, ""));
    let words: Vec<&str> = place.split('-').collect();
    let has_form = words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if has_form || OTHER_REGIONS.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err("not a region: expected a name such as us-east-1, or local or ddblocal".to_owned())
    }
}

fn parse_status(text: &str) -> Result<u16, String> {
    // Three of these statuses mean that there is no body, but the answer has one.
    let is_fit = |status: &u16| (200..600).contains(status) && ![204, 205, 304].contains(status);
    text.parse().ok().filter(is_fit).ok_or_else(|| {
        "not the status of an answer with a body: expected a number such as 200 or 400".to_owned()
    })
}

fn parse_account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("an account ID has 12 digits".to_owned()) }
}
