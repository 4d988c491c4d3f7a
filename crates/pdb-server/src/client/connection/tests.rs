use super::super::profile::tests::Pretended;
use super::*;

const ARN: &str = "arn:aws:dynamodb:eu-west-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";
const CONFIG: &str = "
[default]
region = us-gov-west-1
[profile local]
endpoint_url = localhost:4566
[profile services]
services = s
region = ca-central-1
[services s]
dynamodb_streams =
  endpoint_url = http://localhost:8001
[profile sso]
sso_session = company
[profile ignoring]
endpoint_url = localhost:4566
ignore_configured_endpoint_urls = true
[profile mad]
region = x y
endpoint_url = nonsense
[profile role]
role_arn = arn:aws:iam::123456789012:role/reader
aws_access_key_id = AKID
aws_secret_access_key = secret
[profile keys]
aws_access_key_id = AKID
aws_secret_access_key = secret
";

fn pretended(variables: &'static str) -> Pretended {
    Pretended { variables, files: &[("/config", CONFIG)] }
}

fn options(endpoint: &str, region: Option<&str>, profile: Option<&str>) -> Connection {
    let endpoint = (!endpoint.is_empty()).then(|| parse_server(endpoint).unwrap());
    Connection {
        endpoint,
        region: region.map(str::to_owned),
        profile: profile.map(str::to_owned),
        ..Connection::default()
    }
}

/// Checks the endpoint of both services.
#[track_caller]
fn check_endpoints(endpoint: &str, variables: &'static str, expected: &str) {
    let (options, machine) = (options(endpoint, None, None), pretended(variables));
    let settings = Settings::new(&options, &machine).unwrap();
    let of = |service| match settings.endpoint(service, "eu-west-1") {
        Ok(endpoint) => endpoint.to_string().replacen("http://", "", 1),
        Err(error) => error.to_string(),
    };
    let (items, streams) = (of(Service::DynamoDb), of(Service::Streams));
    let both = if items == streams { items } else { format!("{items} {streams}") };
    assert_eq!(both, expected, "{endpoint} {variables}");
}

#[test]
fn the_endpoint_is_the_first_that_is_named() {
    check_endpoints("", "", "127.0.0.1:8000");
    check_endpoints("a:1", "PRETENDER_ENDPOINT=b:1 AWS_ENDPOINT_URL=http://c:1", "a:1");
    check_endpoints("", "PRETENDER_ENDPOINT=b:1 AWS_ENDPOINT_URL_DYNAMODB=http://c:1", "b:1");
    check_endpoints("", "AWS_ENDPOINT_URL_DYNAMODB=http://c:1 AWS_ENDPOINT_URL=http://d:1", "c:1 d:1");
    check_endpoints("", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS=c:1 AWS_ENDPOINT_URL=d:1", "d:1 c:1");
    check_endpoints("", "AWS_ENDPOINT_URL_DYNAMODB=c:1", "c:1");
    check_endpoints("", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS=c:1", "c:1");
    let profile = "AWS_CONFIG_FILE=/config AWS_PROFILE=local";
    check_endpoints("", profile, "localhost:4566");
    check_endpoints(
        "",
        "AWS_CONFIG_FILE=/config AWS_PROFILE=local AWS_ENDPOINT_URL_DYNAMODB=c:1",
        "c:1 localhost:4566",
    );
    check_endpoints("", "AWS_CONFIG_FILE=/config AWS_PROFILE=services", "localhost:8001");
    check_endpoints("", "AWS_CONFIG_FILE=/config AWS_PROFILE=services AWS_ENDPOINT_URL=d:1", "d:1");
    check_endpoints(
        "",
        "AWS_CONFIG_FILE=/config AWS_PROFILE=ignoring AWS_ENDPOINT_URL=d:1",
        "127.0.0.1:8000",
    );
    check_endpoints("", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true AWS_ENDPOINT_URL=d:1", "127.0.0.1:8000");
    check_endpoints("", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true PRETENDER_ENDPOINT=b:1", "b:1");
    let nonsense = "AWS_ENDPOINT_URL: `nonsense` is not the address of a server: expected a URL such as 127.0.0.1:8000, \
                    a host and a port such as 127.0.0.1:8000, or localhost";
    check_endpoints("", "AWS_ENDPOINT_URL=nonsense", &nonsense.replacen("such as ", "such as http://", 1));
}

#[test]
#[cfg(feature = "https")]
fn aws_is_named_and_never_guessed() {
    check_endpoints("", "AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b", "127.0.0.1:8000");
    let both = "https://dynamodb.eu-west-1.amazonaws.com https://streams.dynamodb.eu-west-1.amazonaws.com";
    check_endpoints("aws", "", both);
    check_endpoints("AWS", "AWS_ENDPOINT_URL=http://c:1", both);
    check_endpoints("", "PRETENDER_ENDPOINT=aws", both);
    check_endpoints("streams.dynamodb.eu-west-1.amazonaws.com", "", both);
    check_endpoints("", "AWS_ENDPOINT_URL_DYNAMODB=https://dynamodb.eu-west-1.amazonaws.com", both);
}

#[track_caller]
fn check_region(endpoint: &str, region: Option<&str>, target: &str, variables: &'static str, expected: &str) {
    let (options, machine) = (options(endpoint, region, None), pretended(variables));
    let found = Settings::new(&options, &machine).unwrap().region(&[target]);
    assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected);
}

#[test]
fn the_region_comes_from_where_it_is_best_known() {
    let (local, there) = ("localhost:8000", "http://dynamodb.sa-east-1.amazonaws.com");
    check_region(local, None, "Orders", "", "us-east-1");
    check_region(local, None, "Orders", "AWS_DEFAULT_REGION=us-west-2", "us-west-2");
    check_region(local, None, "Orders", "AWS_REGION=us-west-1 AWS_DEFAULT_REGION=us-west-2", "us-west-1");
    check_region(local, None, ARN, "AWS_REGION=us-west-1", "eu-west-1");
    check_region(local, None, "arn:aws", "", "us-east-1");
    check_region(local, None, "arn:aws:dynamodb::0:table/Orders", "", "us-east-1");
    check_region(there, None, ARN, "AWS_REGION=us-west-1", "sa-east-1");
    check_region(there, Some("ap-south-1"), ARN, "AWS_REGION=us-west-1", "ap-south-1");
    check_region("aws", None, "Orders", "AWS_REGION=us-west-1", "us-west-1");
    check_region(local, None, "Orders", "AWS_CONFIG_FILE=/config", "us-gov-west-1");
    check_region(local, None, "Orders", "AWS_CONFIG_FILE=/config AWS_PROFILE=services", "ca-central-1");
    let text = "AWS_REGION: `eu_west_1` is not a region: expected a name such as us-east-1";
    check_region(local, None, "Orders", "AWS_REGION=eu_west_1", text);
    let text = "profile: `x y` is not a region: expected a name such as us-east-1";
    check_region(local, None, "Orders", "AWS_CONFIG_FILE=/config AWS_PROFILE=mad", text);
}

/// Checks the access key that requests are signed with, or the error if there is none.
#[track_caller]
fn check_keys(for_aws: bool, profile: Option<&str>, variables: &'static str, expected: &str) {
    let (options, machine) = (options("", None, profile), pretended(variables));
    let found = Settings::new(&options, &machine).and_then(|settings| settings.credentials(for_aws));
    let shown = found.map_or_else(|error| error.to_string(), |credentials| credentials.access_key);
    assert!(shown.starts_with(expected), "{shown}");
}

#[test]
fn keys_are_made_up_for_all_but_aws() {
    let both = "AWS_CONFIG_FILE=/config AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b";
    check_keys(true, None, both, "a");
    check_keys(true, Some("keys"), both, "AKID");
    let named = "the keys of the profile `sso` are not in AWS's configuration files: put them into the environment with \
                 `eval \"$(aws configure export-credentials --profile sso --format env)\"`, and leave out --profile";
    check_keys(true, Some("sso"), both, named);
    check_keys(false, Some("sso"), both, "pretender");
    check_keys(
        true,
        Some("role"),
        both,
        "the keys of the profile `role` are not in AWS's configuration files",
    );
    check_keys(
        true,
        None,
        "AWS_CONFIG_FILE=/config AWS_PROFILE=role",
        "the keys of the profile `role` are not",
    );
    check_keys(true, Some("local"), both, "a");
    check_keys(true, None, "AWS_CONFIG_FILE=/config AWS_PROFILE=keys", "AKID");
    check_keys(false, None, "AWS_ACCESS_KEY_ID=half", "pretender");
    check_keys(true, None, "AWS_ACCESS_KEY_ID=half", "no keys for AWS: set AWS_ACCESS_KEY_ID");
    check_keys(false, None, "AWS_CONFIG_FILE=/config AWS_PROFILE=sso", "pretender");
    let elsewhere = "the keys of the profile `sso` are not in AWS's configuration files: put them into the environment with \
                     `eval \"$(aws configure export-credentials --profile sso --format env)\"`";
    check_keys(true, None, "AWS_CONFIG_FILE=/config AWS_PROFILE=sso", elsewhere);
    check_keys(false, None, "AWS_PROFILE=missing", "pretender");
    check_keys(true, None, "AWS_PROFILE=missing", "there is no profile `missing`");
    check_keys(false, Some("missing"), "", "there is no profile `missing`");
}

#[test]
fn regions_are_plain_names() {
    for region in ["us-east-1", "us-gov-west-1", "local", "LOCAL-env"] {
        assert_eq!(parse_region(region).as_deref(), Ok(region));
    }
    for text in
        ["", "-", "1", "us east", "eu_west_1", "us-east-1a/", "ü", "a234567890123456789012345678901234"]
    {
        assert_eq!(parse_region(text), Err(NotARegion), "{text}");
    }
}
