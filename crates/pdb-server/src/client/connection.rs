//! Choosing the server, the region and the credentials of a command.

#[cfg(feature = "https")]
use std::path::PathBuf;

use clap::Args;
use pdb_server::ControlToken;
use pretender::streams::source::WakeHandle;

#[cfg(feature = "https")]
use super::authorities::Authorities;
use super::endpoint::{Endpoint, NotAnEndpoint};
use super::machine::{Machine, ThisMachine};
use super::profile::Profile;
use super::sign::Credentials;
use super::{Api, Control, ControlFailure, MetricsClient, Probe, Service};

/// The default server: the address at which `pretender serve` listens by default.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:8000";
/// The default region, the same as for `pretender serve`.
const DEFAULT_REGION: &str = "us-east-1";
/// Heading of these options in the help.
const HEADING: &str = "Connection";
/// The value of `--endpoint` that means AWS itself.
const AWS: &str = "aws";

/// The server and the credentials. Every command that talks to a server flattens this into its arguments.
///
/// The endpoint is the first of: `--endpoint`; `PRETENDER_ENDPOINT`; `AWS_ENDPOINT_URL_DYNAMODB` or
/// `AWS_ENDPOINT_URL_DYNAMODB_STREAMS`, depending on the service; `AWS_ENDPOINT_URL`; the profile's, in its `services`
/// section and then in the profile itself; the variable, then the profile's setting, of the other service;
/// `http://127.0.0.1:8000`. A region or keys alone never lead to AWS: it must be named, by its address or by the word
/// `aws`. The region is the first of: `--region`, the region in an AWS host name, the region in an ARN, `AWS_REGION`,
/// `AWS_DEFAULT_REGION`, the profile's, `us-east-1`. The keys are the first of: those of the profile if `--profile` is
/// given, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, those of the profile, made-up ones (which AWS does not
/// accept).
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Connection {
    /// The server: http://127.0.0.1:8000, 127.0.0.1:8000, localhost, or "aws" for AWS itself
    ///
    /// Without this option: from PRETENDER_ENDPOINT, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_DYNAMODB_STREAMS,
    /// AWS_ENDPOINT_URL or the profile [default: http://127.0.0.1:8000]
    #[arg(help_heading = HEADING, long, value_name = "URL", value_parser = parse_server, global = true)]
    endpoint: Option<Server>,

    /// Region of the requests
    ///
    /// Without this option: from the name of AWS's host, an ARN, AWS_REGION, AWS_DEFAULT_REGION or the profile
    /// [default: us-east-1]
    #[arg(help_heading = HEADING, long, value_name = "REGION", value_parser = parse_region, global = true)]
    region: Option<String>,

    /// Profile in ~/.aws/config and ~/.aws/credentials to take endpoint, region and keys from [default: that of AWS_PROFILE]
    #[arg(help_heading = HEADING, long, value_name = "NAME", global = true)]
    profile: Option<String>,

    /// PEM file with the authorities to trust for HTTPS, instead of those that browsers trust
    ///
    /// Without this option: from AWS_CA_BUNDLE or the profile (ca_bundle). `serve --tls self-signed` writes such a file.
    #[cfg(feature = "https")]
    #[arg(help_heading = HEADING, long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
}

/// A server, or AWS in a region that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    At(Endpoint),
    Aws,
}

/// Why there is no server to talk to, or no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("{from}: `{text}` is {source}")]
    Endpoint { from: String, text: String, source: NotAnEndpoint },
    #[error("{from}: `{text}` is {source}")]
    Region { from: &'static str, text: String, source: NotARegion },
    #[cfg(feature = "https")]
    #[error("{from}: there are no certificates in PEM in `{}`, or it cannot be read", path.display())]
    Authorities { from: &'static str, path: PathBuf },
    #[error("AWS: {0}")]
    Aws(#[from] NotAnEndpoint),
    #[error("there is no profile `{0}` in AWS's configuration files, ~/.aws/config and ~/.aws/credentials")]
    NoProfile(String),
    #[error(
        "no keys for AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile that has keys with --profile"
    )]
    NoKeys,
    #[error(
        "the keys of the profile `{profile}` are not in AWS's configuration files: put them into the environment with \
         `eval \"$(aws configure export-credentials --profile {profile} --format env)\"`{then}"
    )]
    ExternalKeys { profile: String, then: &'static str },
}

/// The error for a text that is not a region.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a region: expected a name such as us-east-1")]
pub(crate) struct NotARegion;

impl Connection {
    /// Takes the value of `--endpoint`.
    pub(crate) fn take_endpoint(&mut self) -> Option<Server> {
        self.endpoint.take()
    }

    /// Sets the value of `--endpoint`.
    pub(crate) fn set_endpoint(&mut self, endpoint: Option<Server>) {
        self.endpoint = endpoint;
    }

    /// Returns the DynamoDB API and the DynamoDB Streams API of the server. If there is an ARN among the `targets`, it
    /// determines the region.
    ///
    /// # Errors
    ///
    /// If a variable or the profile is invalid, or there are no keys for AWS. Nothing has been sent then.
    pub(crate) fn api<T: AsRef<str>>(&self, targets: &[T]) -> Result<Api, ConnectionError> {
        self.api_with(targets, WakeHandle::default())
    }

    /// Variant of [`api`](Self::api) with a handle that ends the pauses between attempts.
    pub(crate) fn api_with<T: AsRef<str>>(
        &self,
        targets: &[T],
        stop: WakeHandle,
    ) -> Result<Api, ConnectionError> {
        let settings = Settings::new(self, &ThisMachine)?;
        let targets: Vec<&str> = targets.iter().map(AsRef::as_ref).collect();
        let region = settings.region(&targets)?;
        let items = settings.endpoint(Service::DynamoDb, &region)?;
        let streams = settings.endpoint(Service::Streams, &region)?;
        let credentials = settings.credentials(items.is_aws() || streams.is_aws())?;
        Ok(Api::new(items, streams, region, credentials, stop))
    }

    /// Returns a probe for the server's readiness.
    ///
    /// # Errors
    ///
    /// As [`control`](Self::control).
    pub(crate) fn probe(&self) -> Result<Probe, ControlFailure> {
        let settings = Settings::new(self, &ThisMachine)?;
        match settings.server(Service::DynamoDb)? {
            Server::At(endpoint) if !endpoint.is_aws() => Ok(Probe::new(settings.trusting(endpoint)?)),
            _ => Err(ControlFailure::Aws),
        }
    }

    /// Returns the control API of the server. A region from an option applies to every command; a region from a
    /// variable or the profile applies only to commands that concern one region.
    ///
    /// # Errors
    ///
    /// If a variable or the profile is invalid, or the server is AWS.
    pub(crate) fn control(&self, token: Option<ControlToken>) -> Result<Control, ControlFailure> {
        let settings = Settings::new(self, &ThisMachine)?;
        match settings.server(Service::DynamoDb)? {
            Server::At(endpoint) if !endpoint.is_aws() => {
                let usual_region = settings.usual_region()?;
                Ok(Control::new(settings.trusting(endpoint)?, token, self.region.clone(), usual_region))
            }
            _ => Err(ControlFailure::Aws),
        }
    }

    /// Returns a client for the metrics of the server; `None` if the server is AWS. A region from an option is the only
    /// one to show. One from a variable or the profile does not matter.
    ///
    /// # Errors
    ///
    /// If a variable or the profile is invalid.
    pub(crate) fn metrics(
        &self,
        token: Option<ControlToken>,
    ) -> Result<Option<MetricsClient>, ConnectionError> {
        let settings = Settings::new(self, &ThisMachine)?;
        match settings.server(Service::DynamoDb)? {
            Server::At(endpoint) if !endpoint.is_aws() => {
                Ok(Some(MetricsClient::new(settings.trusting(endpoint)?, token, self.region.clone())))
            }
            _ => Ok(None),
        }
    }
}

/// Reads the value of `--endpoint`.
pub(crate) fn parse_server(text: &str) -> Result<Server, String> {
    server(text).map_err(|error| match error {
        NotAnEndpoint::NoUrl => format!("{error}, or \"{AWS}\" for AWS itself"),
        #[cfg(not(feature = "https"))]
        error => error.to_string(),
    })
}

fn server(text: &str) -> Result<Server, NotAnEndpoint> {
    if text.eq_ignore_ascii_case(AWS) { Ok(Server::Aws) } else { text.parse().map(Server::At) }
}

/// Reads the name of a region: AWS's, or one that emulators accept, such as `local`.
fn parse_region(text: &str) -> Result<String, NotARegion> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if is_plain && begins && text.len() <= pdb_server::Regions::MAX_NAME_BYTES {
        Ok(text.to_owned())
    } else {
        Err(NotARegion)
    }
}

/// Options, variables and the profile, in order of precedence.
struct Settings<'a> {
    options: &'a Connection,
    machine: &'a dyn Machine,
    profile: Profile,
}

impl<'a> Settings<'a> {
    fn new(options: &'a Connection, machine: &'a dyn Machine) -> Result<Self, ConnectionError> {
        let profile = Profile::read(machine, options.profile.as_deref());
        if options.profile.is_some() && !profile.is_there() {
            return Err(ConnectionError::NoProfile(profile.name().to_owned()));
        }
        Ok(Self { options, machine, profile })
    }

    /// Returns the endpoint of a service. If it is AWS's, it is that of the given region.
    fn endpoint(&self, service: Service, region: &str) -> Result<Endpoint, ConnectionError> {
        self.trusting(match self.server(service)? {
            Server::At(endpoint) => endpoint.of_service(service)?,
            Server::Aws => Endpoint::aws(service, region)?,
        })
    }

    /// Returns an endpoint with the authorities to trust.
    #[cfg(feature = "https")]
    fn trusting(&self, endpoint: Endpoint) -> Result<Endpoint, ConnectionError> {
        let option = self.options.ca_file.clone().map(|path| ("--ca-file", path));
        let variable = || Some(("AWS_CA_BUNDLE", self.machine.variable("AWS_CA_BUNDLE")?.into()));
        let profile = || Some(("profile", self.profile.ca_bundle()?.into()));
        let Some((from, path)) = option.or_else(variable).or_else(profile) else { return Ok(endpoint) };
        if endpoint.is_plain() {
            return Ok(endpoint);
        }
        match self.machine.file(&path).and_then(|text| Authorities::parse(&text)) {
            Some(authorities) => Ok(endpoint.trusting(Some(authorities))),
            None => Err(ConnectionError::Authorities { from, path }),
        }
    }

    /// Returns the endpoint itself: without TLS, there is nobody to trust.
    #[cfg(not(feature = "https"))]
    fn trusting(&self, endpoint: Endpoint) -> Result<Endpoint, ConnectionError> {
        Ok(endpoint)
    }

    /// Returns the first server that is named.
    fn server(&self, service: Service) -> Result<Server, ConnectionError> {
        if let Some(server) = &self.options.endpoint {
            return Ok(server.clone());
        }
        let (from, text) = self.named_endpoint(service);
        server(&text).map_err(|source| ConnectionError::Endpoint { from, text, source })
    }

    /// Returns the text of the endpoint, and the source it comes from.
    fn named_endpoint(&self, service: Service) -> (String, String) {
        let variable = |name: &str| Some((name.to_owned(), self.machine.variable(name)?));
        let profile = |value: Option<String>| Some((format!("profile `{}`", self.profile.name()), value?));
        let ignores = self.machine.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        let of_aws = || {
            if ignores.map_or(self.profile.ignores_endpoints(), |value| value.eq_ignore_ascii_case("true")) {
                return None;
            }
            let (own, other) = (service, service.other());
            variable(own.endpoint_variable())
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .or_else(|| profile(self.profile.endpoint_of(own)))
                .or_else(|| profile(self.profile.endpoint()))
                .or_else(|| variable(other.endpoint_variable()))
                .or_else(|| profile(self.profile.endpoint_of(other)))
        };
        variable("PRETENDER_ENDPOINT")
            .or_else(of_aws)
            .unwrap_or_else(|| (String::new(), DEFAULT_ENDPOINT.to_owned()))
    }

    fn region(&self, targets: &[&str]) -> Result<String, ConnectionError> {
        if let Some(region) = &self.options.region {
            return Ok(region.clone());
        }
        if let Server::At(endpoint) = self.server(Service::DynamoDb)?
            && let Some(region) = endpoint.region()
        {
            return Ok(region.to_owned());
        }
        // The rest of the ARN is checked by the server.
        let of_arn = targets.iter().find_map(|target| target.strip_prefix("arn:")?.split(':').nth(2));
        if let Some(region) = of_arn.and_then(|region| parse_region(region).ok()) {
            return Ok(region);
        }
        Ok(self.usual_region()?.unwrap_or_else(|| DEFAULT_REGION.to_owned()))
    }

    /// Returns the region of variables or of the profile.
    fn usual_region(&self) -> Result<Option<String>, ConnectionError> {
        let variable = |name: &'static str| Some((name, self.machine.variable(name)?));
        let found = variable("AWS_REGION")
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| Some(("profile", self.profile.region()?)));
        let Some((from, text)) = found else { return Ok(None) };
        parse_region(&text).map(Some).map_err(|source| ConnectionError::Region { from, text, source })
    }

    fn credentials(&self, for_aws: bool) -> Result<Credentials, ConnectionError> {
        let of_environment = || {
            let (access_key, secret_key) = self
                .machine
                .variable("AWS_ACCESS_KEY_ID")
                .zip(self.machine.variable("AWS_SECRET_ACCESS_KEY"))?;
            Some(Credentials {
                access_key,
                secret_key,
                session_token: self.machine.variable("AWS_SESSION_TOKEN"),
            })
        };
        let of_profile = || self.profile.credentials();
        let is_named = self.options.profile.is_some();
        let found = match &self.options.profile {
            // The keys in the environment may belong to another account.
            Some(_) if self.profile.has_external_keys() => of_profile(),
            Some(_) => of_profile().or_else(of_environment),
            None => of_environment().or_else(of_profile),
        };
        match found {
            Some(credentials) => Ok(credentials),
            None if !for_aws => Ok(Credentials::made_up()),
            None if self.profile.has_external_keys() => {
                let then = if is_named { ", and leave out --profile" } else { "" };
                Err(ConnectionError::ExternalKeys { profile: self.profile.name().to_owned(), then })
            }
            None if !self.profile.is_there() && self.machine.variable("AWS_PROFILE").is_some() => {
                Err(ConnectionError::NoProfile(self.profile.name().to_owned()))
            }
            None => Err(ConnectionError::NoKeys),
        }
    }
}

#[cfg(test)]
mod tests;
