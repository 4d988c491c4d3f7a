//! The parameters of an address: what may be asked for, and what that means for encryption.

use std::path::PathBuf;

use postgres::{
    Config,
    config::{ChannelBinding, SslNegotiation},
};

use crate::{
    error::OpenError,
    postgres::address::{Trust, bad, decoded},
};

/// The parameters that the driver understands, but for those that are looked at here first.
const DRIVEN: [&str; 16] = [
    "user",
    "password",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "options",
    "application_name",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "load_balance_hosts",
];

/// The parameters that are looked at here before the driver sees them, or in its place.
const LOOKED_AT: [&str; 5] = ["schema", "sslrootcert", "sslmode", "sslnegotiation", "channel_binding"];

/// What stands behind the `?` of an address.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) schema: Option<String>,
    root: Option<Root>,
    pub(crate) mode: Option<Mode>,
    /// The rest, as the driver takes it: empty, or `?name=value&...`.
    pub(crate) for_driver: String,
}

/// A value of `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Disable,
    Prefer,
    Require,
    Verify,
}

/// A value of `sslrootcert`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    System,
    File(PathBuf),
}

impl Parameters {
    /// `base` is what the address says without them.
    pub(crate) fn parse(query: &str, base: &Config) -> Result<Self, OpenError> {
        let mut parameters = Self::default();
        let mut seen: Vec<String> = given_by(base).into_iter().map(str::to_owned).collect();
        let mut is_behind_password = false;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // Names too may be written with `%`: the driver decodes them, so `%73slmode` would pass.
            let name =
                decoded(name).ok_or_else(|| bad("the name of a parameter is not UTF-8 written with `%`"))?;
            let value = decoded(value).ok_or_else(|| bad(format!("`{name}` is not UTF-8 written with `%`")));
            let is_known = DRIVEN.contains(&&*name) || LOOKED_AT.contains(&&*name);
            if !is_known {
                // What follows a password may be the end of it, with a `&` in it.
                return Err(match is_behind_password {
                    true => {
                        bad("a parameter behind the password is unknown: in a password, write `&` as %26")
                    }
                    false => bad(format!(
                        "it has an unknown parameter, `{name}`: see docs/postgres.md for those known"
                    )),
                });
            }
            if seen.contains(&name) {
                return Err(bad(format!("`{name}` is given more than once: remove all but one")));
            }
            let value = value?;
            match &*name {
                "schema" => parameters.schema = Some(value),
                "sslrootcert" if value.is_empty() => return Err(bad("`sslrootcert` names no file")),
                "sslrootcert" if value == "system" => parameters.root = Some(Root::System),
                "sslrootcert" => parameters.root = Some(Root::File(value.into())),
                "sslmode" => {
                    parameters.mode = Some(match &*value {
                        "disable" => Mode::Disable,
                        "prefer" => Mode::Prefer,
                        "require" => Mode::Require,
                        "verify-ca" | "verify-full" => Mode::Verify,
                        _ => {
                            return Err(bad(
                                "`sslmode` must be disable, prefer, require, verify-ca or verify-full",
                            ));
                        }
                    });
                }
                _ => {
                    parameters.for_driver.push(if parameters.for_driver.is_empty() { '?' } else { '&' });
                    parameters.for_driver.push_str(parameter);
                }
            }
            is_behind_password |= name == "password";
            seen.push(name);
        }
        Ok(parameters)
    }

    /// Returns the parameter that demands encryption, if there is one. A server that says it has no encryption must not get the password
    /// then.
    pub(crate) fn wants_encryption(&self, config: &Config) -> Option<&'static str> {
        if self.root.is_some() {
            Some("sslrootcert")
        } else if matches!(self.mode, Some(Mode::Require | Mode::Verify)) {
            Some("sslmode")
        } else if config.get_ssl_negotiation() == SslNegotiation::Direct {
            Some("sslnegotiation=direct")
        } else if config.get_channel_binding() == ChannelBinding::Require {
            Some("channel_binding=require")
        } else {
            None
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        match (&self.root, self.mode) {
            (Some(Root::File(path)), _) => Trust::File(path.clone()),
            (Some(Root::System), _) | (None, Some(Mode::Verify)) => Trust::Web,
            (None, _) => Trust::Anybody,
        }
    }
}

/// What the part of an address before the `?` says already.
fn given_by(base: &Config) -> Vec<&'static str> {
    let given = [
        ("user", base.get_user().is_some()),
        ("password", base.get_password().is_some()),
        ("dbname", base.get_dbname().is_some()),
        ("host", !base.get_hosts().is_empty()),
        ("port", !base.get_ports().is_empty()),
    ];
    given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
}
