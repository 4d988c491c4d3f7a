//! The suite on the command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use streams_suite::{
    CHECKLIST, Case, Client, Control, Counts, Credentials, Field, Server, cases, line, summary,
};

/// Runs black-box scenarios of DynamoDB Streams against any endpoint.
#[derive(Debug, Parser)]
struct Cli {
    /// Address of the endpoint, or `aws` for the real service in the region. Without it, --server is started.
    #[arg(long)]
    endpoint: Option<String>,
    /// Address of the Streams API, where it differs from --endpoint.
    #[arg(long)]
    streams_endpoint: Option<String>,
    /// Address of the control interface; cases that need it are skipped without.
    #[arg(long)]
    control: Option<String>,
    /// Program of the server: started with an empty database if no endpoint is given, and by the cases that restart it.
    #[arg(long)]
    server: Option<PathBuf>,
    /// A further argument for the server that is started in place of an endpoint; may be repeated.
    #[arg(long, allow_hyphen_values = true)]
    server_arg: Vec<String>,
    /// Region of the signatures.
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    region: String,
    /// A second region, for the cases about global tables.
    #[arg(long)]
    replica_region: Option<String>,
    /// Runs only cases whose `group/name` contains this; may be repeated.
    #[arg(long)]
    filter: Vec<String>,
    /// Writes the results here as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// How many cases run at the same time.
    #[arg(long, default_value_t = 8)]
    jobs: usize,
    /// How many seconds to wait for anything: by default 10 for a server on this machine, 180 for others.
    #[arg(long)]
    deadline: Option<u64>,
    /// Leaves the tables where they are.
    #[arg(long)]
    keep_tables: bool,
    /// Prints failed and skipped cases only.
    #[arg(long)]
    quiet: bool,
    /// Lists the cases and the checklist, and runs nothing.
    #[arg(long)]
    list: bool,
    /// Deletes all tables that earlier runs have left, and runs nothing.
    #[arg(long)]
    clean: bool,
    /// Access key of the signatures; emulators take any.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", hide_env_values = true)]
    access_key: Option<String>,
    /// Secret key of the signatures.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    secret_key: Option<String>,
    /// Session token of temporary credentials.
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    session_token: Option<String>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = if cli.list {
        list(&picked(&cli));
        Ok(true)
    } else {
        go(&cli)
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn go(cli: &Cli) -> Result<bool, String> {
    let mut server = None;
    let endpoint = match (&cli.endpoint, &cli.server) {
        (Some(endpoint), _) if endpoint == "aws" => format!("https://dynamodb.{}.amazonaws.com", cli.region),
        (Some(endpoint), _) => endpoint.clone(),
        (None, Some(program)) => {
            let arguments: Vec<&str> = cli.server_arg.iter().map(String::as_str).collect();
            let started = Server::start(program, ":memory:", &arguments).map_err(|stop| stop.to_string())?;
            server.insert(started).endpoint().to_owned()
        }
        (None, None) => return Err("where is the server? (--endpoint, or --server to start one)".into()),
    };
    let streams_endpoint = match (&cli.streams_endpoint, cli.endpoint.as_deref()) {
        (Some(endpoint), _) => endpoint.clone(),
        (None, Some("aws")) => format!("https://streams.dynamodb.{}.amazonaws.com", cli.region),
        (None, _) => endpoint.clone(),
    };
    if endpoint.starts_with("https://") && cfg!(not(feature = "https")) {
        return Err("this build has no TLS; build it with --features https".into());
    }
    let credentials = match (&cli.access_key, &cli.secret_key) {
        (Some(access_key), Some(secret_key)) => Credentials {
            access_key: access_key.clone(),
            secret_key: secret_key.clone(),
            session_token: cli.session_token.clone(),
        },
        _ => Credentials::dummy(),
    };
    let client = Client::new(&endpoint, &streams_endpoint, &cli.region, credentials);
    let mut field = Field::new(client);
    let local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| endpoint.contains(host));
    if !local {
        field.deadline = Duration::from_secs(180);
        field.settle = Duration::from_secs(3);
    }
    if let Some(deadline) = cli.deadline {
        field.deadline = Duration::from_secs(deadline);
    }
    let control = cli.control.as_deref().or(server.as_ref().map(Server::endpoint));
    field.control = control.map(Control::new);
    field.server = cli.server.clone();
    field.replica_region = cli.replica_region.clone();
    field.keep_tables = cli.keep_tables;
    if cli.clean {
        let gone = field.delete_leftovers().map_err(|stop| stop.to_string())?;
        println!("{gone} tables deleted");
        return Ok(true);
    }
    let cases = picked(cli);
    let results = streams_suite::run(&field, &cases, cli.jobs, &|result| {
        if !cli.quiet || result.verdict != streams_suite::Verdict::Passed {
            println!("{}", line(result));
        }
    });
    println!("{}", summary(&results));
    if let Some(path) = &cli.json {
        let text = format!("{:#}\n", streams_suite::to_json(&endpoint, &results));
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(Counts::of(&results).failed == 0)
}

fn picked(cli: &Cli) -> Vec<Case> {
    let wanted =
        |case: &Case| cli.filter.is_empty() || cli.filter.iter().any(|part| case.path().contains(part));
    cases::all().into_iter().filter(wanted).collect()
}

fn list(cases: &[Case]) {
    for case in cases {
        let inferred = if case.inferred { ", inferred" } else { "" };
        println!("{:<76} {:?}, needs {}{inferred}", case.path(), case.checklist, case.needs);
    }
    println!("\n{} cases, by line of the checklist:", cases.len());
    for (line, demand) in CHECKLIST {
        let count = cases.iter().filter(|case| case.checklist.contains(line)).count();
        println!("{line:>3} {count:>4}  {demand}");
    }
}
