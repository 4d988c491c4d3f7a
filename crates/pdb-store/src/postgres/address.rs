//! Where a database server is, and how it is connected to.

use std::{
    hash::{BuildHasher, RandomState},
    path::PathBuf,
    time::Duration,
};

use postgres::{
    Config,
    config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs},
};

use crate::{
    error::OpenError,
    postgres::parameters::{Mode, Parameters},
};

const DEFAULT_PORT: u16 = 5432;
/// How long a host may take to answer, unless the address says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long without an acknowledgement a connection counts as lost, unless the address says.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);
/// What a session begins with; `options` of the address come after these and have their way. Who hangs in the middle of a
/// transaction must not hold up others for ever.
const OPTIONS: &str = "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000";

/// How an address begins. Schemes have no case: <https://www.rfc-editor.org/rfc/rfc3986#section-3.1>.
const SCHEMES: [&str; 2] = ["postgres", "postgresql"];
/// An address, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// How each of its hosts is connected to, in the order in which they are tried.
    pub(crate) hosts: Vec<Config>,
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
    /// What it does not understand, or finds twice, is refused: a setting that is passed over in silence might be the one that
    /// keeps the password secret. No error repeats a part of the text that may belong to a password.
    pub(crate) fn parse(text: &str) -> Result<Self, OpenError> {
        let rest = text
            .split_once("://")
            .filter(|(scheme, _)| SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)))
            .map(|(_, rest)| rest)
            .ok_or_else(|| bad("it does not begin with `postgres://`"))?;
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        // The driver takes everything before the first `@` for user and password, also in the path or the parameters.
        if query.contains('@') || base.split_once('@').is_some_and(|(_, host)| host.contains('@')) {
            return Err(bad(
                "only one `@` may stand in it, between password and host; in a name, a password or a parameter, write `@` as \
                 %40, `?` as %3F and `/` as %2F",
            ));
        }
        let plain = format!("postgres://{base}");
        let parameters = Parameters::parse(query, &driven(&plain)?)?;
        let mut config = driven(&format!("{plain}{}", parameters.for_driver))?;
        let wants_encryption = parameters.wants_encryption(&config);
        match (&parameters.mode, wants_encryption) {
            (Some(Mode::Disable), Some(asker)) => {
                return Err(bad(format!(
                    "`sslmode=disable` asks for no encryption, but `{asker}` needs it: remove one of the two"
                )));
            }
            (Some(Mode::Disable), None) => config.ssl_mode(SslMode::Disable),
            (_, Some(_)) => config.ssl_mode(SslMode::Require),
            (_, None) => config.ssl_mode(SslMode::Prefer),
        };
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
        let trust = parameters.trust();
        Ok(Self { hosts: single_hosts(&config)?, schema: parameters.schema, trust })
    }

    /// The hosts and the database, for people.
    pub(crate) fn shown(&self) -> String {
        let hosts = self.hosts.iter().map(|config| {
            let port = config.get_ports().first().copied().unwrap_or(DEFAULT_PORT);
            match (config.get_hosts().first(), config.get_hostaddrs().first()) {
                (Some(Host::Tcp(name)), _) => format!("{name}:{port}"),
                #[cfg(unix)]
                (Some(Host::Unix(path)), _) => format!("{}:{port}", path.display()),
                (None, Some(address)) => format!("{address}:{port}"),
                (None, None) => String::new(),
            }
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        let database = self.hosts.first().and_then(Config::get_dbname);
        format!("postgres://{hosts}/{}", database.unwrap_or_default())
    }
}

/// Divides what the driver knows of several hosts, so that each can be tried by itself: of several, the driver tells the error of
/// the last one only, which hides why one that matters refused us.
fn single_hosts(all: &Config) -> Result<Vec<Config>, OpenError> {
    let (hosts, addresses, ports) = (all.get_hosts(), all.get_hostaddrs(), all.get_ports());
    let count = hosts.len().max(addresses.len());
    // `postgres://me@:5432/orders` names one without a name, which nobody would ever find.
    let is_nameless = |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty());
    if count == 0 || (addresses.is_empty() && hosts.iter().any(is_nameless)) {
        return Err(bad("it names no host: write `postgres://USER:PASSWORD@HOST/DATABASE`"));
    }
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(bad("it has another number of `hostaddr` than of hosts"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(bad("it has another number of ports than of hosts"));
    }
    let single = |at: usize| {
        let mut one = Config::new();
        match hosts.get(at) {
            Some(Host::Tcp(name)) => drop(one.host(name)),
            #[cfg(unix)]
            Some(Host::Unix(path)) => drop(one.host_path(path)),
            None => {}
        }
        if let Some(address) = addresses.get(at) {
            one.hostaddr(*address);
        }
        one.port(ports.get(at).or(ports.first()).copied().unwrap_or(DEFAULT_PORT));
        copy_settings(all, &mut one);
        one
    };
    let mut singles: Vec<Config> = (0..count).map(single).collect();
    if all.get_load_balance_hosts() == LoadBalanceHosts::Random {
        let random = RandomState::new();
        singles.sort_by_cached_key(|one| random.hash_one(format!("{:?}", one.get_hosts())));
    }
    Ok(singles)
}

/// Copies what does not depend on the host.
fn copy_settings(from: &Config, to: &mut Config) {
    to.ssl_mode(from.get_ssl_mode())
        .ssl_negotiation(from.get_ssl_negotiation())
        .channel_binding(from.get_channel_binding())
        .target_session_attrs(from.get_target_session_attrs())
        .keepalives(from.get_keepalives())
        .keepalives_idle(from.get_keepalives_idle());
    if let Some(user) = from.get_user() {
        to.user(user);
    }
    if let Some(password) = from.get_password() {
        to.password(password);
    }
    if let Some(database) = from.get_dbname() {
        to.dbname(database);
    }
    if let Some(options) = from.get_options() {
        to.options(options);
    }
    if let Some(name) = from.get_application_name() {
        to.application_name(name);
    }
    if let Some(time) = from.get_connect_timeout() {
        to.connect_timeout(*time);
    }
    if let Some(time) = from.get_tcp_user_timeout() {
        to.tcp_user_timeout(*time);
    }
    if let Some(time) = from.get_keepalives_interval() {
        to.keepalives_interval(time);
    }
    if let Some(count) = from.get_keepalives_retries() {
        to.keepalives_retries(count);
    }
}

/// What the driver makes of an address; its errors name parameters, and repeat no value.
pub(crate) fn driven(text: &str) -> Result<Config, OpenError> {
    text.parse().map_err(|e: postgres::Error| {
        bad(std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string))
    })
}

pub(crate) fn bad(why: impl Into<String>) -> OpenError {
    OpenError::Address(why.into())
}

/// Replaces `%41` by `A`.
pub(crate) fn decoded(text: &str) -> Option<String> {
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

/// Returns what may be shown of an address; `None` if it is not usable.
pub(crate) fn shown(url: &str) -> Option<String> {
    Address::parse(url).ok().map(|address| address.shown())
}

/// Returns whether two addresses that are usable name the same hosts, database and schema.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let place = |url: &str| Address::parse(url).ok().map(|address| (address.shown(), address.schema));
    place(one).is_some_and(|one| place(other) == Some(one))
}

#[cfg(test)]
mod tests;
