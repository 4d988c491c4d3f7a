//! Where a database server is, and how it is connected to.

use std::{path::PathBuf, time::Duration};

use postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

use crate::error::OpenError;

/// How long a host may take to answer, unless the address says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long without an acknowledgement a connection counts as lost, unless the address says.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);
/// What a session begins with; `options` of the address come after these and have their way. Who hangs in the middle of a
/// transaction must not hold up others for ever.
const OPTIONS: &str = "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000";

/// An address, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) config: Config,
    /// The schema that the address names with `schema=`: made if it is not there.
    pub(crate) schema: Option<String>,
    /// Who the server must prove to be.
    pub(crate) trust: Trust,
}

/// How a server's certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Not at all, as with `sslmode=require` and no `sslrootcert`.
    Anybody,
    /// By the authorities that the web trusts.
    Web,
    /// By the authorities in this file.
    File(PathBuf),
}

impl Address {
    /// Parses `postgres://user:password@host:port,host:port/database?parameters`.
    ///
    /// Understands what the driver does, and `schema`, `sslrootcert`, and the values `verify-ca` and `verify-full` of `sslmode`.
    pub(crate) fn parse(text: &str) -> Result<Self, OpenError> {
        let bad = |why: String| OpenError::Address(why);
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut schema, mut root, mut verify) = (None, None, false);
        let mut rest: Vec<&str> = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match (name, value) {
                ("schema", _) => schema = Some(decoded(value).ok_or_else(|| bad("schema".to_owned()))?),
                ("sslrootcert", "system") => verify = true,
                ("sslrootcert", _) => {
                    root = Some(PathBuf::from(decoded(value).ok_or_else(|| bad("sslrootcert".to_owned()))?));
                }
                ("sslmode", "verify-full" | "verify-ca") => {
                    verify = true;
                    rest.push("sslmode=require");
                }
                _ => rest.push(parameter),
            }
        }
        let mut plain = base.to_owned();
        if !rest.is_empty() {
            plain = format!("{base}?{}", rest.join("&"));
        }
        let mut config: Config = plain.parse().map_err(|e: postgres::Error| {
            let cause = std::error::Error::source(&e).map(|cause| format!(": {cause}")).unwrap_or_default();
            bad(format!("{e}{cause}"))
        })?;
        if config.get_application_name().is_none() {
            config.application_name("pretender");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_TIMEOUT);
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let options =
            config.get_options().map_or_else(|| OPTIONS.to_owned(), |own| format!("{OPTIONS} {own}"));
        config.options(&options);
        let trust = match (root, verify) {
            (Some(path), _) => Trust::File(path),
            (None, true) => Trust::Web,
            (None, false) => Trust::Anybody,
        };
        if trust != Trust::Anybody && config.get_ssl_mode() == SslMode::Disable {
            return Err(bad("it asks for a certificate, and for no encryption".to_owned()));
        }
        if matches!(trust, Trust::File(_)) {
            config.ssl_mode(SslMode::Require);
        }
        Ok(Self { config, schema, trust })
    }

    /// The hosts and the database, for people.
    pub(crate) fn shown(&self) -> String {
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate().map(|(at, host)| {
            let port = ports.get(at).or_else(|| ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("postgres://{hosts}/{}", self.config.get_dbname().unwrap_or_default())
    }
}

/// Replaces `%41` by `A`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    while let [first, rest @ ..] = left {
        left = rest;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, rest) = left.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        left = rest;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_where_and_how() {
        let address = Address::parse(
            "postgres://me:secret@one:5433,two/db?schema=a%20b&sslmode=verify-full&connect_timeout=3&options=-csearch_path%3Dx",
        )
        .unwrap();
        assert_eq!(address.shown(), "postgres://one:5433,two:5432/db");
        assert_eq!(address.schema.as_deref(), Some("a b"));
        assert_eq!(address.trust, Trust::Web);
        let config = &address.config;
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_options(), Some(&*format!("{OPTIONS} -csearch_path=x")));
        let address = Address::parse("postgresql://me@h/db?sslrootcert=%2Fca.pem").unwrap();
        assert_eq!(address.trust, Trust::File("/ca.pem".into()));
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        let address = Address::parse("postgres://me@h/db").unwrap();
        assert_eq!((address.trust, address.schema), (Trust::Anybody, None));
        for bad in
            ["postgres://me@h:x/db", "postgres://me@h/db?schema=%4", "postgres://me@h/db?sslmode=maybe"]
        {
            assert!(matches!(Address::parse(bad), Err(OpenError::Address(_))), "{bad}");
        }
    }
}
