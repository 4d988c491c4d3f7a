//! Settings that all commands that start a server share.

mod start;
#[cfg(all(test, feature = "objects"))]
mod tests;
mod values;

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use pdb_server::{ConsoleAccess, ControlToken, CorsOrigin, HostName, ServerOptions, Span};
use pretender::{Builder, Durability, MessageLayer, Pretender};

use super::MEMORY;
use super::archive_settings::{ArchiveSettings, STREAMS};
use super::begin_with::BeginWith;
use super::database;
use super::object_settings::{DATA, ObjectSettings, ServedObjects};
use super::security_settings::{NETWORK, SecuritySettings};
use super::served_triggers::TriggerSettings;
use super::token::TokenParser;
use crate::logging::{LogFilter, LogFormat};
use crate::traces::TraceSettings;
use values::{ConsoleArg, DurabilityArg, LikeArg, MessageLayerArg, parse_account, parse_status};

pub(super) use start::StartedServer;
pub(super) use values::parse_region;

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

impl ServerSettings {
    /// Returns who may open the console.
    pub(super) fn console(&self) -> ConsoleAccess {
        self.console.into()
    }

    /// Returns the region that ARNs contain.
    pub(super) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("us-east-1")
    }

    /// Returns the database to open. With `--snapshot`, that is a copy in memory.
    pub(super) fn database<'d>(&self, db: &'d str) -> &'d str {
        if self.begin_with.snapshot.is_some() { MEMORY } else { db }
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
