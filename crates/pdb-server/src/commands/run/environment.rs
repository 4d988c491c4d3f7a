//! The environment of the command, in which everything that an AWS SDK reads points to the server.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pdb_server::ControlToken;

use crate::commands::server_settings::parse_region;

/// Variables that could lead an SDK past the server, or to real credentials: profiles and roles, which some SDKs prefer
/// to keys in the environment, and settings that make an SDK ignore or reject an endpoint.
const REMOVED: &[&str] = &[
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// Hosts that must not be reached through a proxy.
const NO_PROXY: &[&str] = &["127.0.0.1", "localhost"];

/// Variables of the user on which the command's variables depend.
#[derive(Debug, Default)]
pub(super) struct UserVariables {
    region: Option<String>,
    no_proxy: Option<String>,
}

impl UserVariables {
    /// Reads these variables.
    pub(super) fn read() -> Self {
        let first = |names: &[&str]| {
            let mut values =
                names.iter().filter_map(env::var_os).filter_map(|value| value.into_string().ok());
            values.find(|value| !value.is_empty())
        };
        Self {
            region: first(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            no_proxy: first(&["no_proxy", "NO_PROXY"]),
        }
    }

    /// Returns the user's region.
    pub(super) fn region(&self) -> Result<Option<String>, String> {
        let Some(region) = &self.region else { return Ok(None) };
        parse_region(region).map(Some).map_err(|error| format!("AWS_REGION is `{region}`: {error}"))
    }
}

/// What the command has to know about the server.
pub(super) struct Environment {
    pub(super) url: String,
    pub(super) region: String,
    pub(super) has_control: bool,
    pub(super) control_token: Option<ControlToken>,
    /// Key ID, secret and session token, if the server accepts only known keys.
    pub(super) key: Option<(String, String, Option<String>)>,
    /// The file with the authority that clients must trust, if the server has made one.
    pub(super) ca_file: Option<PathBuf>,
}

impl Environment {
    /// Returns the variables to set, and those to remove.
    pub(super) fn changes(&self, given: &UserVariables) -> Vec<(&'static str, Option<OsString>)> {
        let url = &self.url;
        let mut changes: Vec<(&'static str, Option<OsString>)> =
            REMOVED.iter().map(|name| (*name, None)).collect();
        let mut set = |name, value: &str| changes.push((name, Some(value.into())));
        for name in [
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
            "PRETENDER_ENDPOINT",
        ] {
            set(name, url);
        }
        match &self.key {
            Some((id, secret, session_token)) => {
                set("AWS_ACCESS_KEY_ID", id);
                set("AWS_SECRET_ACCESS_KEY", secret);
                session_token.iter().for_each(|token| set("AWS_SESSION_TOKEN", token));
            }
            // Made up, so that a bug in the command cannot reach an AWS account.
            None => {
                set("AWS_ACCESS_KEY_ID", "pretender");
                set("AWS_SECRET_ACCESS_KEY", "pretender");
            }
        }
        if let Some(file) = self.ca_file.as_deref().and_then(Path::to_str) {
            // The second one is for Node.js.
            set("AWS_CA_BUNDLE", file);
            set("NODE_EXTRA_CA_CERTS", file);
        }
        set("AWS_REGION", &self.region);
        set("AWS_DEFAULT_REGION", &self.region);
        set("AWS_EC2_METADATA_DISABLED", "true");
        let no_proxy = with_local_hosts(given.no_proxy.as_deref());
        set("NO_PROXY", &no_proxy);
        set("no_proxy", &no_proxy);
        if self.has_control {
            set("PRETENDER_CONTROL_URL", &format!("{url}/_pretender/"));
            if let Some(token) = &self.control_token {
                set("PRETENDER_CONTROL_TOKEN", token.secret());
            }
        } else {
            changes.push(("PRETENDER_CONTROL_URL", None));
        }
        changes
    }
}

/// Adds this machine to the hosts that are reached without a proxy.
fn with_local_hosts(given: Option<&str>) -> String {
    let given = given.unwrap_or_default();
    let mut hosts: Vec<&str> = given.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    for host in NO_PROXY {
        if !hosts.contains(host) {
            hosts.push(host);
        }
    }
    hosts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_asked_for_this_machine() {
        for (given, all) in [
            (None, "127.0.0.1,localhost"),
            (Some(""), "127.0.0.1,localhost"),
            (Some("example.com, 10.0.0.1"), "example.com,10.0.0.1,127.0.0.1,localhost"),
            (Some("localhost"), "localhost,127.0.0.1"),
        ] {
            assert_eq!(with_local_hosts(given), all);
        }
    }

    #[test]
    fn a_region_of_the_user_is_checked() {
        let given = |region: &str| UserVariables { region: Some(region.to_owned()), no_proxy: None };
        assert_eq!(given("eu-west-1").region(), Ok(Some("eu-west-1".to_owned())));
        assert_eq!(UserVariables::default().region(), Ok(None));
        assert!(given("Frankfurt!").region().unwrap_err().starts_with("AWS_REGION is `Frankfurt!`: "));
    }
}
