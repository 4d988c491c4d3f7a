//! What the server prints on standard output when it is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use clap::ValueEnum;
use pdb_server::{ConsoleAccess, NamedDatabases};
use serde_json::json;

use crate::terminal::visible;

/// How a server announces that it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Announce {
    /// Lines for people; the first is "Listening on URL"
    Text,
    /// One line with a JSON object: url, port, pid, version, data, objects, region, control, databases, credentials, ca_file
    Json,
}

/// What to announce.
#[derive(Debug)]
pub(super) struct Announcement<'a> {
    pub(super) address: SocketAddr,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// The file with the authority that clients must trust, if the server has made one.
    pub(super) ca_file: Option<&'a Path>,
    /// Where the data is, for people.
    pub(super) data: &'a str,
    /// Where the buckets are, for people, if the server has any.
    pub(super) objects: Option<&'a str>,
    /// What was done to the data before the server was ready.
    pub(super) startup_notes: &'a [String],
    /// Where the data of other regions is, if each region has its own database.
    pub(super) other_regions: Option<String>,
    /// Whether requests can name databases.
    pub(super) has_databases: bool,
    pub(super) region: &'a str,
    pub(super) console: ConsoleAccess,
    pub(super) has_control: bool,
    pub(super) needs_token: bool,
    /// Whether requests must be signed with known keys.
    pub(super) checks_signatures: bool,
}

impl Announcement<'_> {
    pub(super) fn shown(&self, form: Announce) -> String {
        match form {
            Announce::Text => self.lines(),
            Announce::Json => self.json(),
        }
    }

    /// Scripts wait for the first line.
    fn lines(&self) -> String {
        let Self { address, scheme, data, region, .. } = self;
        let mut said = format!("Listening on {scheme}://{address}\nData in {data}\n");
        if let Some(objects) = self.objects {
            said.push_str(&format!("Objects in {}\n", visible(objects)));
        }
        if let Some(file) = self.ca_file {
            said.push_str(&format!(
                "Clients must trust the authority in {}\n",
                visible(&file.display().to_string())
            ));
        }
        if let Some(place) = &self.other_regions {
            said.push_str(&format!("{place}\n"));
        }
        if self.has_databases {
            said.push_str(&format!(
                "A database in memory for each NAME at {scheme}://{address}/db/NAME, or for each access key ID\n"
            ));
        }
        for line in self.startup_notes {
            said.push_str(&format!("{}\n", visible(line)));
        }
        if self.checks_signatures {
            said.push_str("Requests must be signed with a key of the credentials file\n");
        }
        said.push_str(&match (self.has_control, self.needs_token) {
            (true, true) => format!("Control API at {scheme}://{address}/_pretender/ (needs the token)\n"),
            (true, false) => format!("Control API at {scheme}://{address}/_pretender/\n"),
            (false, true) => "Control API off; `--control` enables it. Backups need the token\n".to_owned(),
            (false, false) => "Control API off; `--control` enables it\n".to_owned(),
        });
        // Without a token, such a server shows nobody its console.
        let has_console = self.needs_token || !self.checks_signatures;
        if self.console != ConsoleAccess::Off && has_console {
            let is_for_all = self.console == ConsoleAccess::Anywhere || address.ip().is_loopback();
            let who = if is_for_all { "" } else { " (only from this machine; see `--console`)" };
            said.push_str(&format!("Console at {}/_pretender/console/{who}\n", reachable(scheme, *address)));
        }
        said.push_str(concat!("Version ", env!("CARGO_PKG_VERSION"), "\n"));
        let variable = |name: &str, value: &str| {
            if cfg!(windows) { format!("$env:{name}='{value}'") } else { format!("{name}={value}") }
        };
        let line = |variables: &[String]| {
            if cfg!(windows) {
                format!("  {}\n", variables.join("; "))
            } else {
                format!("  export {}\n", variables.join(" "))
            }
        };
        said.push_str("\nFor AWS's SDKs and the AWS CLI:\n");
        said.push_str(&line(&[variable("AWS_ENDPOINT_URL", &reachable(scheme, *address))]));
        if let Some(file) = self.ca_file {
            said.push_str(&line(&[variable("AWS_CA_BUNDLE", &quoted(file))]));
        }
        said.push_str(&line(&[variable("AWS_REGION", region), variable("AWS_DEFAULT_REGION", region)]));
        if !self.checks_signatures {
            said.push_str(&line(&[
                variable("AWS_ACCESS_KEY_ID", if self.has_databases { NamedDatabases::OWN } else { "any" }),
                variable("AWS_SECRET_ACCESS_KEY", "any"),
            ]));
        }
        said
    }

    fn json(&self) -> String {
        let announced = json!({
            "url": reachable(self.scheme, self.address),
            "port": self.address.port(),
            "pid": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
            "data": self.data,
            "objects": self.objects,
            "region": self.region,
            "control": self.has_control,
            "databases": self.has_databases,
            "credentials": self.checks_signatures,
            "ca_file": self.ca_file.map(|file| file.display().to_string()),
        });
        format!("{announced}\n")
    }
}

/// Returns a path for a line of a shell.
fn quoted(path: &Path) -> String {
    let text = visible(&path.display().to_string()).into_owned();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if cfg!(windows) || is_plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Returns the URL at which this machine reaches the server: the loopback address, if the server listens on all
/// addresses.
pub(super) fn reachable(scheme: &str, address: SocketAddr) -> String {
    let host: IpAddr = match address.ip() {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    format!("{scheme}://{}", SocketAddr::new(host, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_the_machine_itself() {
        for (address, expected) in [
            ("127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("0.0.0.0:8001", "http://127.0.0.1:8001"),
            ("[::]:8002", "http://[::1]:8002"),
            ("192.168.1.5:8000", "http://192.168.1.5:8000"),
        ] {
            assert_eq!(reachable("http", address.parse().unwrap()), expected);
        }
    }
}
