//! The environment in which the snippets of a document run.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::{Outcome, run, workspace};

/// How long the snippets of one document may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// The ports on which servers and functions of the documents listen.
const PORTS: [u16; 2] = [8000, 9000];

/// The environment of all documents.
pub(super) struct Session {
    /// The folder with all files that are created for documents, and by them.
    folder: PathBuf,
}

impl Session {
    /// Builds and installs the programs that the snippets use.
    pub(super) fn prepare(python_packages: &[&str]) -> Outcome<Self> {
        super::build()?;
        let session = Self { folder: workspace::target().join("documents") };
        let python = session.folder.join("python");
        if !python.join("bin/aws").exists() {
            run::run(run::program("python3").args(["-m", "venv"]).arg(&python))?;
            let install = ["install", "--quiet", "--disable-pip-version-check"];
            let install =
                || run::run(run::program(python.join("bin/pip")).args(install).args(python_packages));
            // A download may fail for a moment.
            install().or_else(|_| install())?;
        }
        for port in PORTS {
            if std::net::TcpListener::bind(("127.0.0.1", port)).is_err() {
                return Err(format!("port {port}, which the documents use, is in use"));
            }
        }
        Ok(session)
    }

    /// Runs the snippets of one document.
    pub(super) fn run(&self, document: &str, script: &str, verbose: bool) -> Outcome {
        let name = document.replace(['/', '.'], "-");
        let folder = self.folder.join("runs").join(&name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        std::fs::create_dir_all(folder.join("home"))
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let output = folder.join("output.txt");
        let script_file = folder.join("script.sh");
        let log = File::create(&output).map_err(|error| error.to_string())?;
        std::fs::write(&script_file, script).map_err(|error| error.to_string())?;

        let mut command = self.shell(&folder);
        command.arg(&script_file);
        command.stdin(Stdio::null()).stderr(log.try_clone().map_err(|error| error.to_string())?).stdout(log);
        let ended = wait(&mut command);
        let output = std::fs::read_to_string(&output).unwrap_or_default();
        if verbose || ended.is_err() {
            eprintln!("{output}");
        }
        ended.map_err(|reason| {
            let place = output.lines().rev().find_map(|line| line.strip_prefix("::: "));
            format!("{reason}, at {}", place.unwrap_or("the beginning"))
        })
    }

    /// Returns a shell that does not see the user's AWS settings.
    fn shell(&self, folder: &std::path::Path) -> Command {
        let mut command = Command::new("bash");
        let known = std::env::var_os("PATH").unwrap_or_default();
        let known = known.to_string_lossy();
        let launchers = workspace::root().join("packages/dynamodb-local");
        let program = workspace::target().join("debug");
        let python = self.folder.join("python/bin");
        let path = format!("{}:{}:{}:{known}", program.display(), python.display(), launchers.display());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AWS_") || name.starts_with("PRETENDER_")) {
                command.env_remove(name);
            }
        }
        command
            .current_dir(folder)
            .env("PATH", path)
            .env("HOME", folder.join("home"))
            .env("PARTS", folder.join("parts"))
            // Without the user's home, `cargo` and its toolchain are found by these.
            .envs(tool_chain())
            .envs([
                ("AWS_EC2_METADATA_DISABLED", "true"),
                ("NO_PROXY", "127.0.0.1"),
                ("no_proxy", "127.0.0.1"),
            ])
            .env("AWS_MAX_ATTEMPTS", "10")
            // A process group, so that all its programs can be killed if they take too long.
            .process_group(0);
        command
    }
}

/// Returns the folders of cargo and rustup, which are in the user's home if the environment does not set them.
fn tool_chain() -> Vec<(&'static str, PathBuf)> {
    let Some(home) = std::env::home_dir() else { return Vec::new() };
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
        .into_iter()
        .filter(|(name, _)| std::env::var_os(name).is_none())
        .map(|(name, folder)| (name, home.join(folder)))
        .collect()
}

fn wait(command: &mut Command) -> Outcome {
    let mut child = command.spawn().map_err(|error| format!("bash could not be started: {error}"))?;
    let group = format!("-{}", child.id());
    let (ended, end) = mpsc::channel();
    let waiter = std::thread::spawn(move || ended.send(child.wait()));
    let status = end.recv_timeout(TIMEOUT);
    // Kill the rest of the group: programs that a snippet started in the background, and that did not end in time.
    run::works("kill", &["-KILL", "--", &group]);
    // This thread ends with the shell.
    let _ = waiter.join();
    match status {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("ended with {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("did not end in {} s", TIMEOUT.as_secs())),
    }
}
