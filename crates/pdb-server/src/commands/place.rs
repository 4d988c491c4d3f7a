//! Where the streams are, and who asks for them.

use clap::Args;

use crate::endpoint::{Endpoint, NotAnEndpoint};
use crate::remote::RemoteStreams;
use crate::sign::Credentials;

/// The region of requests that nothing gives one: as `pretender serve` has it.
const DEFAULT_REGION: &str = "us-east-1";
/// The word for AWS itself instead of an endpoint.
const AWS: &str = "aws";

/// Where to read.
#[derive(Args, Debug)]
pub(super) struct Place {
    /// Endpoint of the Streams API, or "aws" for AWS's own
    #[arg(
        long,
        env = "PRETENDER_ENDPOINT",
        default_value = "http://127.0.0.1:8000",
        value_name = "URL",
        value_parser = parse_server
    )]
    endpoint: Server,

    /// Region of the requests; unless given that of the endpoint, of an ARN, AWS_REGION or us-east-1
    #[arg(long)]
    region: Option<String>,
}

/// A server, or AWS in a region that is not known yet.
#[derive(Clone, Debug)]
pub(super) enum Server {
    At(Endpoint),
    Aws,
}

pub(super) fn parse_server(text: &str) -> Result<Server, NotAnEndpoint> {
    if text == AWS {
        return Ok(Server::Aws);
    }
    let endpoint: Endpoint = text.parse()?;
    // AWS has the two APIs on two hosts; whoever names the other one means this one.
    let host = endpoint.host();
    if endpoint.region().is_some() && host.starts_with("dynamodb.") {
        return endpoint.to_string().replacen(host, &format!("streams.{host}"), 1).parse().map(Server::At);
    }
    Ok(Server::At(endpoint))
}

impl Place {
    /// Returns a place that no arguments of its own name.
    pub(super) fn at(server: Server, region: Option<String>) -> Self {
        Self { endpoint: server, region }
    }

    /// Returns what to read from, for these tables and ARNs.
    pub(super) fn streams(&self, targets: &[String]) -> Result<RemoteStreams, NotAnEndpoint> {
        let region = self.region(targets, variable);
        let endpoint = match &self.endpoint {
            Server::At(endpoint) => endpoint.clone(),
            Server::Aws => Endpoint::aws(&region)?,
        };
        Ok(RemoteStreams::new(endpoint, region, credentials(variable)))
    }

    fn region(&self, targets: &[String], variable: impl Fn(&str) -> Option<String>) -> String {
        let of_endpoint = match &self.endpoint {
            Server::At(endpoint) => endpoint.region().map(str::to_owned),
            Server::Aws => None,
        };
        let of_arn = || {
            let arn = targets.iter().find(|target| target.starts_with("arn:"))?;
            arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
        };
        self.region
            .clone()
            .or(of_endpoint)
            .or_else(of_arn)
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| DEFAULT_REGION.to_owned())
    }
}

fn credentials(variable: impl Fn(&str) -> Option<String>) -> Credentials {
    let keys = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
    let session_token = keys.is_some().then(|| variable("AWS_SESSION_TOKEN")).flatten();
    let (access_key, secret_key) = keys.unwrap_or_else(|| ("pretender".to_owned(), "pretender".to_owned()));
    Credentials { access_key, secret_key, session_token }
}

/// Returns a variable of the environment that is there and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "secrets cannot be options, which everybody on the machine sees"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:dynamodb:eu-west-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";

    fn check_region(endpoint: &str, region: Option<&str>, target: &str, environment: &str, expected: &str) {
        let place = Place { endpoint: parse_server(endpoint).unwrap(), region: region.map(str::to_owned) };
        let variable = |name: &str| {
            let pair = environment.split(' ').find_map(|pair| pair.split_once('='));
            pair.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        assert_eq!(place.region(&[target.to_owned()], variable), expected);
    }

    #[test]
    fn the_region_comes_from_where_it_is_best_known() {
        let (local, there) = ("http://localhost:8000", "http://dynamodb.sa-east-1.amazonaws.com");
        check_region(local, None, "Orders", "", "us-east-1");
        check_region(local, None, "Orders", "AWS_DEFAULT_REGION=us-west-2", "us-west-2");
        check_region(local, None, "Orders", "AWS_REGION=us-west-1", "us-west-1");
        check_region(local, None, ARN, "AWS_REGION=us-west-1", "eu-west-1");
        check_region(there, None, ARN, "AWS_REGION=us-west-1", "sa-east-1");
        check_region(there, Some("ap-south-1"), ARN, "AWS_REGION=us-west-1", "ap-south-1");
        check_region("aws", None, "Orders", "AWS_REGION=us-west-1", "us-west-1");
    }

    #[test]
    fn the_other_host_of_aws_means_the_streams() {
        let Server::At(endpoint) = parse_server("http://dynamodb.eu-west-1.amazonaws.com/").unwrap() else {
            panic!("not an endpoint")
        };
        assert_eq!(endpoint.to_string(), "http://streams.dynamodb.eu-west-1.amazonaws.com");
    }

    #[test]
    fn credentials_are_whole_or_made_up() {
        let some = credentials(|name| Some(format!("of {name}")));
        assert_eq!(
            (&*some.access_key, &*some.secret_key),
            ("of AWS_ACCESS_KEY_ID", "of AWS_SECRET_ACCESS_KEY")
        );
        assert_eq!(some.session_token.as_deref(), Some("of AWS_SESSION_TOKEN"));
        let half = credentials(|name| (name != "AWS_SECRET_ACCESS_KEY").then(|| "x".to_owned()));
        assert_eq!((&*half.access_key, half.session_token), ("pretender", None));
    }
}
