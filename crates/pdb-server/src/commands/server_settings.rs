//! What a server is and does: the settings that all commands which start one share.

use std::error::Error;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use pdb_server::{
    BoundServer, ControlToken, CorsOrigin, HostName, Regions, RunningServer, Server, ServerOptions, Span,
};
use pretender::{Builder, Durability, Habits, ManualClock, MessageLayer, Pretender};

use super::MEMORY;
use super::token::TokenParser;
use crate::logging::{self, LogFormat};
use crate::open_files;

/// Connections that read a file: as many as long reads may take, and some for short ones.
const READERS: u32 = ServerOptions::MOST_LONG_READS + 8;

/// The settings of a server besides its address and its database.
#[derive(Args, Debug)]
pub(super) struct ServerSettings {
    /// Region in ARNs and stream records; clients may use any
    #[arg(long, env = "PRETENDER_REGION", default_value = "us-east-1", value_parser = parse_region)]
    pub(super) region: String,

    /// Keep regions apart: a table exists in the region that its requests are signed for, each region has a database of its own beside
    /// that of --region
    #[arg(long, env = "PRETENDER_SEPARATE_REGIONS", value_parser = FalseyValueParser::new())]
    pub(super) separate_regions: bool,

    /// Account in ARNs: 12 digits
    #[arg(long, env = "PRETENDER_ACCOUNT", default_value = "000000000000", value_parser = parse_account)]
    account: String,

    /// What an acknowledged write survives
    #[arg(long, env = "PRETENDER_DURABILITY", value_enum, default_value_t = DurabilityWord::Normal)]
    durability: DurabilityWord,

    /// Open shards of a new stream; more let a test meet several shards at once
    #[arg(long, env = "PRETENDER_SHARDS", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    shards: u32,

    /// Let WarmThroughput open more shards: one for each 1,000 write units or 3,000 read units a second, up to 64
    #[arg(long, env = "PRETENDER_WARM_SHARDS", value_parser = FalseyValueParser::new())]
    warm_shards: bool,

    /// Age at which a shard is closed and continued by a child, or "off"
    #[arg(long, env = "PRETENDER_SHARD_ROTATION", default_value = "4h", value_name = "TIME")]
    shard_rotation: Span,

    /// How long stream records are kept
    #[arg(long, env = "PRETENDER_RETENTION", default_value = "24h", value_name = "TIME")]
    retention: Span,

    /// How often old stream records are trimmed, or "off": then nothing is deleted in the background
    #[arg(long, env = "PRETENDER_SWEEP_INTERVAL", default_value = "1h", value_name = "TIME")]
    sweep_interval: Span,

    /// How often items whose time to live has passed are deleted; every minute unless given, every second with `--like
    /// dynamodb-local`
    #[arg(long, env = "PRETENDER_EXPIRY_INTERVAL", value_name = "TIME")]
    expiry_interval: Option<Span>,

    /// How long tables and streams are shown as busy (CREATING, UPDATING, ENABLING, ...), to test code that waits
    #[arg(long, env = "PRETENDER_TRANSITION_DELAY", default_value = "0s", value_name = "TIME")]
    transition_delay: Span,

    /// Refuse more Streams calls a second than AWS allows
    #[arg(long, env = "PRETENDER_ENFORCE_LIMITS", value_parser = FalseyValueParser::new())]
    enforce_limits: bool,

    /// Obey commands under /_pretender/, to the clock, shards, faults, snapshots and more: see `pretender ctl`. For tests; any program
    /// that reaches the port may command, web pages may not
    #[arg(long, env = "PRETENDER_CONTROL", value_parser = FalseyValueParser::new())]
    pub(super) control: bool,

    /// Obey only commands that carry this secret; better given in the environment, where other users do not see it
    #[arg(long, env = "PRETENDER_CONTROL_TOKEN", value_name = "TOKEN", value_parser = TokenParser, hide_env_values = true)]
    control_token: Option<ControlToken>,

    /// Folder, which has to exist, for snapshots in files; without it commands read and write no files
    #[arg(long, env = "PRETENDER_SNAPSHOT_DIR", value_name = "DIR")]
    snapshot_dir: Option<PathBuf>,

    /// Answer requests for this host name, too; may be given several times, in the environment with commas. Always answered are
    /// localhost, IP addresses, names without a dot and host.docker.internal; other names a web page could have chosen
    #[arg(long, env = "PRETENDER_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    allow_host: Vec<HostName>,

    /// Let web pages from this origin, as `https://app.example.com`, call the APIs ("*": from any origin, "null": from files); may be
    /// given several times, in the environment with commas. Pages from localhost always may
    #[arg(long, env = "PRETENDER_CORS", value_name = "ORIGIN", value_delimiter = ',')]
    cors: Vec<CorsOrigin>,

    /// Take over the habits of another server, for suites that were written against it: see docs/migration.md
    #[arg(long, env = "PRETENDER_LIKE", value_enum, value_name = "SERVER")]
    like: Option<LikeWord>,

    /// Status of the answer to `GET /`, which some tools poll; 200 unless given, 400 with `--like dynamodb-local`
    #[arg(long, env = "PRETENDER_ROOT_STATUS", value_name = "STATUS", value_parser = parse_status)]
    root_status: Option<u16>,

    /// Generation of AWS's validation messages
    #[arg(long, env = "PRETENDER_MESSAGE_LAYER", value_enum, default_value_t = LayerWord::Classic)]
    message_layer: LayerWord,

    /// Threads that answer requests; one for each processor unless given
    #[arg(long, env = "PRETENDER_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    workers: Option<u16>,

    /// What to log: error, warn, info, debug, trace, or directives such as "info,hyper=warn"
    #[arg(long, env = "PRETENDER_LOG_LEVEL", default_value = "warn", value_name = "LEVEL")]
    log_level: String,

    /// Form of log lines, which go to standard error
    #[arg(long, env = "PRETENDER_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listen {
    pub(super) host: IpAddr,
    pub(super) port: u16,
}

/// A server that answers, and its databases.
pub(super) struct Started {
    pub(super) server: RunningServer,
    pub(super) regions: Regions,
    /// The place of the data, for people.
    pub(super) location: String,
}

impl Started {
    /// Finishes the requests in flight and closes the databases.
    pub(super) fn stop(self) {
        if !self.server.stop() {
            tracing::warn!("some requests were not finished in time");
        }
        self.regions.close();
    }
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DurabilityWord {
    /// A power failure: every commit waits for the disk
    Full,
    /// The death of the server, however sudden; a power failure may cost the last writes
    Normal,
    /// The death of the server, but a power failure may damage the file
    Off,
}

/// A generation of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LayerWord {
    /// The texts of ten years
    Classic,
    /// The texts AWS moves to since 2026
    #[value(name = "2026")]
    Modern2026,
}

/// Another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LikeWord {
    /// Amazon's own emulator: its status of `GET /`, its texts for missing tables and failed conditions, long answers of DeleteTable,
    /// unused attribute definitions, definitions in their order, throughput of indexes on demand, quick expiry
    DynamodbLocal,
}

impl LikeWord {
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
    /// Starts to log, and a server for the database `db`.
    pub(super) fn start(&self, listen: Listen, db: &str) -> Result<Started, Box<dyn Error>> {
        logging::start(&self.log_level, self.log_format)?;
        open_files::raise_limit();
        // The port first: a second server must not touch the first one's file.
        let clock = self.control.then(|| Arc::new(ManualClock::running()));
        let bound = Server::bind(ServerOptions { control: clock.clone(), ..self.server_options(listen) })?;
        self.warn_of_control(&bound);
        let mut builder = self.builder(db)?;
        if let Some(clock) = clock {
            builder = builder.clock(clock);
        }
        let location = shown_location(db, &builder);
        let regions = self.open(builder)?;
        let server = bound.start(regions.clone())?;
        Ok(Started { server, regions, location })
    }

    /// Opens the database, or the first of several.
    fn open(&self, builder: Builder) -> Result<Regions, Box<dyn Error>> {
        if !self.separate_regions {
            return Ok(builder.open()?.into());
        }
        // Here, and not when the first request for such a region comes.
        let longest = "x".repeat(Regions::MOST_NAME_BYTES);
        if let Err(error) = builder.clone().try_in_region(&longest) {
            let length = longest.len();
            return Err(format!("a region whose name has {length} characters cannot be kept: {error}").into());
        }
        let home = builder.clone().open()?;
        Ok(Regions::separate(home, move |region| builder.clone().in_region(region).open()))
    }

    fn server_options(&self, listen: Listen) -> ServerOptions {
        ServerOptions {
            host: listen.host,
            port: listen.port,
            workers: self.workers.map(usize::from),
            control_token: self.control_token.clone(),
            snapshot_directory: self.snapshot_dir.clone(),
            root_status: self.root_status.or(self.like.map(LikeWord::root_status)).unwrap_or(200),
            allowed_hosts: self.allow_host.clone(),
            cors_origins: self.cors.clone(),
            ..ServerOptions::default()
        }
    }

    /// Says what the control interface opens, or what opens nothing without it.
    fn warn_of_control(&self, bound: &BoundServer) {
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
        if self.control_token.is_some() {
            tracing::warn!(%address, "other machines reach the control interface, and the token travels unencrypted");
        } else {
            tracing::warn!(
                %address,
                "any program that reaches this address commands the server: set a token (--control-token), or listen on 127.0.0.1"
            );
        }
    }

    fn builder(&self, db: &str) -> Result<Builder, Box<dyn Error>> {
        let builder = if db == MEMORY {
            Pretender::builder().in_memory()
        } else {
            let builder = Pretender::builder().try_database(db)?;
            // Whoever shares a server leaves some of its connections to others.
            let builder = if builder.is_on_server() { builder } else { builder.readers(READERS) };
            builder.durability(match self.durability {
                DurabilityWord::Full => Durability::Full,
                DurabilityWord::Normal => Durability::Normal,
                DurabilityWord::Off => Durability::Off,
            })
        };
        let retention =
            self.retention.0.ok_or("stream records cannot be kept for ever: retention needs a time")?;
        let expiry_interval = self.expiry_interval.or(self.like.map(LikeWord::expiry_interval));
        let expiry_interval = expiry_interval.unwrap_or(Span(Some(Duration::from_secs(60))));
        let expiry_interval = expiry_interval.0.ok_or("the expiry interval needs a time")?;
        Ok(builder
            .habits(self.like.map(LikeWord::habits).unwrap_or_default())
            .expiry_interval(expiry_interval)
            .region(&self.region)
            .account(&self.account)
            .shards_per_stream(self.shards)
            .warm_throughput_opens_shards(self.warm_shards)
            .shard_rotation(self.shard_rotation.0)
            .retention(retention)
            .sweep_interval(self.sweep_interval.0)
            .transition_delay(self.transition_delay.0.unwrap_or_default())
            .enforce_limits(self.enforce_limits)
            .message_layer(match self.message_layer {
                LayerWord::Classic => MessageLayer::Classic,
                LayerWord::Modern2026 => MessageLayer::Modern2026,
            }))
    }
}

fn shown_location(db: &str, builder: &Builder) -> String {
    if db == MEMORY {
        "memory: it is gone when the server stops".to_owned()
    } else if builder.is_on_server() {
        builder.location()
    } else {
        std::path::absolute(Path::new(db)).map_or_else(|_| db.to_owned(), |path| path.display().to_string())
    }
}

fn parse_region(text: &str) -> Result<String, String> {
    let is_region =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if is_region { Ok(text.to_owned()) } else { Err("not a region; try us-east-1".to_owned()) }
}

fn parse_status(text: &str) -> Result<u16, String> {
    // Three of them mean that there is no body, and ours has one.
    let is_fit = |status: &u16| (200..600).contains(status) && ![204, 205, 304].contains(status);
    text.parse().ok().filter(is_fit).ok_or_else(|| "not the status of an answer; try 200 or 400".to_owned())
}

fn parse_account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("an account has 12 digits".to_owned()) }
}
