//! Running other programs. Each is printed first and inherits the terminal, and its failure is a failure of the command.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::{Outcome, workspace};

/// Returns a command that runs at the root of the workspace.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(workspace::root());
    command
}

/// Returns a command for the same cargo that runs this program.
pub(crate) fn cargo() -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo sets variables for the programs it runs, which would confuse another cargo.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "RUST_RECURSION_COUNT"] {
        command.env_remove(name);
    }
    command
}

/// Returns a command for the cargo of another toolchain, which rustup finds.
pub(crate) fn cargo_of(toolchain: &str) -> Command {
    let mut command = program("rustup");
    command.args(["run", toolchain, "cargo"]);
    // What this cargo has set is for this program. The other one would take this toolchain for its own, and build again what looks at the
    // names and versions of packages.
    let is_of_cargo = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_cargo)) {
        command.env_remove(name);
    }
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUST_RECURSION_COUNT", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command
}

/// Prints and runs `command`.
///
/// # Errors
///
/// If it cannot be started or does not exit with 0.
pub(crate) fn run(command: &mut Command) -> Outcome {
    eprintln!("$ {}", text_of(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", text_of(command))),
        Err(error) => Err(format!("`{}` could not be started: {error}", text_of(command))),
    }
}

/// Runs `command` and returns its standard output. Its standard error goes to the terminal.
///
/// # Errors
///
/// The errors of [`run`], and an output that is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{}` could not be started: {error}", text_of(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` ended with {}", text_of(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("the output of `{}` is not UTF-8", text_of(command)))
}

/// Returns whether `name` succeeds with `arguments`. Nothing is printed.
pub(crate) fn works(name: &str, arguments: &[&str]) -> bool {
    program(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn text_of(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut text = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
