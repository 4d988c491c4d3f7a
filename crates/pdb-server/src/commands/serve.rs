//! `pretender serve`.

mod announce;
mod life;
mod ready_file;

use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::MEMORY;
use super::object_settings::DATA;
use super::security_settings::NETWORK;
use super::server_settings::{Listen, ServerSettings, StartedServer};
use announce::{Announce, Announcement, reachable};
use life::{Parent, StopConditions};
use ready_file::ReadyFile;

/// Start a server for the DynamoDB and DynamoDB Streams APIs.
///
/// Point any AWS SDK or the AWS CLI at http://127.0.0.1:8000, for both services, with any region and any credentials.
/// Ctrl-C stops the server; the data stays in the file.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Address to listen on; 0.0.0.0 makes the server reachable from other machines and from outside a container
    #[arg(long, short = 'H', env = "PRETENDER_HOST", default_value = "127.0.0.1", value_parser = parse_host, help_heading = NETWORK)]
    host: IpAddr,

    /// Port to listen on; 0 chooses a free one
    #[arg(long, short, env = "PRETENDER_PORT", default_value_t = 8000, help_heading = NETWORK)]
    port: u16,

    /// Where to store the data: a file, ":memory:", or the URL of a PostgreSQL database
    ///
    /// A file is created if it does not exist. ":memory:" stores data in memory only.
    /// "postgres://USER:PASSWORD@HOST/DATABASE" stores it on a PostgreSQL server that several processes can share.
    #[arg(
        long,
        short = 'd',
        env = "PRETENDER_DB",
        default_value = "pretender.db",
        value_name = "FILE|URL",
        hide_env_values = true,
        help_heading = DATA
    )]
    db: String,

    /// File to write the server's URL to when it is ready; removed when the server stops
    #[arg(long, env = "PRETENDER_READY_FILE", value_name = "FILE", help_heading = LIFE)]
    ready_file: Option<PathBuf>,

    /// What to print on standard output when the server is ready
    #[arg(long, env = "PRETENDER_ANNOUNCE", value_enum, default_value_t = Announce::Text, value_name = "FORM", help_heading = LIFE)]
    announce: Announce,

    /// Stop when the process that started the server ends, even if that process is killed
    #[arg(long, env = "PRETENDER_STOP_WITH_PARENT", value_parser = FalseyValueParser::new(), help_heading = LIFE)]
    stop_with_parent: bool,

    /// Stop when standard input is closed
    #[arg(long, env = "PRETENDER_STOP_ON_STDIN_CLOSE", value_parser = FalseyValueParser::new(), help_heading = LIFE)]
    stop_on_stdin_close: bool,

    #[command(flatten)]
    settings: ServerSettings,
}

// Heading of these options in the help.
const LIFE: &str = "Start and stop";

const EXAMPLES: &str = "\
Examples:
  pretender serve                              data in pretender.db, port 8000
  pretender serve -d :memory: -c               for tests, with the control API
  pretender serve -p 0 -d orders.db -l info    a free port, one line per call
  pretender serve -d postgres://me@db/orders   several processes, one database
  pretender serve --schema template.yml --seed items/
  pretender serve -d :memory: -c --databases   one database per test: /db/NAME
  pretender serve --objects buckets/           exports and imports in folders

Each option can be set by an environment variable; --help names them.
Times are a number and a unit: 500ms, 30s, 15m, 4h, 1d.";

impl Serve {
    /// Serves until it is asked to stop.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let parent = self.stop_with_parent.then(Parent::now).transpose()?;
        // Remove an old file only after the port is bound: a second server must not touch the first one's file.
        let on_bound = || self.ready_file.as_deref().map_or(Ok(()), ready_file::remove_old);
        let listen = Listen { host: self.host, port: self.port };
        let started = self.settings.start(listen, &self.db, &on_bound)?;
        // Install the stop conditions before anyone can know that the server is ready, and ask it to stop.
        let stop =
            started.server.block_on(async { StopConditions::begin(parent, self.stop_on_stdin_close) })?;
        let url = reachable(started.server.scheme(), started.server.address());
        let ready_file = self.ready_file.as_deref().map(|path| ReadyFile::write(path, &url)).transpose()?;
        self.announce(&started);
        let reason = started.server.block_on(stop.met());
        tracing::info!(target: "pretender::server", reason = reason.as_str(), "stopping");
        drop(ready_file);
        started.stop();
        Ok(())
    }

    /// Prints that the server is ready.
    fn announce(&self, started: &StartedServer) {
        let other_regions = self.settings.separate_regions.then(|| {
            if self.settings.database(&self.db) == MEMORY {
                "Each region has a separate database there".to_owned()
            } else {
                format!("Data of regions other than {} is in files beside it", self.settings.region())
            }
        });
        let announcement = Announcement {
            address: started.server.address(),
            scheme: started.server.scheme(),
            ca_file: started.ca_file.as_deref(),
            data: &started.location,
            objects: started.objects.as_deref(),
            startup_notes: &started.startup_notes,
            other_regions,
            region: self.settings.region(),
            has_databases: self.settings.databases,
            console: self.settings.console(),
            has_control: self.settings.control,
            needs_token: self.settings.control_token.is_some(),
            checks_signatures: self.settings.security.checks_signatures(),
        };
        let said = announcement.shown(self.announce);
        let mut stdout = std::io::stdout();
        if stdout.write_all(said.as_bytes()).and_then(|()| stdout.flush()).is_err() {
            // The process that started the server may have closed standard output; the server keeps running.
            tracing::info!("standard output is closed");
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
