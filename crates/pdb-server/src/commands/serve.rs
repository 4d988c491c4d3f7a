//! `pretender serve`.

use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use clap::Args;

use super::MEMORY;
use super::server_settings::{DATA, Listen, NETWORK, ServerSettings, Started};
use crate::signals::StopSignal;

/// Answer the DynamoDB and DynamoDB Streams APIs on one port.
///
/// Point any AWS SDK or the AWS CLI at it: endpoint http://127.0.0.1:8000 for both services, any region, any credentials. Ctrl-C stops it;
/// the data stays in the file.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Address to listen on; 0.0.0.0 to be reachable from other machines or from outside a container
    #[arg(long, short = 'H', env = "PRETENDER_HOST", default_value = "127.0.0.1", value_parser = parse_host, help_heading = NETWORK)]
    host: IpAddr,

    /// Port to listen on; 0 takes a free one
    #[arg(long, short, env = "PRETENDER_PORT", default_value_t = 8000, help_heading = NETWORK)]
    port: u16,

    /// File to keep the data in, ":memory:", or the URL of a PostgreSQL database
    ///
    /// The file is created if it does not exist. ":memory:" stores data in memory only. "postgres://USER:PASSWORD@HOST/DATABASE" stores it on
    /// a PostgreSQL server that several processes can share.
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

    #[command(flatten)]
    settings: ServerSettings,
}

const EXAMPLES: &str = "\
Examples:
  pretender serve                              data in pretender.db, port 8000
  pretender serve -d :memory: -c               for tests, with the control API
  pretender serve -p 0 -d orders.db -l info    a free port, a line for each call
  pretender serve -d postgres://me@db/orders   several processes, one database

Each option can be given in the environment; --help names the variables.
Times are a number and a unit: 500ms, 30s, 15m, 4h, 1d.";

impl Serve {
    /// Serves until it is told to stop.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let started = self.settings.start(Listen { host: self.host, port: self.port }, &self.db)?;
        // Before anybody can know that the server is there, and ask it to stop.
        let mut stop_signal = started.server.block_on(async { StopSignal::install() })?;
        let mut stdout = std::io::stdout();
        if stdout.write_all(self.first_lines(&started).as_bytes()).and_then(|()| stdout.flush()).is_err() {
            // Whoever closed it does not want to know; that is no reason not to serve.
            tracing::info!("standard output is closed");
        }
        started.server.block_on(stop_signal.asked());
        tracing::info!("stopping, as a signal asks");
        started.stop();
        Ok(())
    }

    /// Returns what is said when the server answers.
    fn first_lines(&self, started: &Started) -> String {
        let url = started.server.url();
        let mut said = format!("Listening on {url}\nData in {}\n", started.location);
        if self.settings.separate_regions {
            said.push_str(&if self.db == MEMORY {
                "Each region has a database of its own there\n".to_owned()
            } else {
                format!("Data of regions other than {} beside it\n", self.settings.region())
            });
        }
        if self.settings.control {
            said.push_str(&format!("Obeys commands under {url}/_pretender/\n"));
        }
        said
    }
}

fn parse_host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        "::" => Ok(Ipv6Addr::UNSPECIFIED.into()),
        text => text.parse().map_err(|_| "not an IP address; try 127.0.0.1 or 0.0.0.0".to_owned()),
    }
}
