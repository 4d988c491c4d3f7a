//! `pretender serve`.

use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use pdb_server::{BoundServer, ControlToken, CorsOrigin, HostName, Regions, Server, ServerOptions, Span};
use pretender::{Builder, Durability, Habits, ManualClock, MessageLayer, Pretender};

use super::MEMORY;
use super::token::TokenParser;
use crate::logging::{self, LogFormat};
use crate::open_files;
use crate::signals::StopSignal;

/// Connections that read a file: as many as long reads may take, and some for short ones.
const READERS: u32 = ServerOptions::MOST_LONG_READS + 8;

/// Answer the DynamoDB and DynamoDB Streams APIs on one port.
///
/// Point any AWS SDK or the AWS CLI at it: endpoint http://127.0.0.1:8000 for both services, any region, any credentials. Stop it with
/// Ctrl-C; the data stays in the file.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Address to listen on; 0.0.0.0 to be reachable from other machines or from outside a container
    #[arg(long, env = "PRETENDER_HOST", default_value = "127.0.0.1", value_parser = parse_host)]
    host: IpAddr,

    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "PRETENDER_PORT", default_value_t = 8000)]
    port: u16,

    /// File to keep the data in, made if it does not exist; ":memory:" keeps nothing; "postgres://USER:PASSWORD@HOST/DATABASE"
    /// keeps it on a PostgreSQL server, which several processes may share
    #[arg(
        long,
        env = "PRETENDER_DB",
        default_value = "pretender.db",
        value_name = "FILE|URL",
        hide_env_values = true
    )]
    db: String,

    /// Region in ARNs and stream records; clients may use any
    #[arg(long, env = "PRETENDER_REGION", default_value = "us-east-1", value_parser = parse_region)]
    region: String,

    /// Keep regions apart: a table exists in the region that its requests are signed for, each region has a database of its own beside
    /// that of --region
    #[arg(long, env = "PRETENDER_SEPARATE_REGIONS", value_parser = FalseyValueParser::new())]
    separate_regions: bool,

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
    control: bool,

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

impl Serve {
    /// Serves until it is told to stop.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        logging::start(&self.log_level, self.log_format)?;
        open_files::raise_limit();
        // The port first: a second server must not touch the first one's file.
        let clock = self.control.then(|| Arc::new(ManualClock::running()));
        let bound = Server::bind(ServerOptions { control: clock.clone(), ..self.server_options() })?;
        self.warn_of_control(&bound);
        let mut builder = self.builder()?;
        if let Some(clock) = clock {
            builder = builder.clock(clock);
        }
        let location = self.shown_location(&builder);
        if self.separate_regions {
            // Here, and not when the first request for such a region comes.
            let longest = "x".repeat(Regions::MOST_NAME_BYTES);
            if let Err(error) = builder.clone().try_in_region(&longest) {
                let length = longest.len();
                return Err(
                    format!("a region whose name has {length} characters cannot be kept: {error}").into()
                );
            }
        }
        let home = builder.clone().open()?;
        let regions = if self.separate_regions {
            Regions::separate(home, move |region| builder.clone().in_region(region).open())
        } else {
            home.into()
        };
        let server = bound.start(regions.clone())?;
        // Before anybody can know that the server is there, and ask it to stop.
        let mut stop_signal = server.block_on(async { StopSignal::install() })?;

        let mut said = format!("Listening on {}\nData in {location}\n", server.url());
        if self.separate_regions {
            said.push_str(&if self.db == MEMORY {
                "Each region has a database of its own there\n".to_owned()
            } else {
                format!("Data of regions other than {} beside it\n", self.region)
            });
        }
        if self.control {
            said.push_str(&format!("Obeys commands under {}/_pretender/\n", server.url()));
        }
        let mut stdout = std::io::stdout();
        if stdout.write_all(said.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            // Whoever closed it does not want to know; that is no reason not to serve.
            tracing::info!("standard output is closed");
        }

        server.block_on(stop_signal.asked());
        if !server.stop() {
            tracing::warn!("some requests were not finished in time");
        }
        regions.close();
        Ok(())
    }

    fn server_options(&self) -> ServerOptions {
        ServerOptions {
            host: self.host,
            port: self.port,
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

    fn builder(&self) -> Result<Builder, Box<dyn Error>> {
        let builder = if self.db == MEMORY {
            Pretender::builder().in_memory()
        } else {
            let builder = Pretender::builder().try_database(&self.db)?;
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

    fn shown_location(&self, builder: &Builder) -> String {
        if self.db == MEMORY {
            "memory: it is gone when the server stops".to_owned()
        } else if builder.is_on_server() {
            builder.location()
        } else {
            std::path::absolute(Path::new(&self.db))
                .map_or_else(|_| self.db.clone(), |path| path.display().to_string())
        }
    }
}

fn parse_host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        "::" => Ok(Ipv6Addr::UNSPECIFIED.into()),
        text => text.parse().map_err(|_| "not an IP address; try 127.0.0.1 or 0.0.0.0".to_owned()),
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
