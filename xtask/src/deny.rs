//! Licences, bans and sources of dependencies, as `deny.toml` allows them, checked by cargo-deny. The check itself does not use the
//! network; what is missing for it is fetched before.

use crate::{Outcome, run};

/// Checks the dependencies. Where cargo-deny is not installed, says so; where `CI` is set, that is a failure.
pub(crate) fn check() -> Outcome {
    if !run::works("cargo-deny", &["--version"]) {
        let missing = "cargo-deny is not installed (`cargo install cargo-deny --locked`)";
        if std::env::var_os("CI").is_some() {
            return Err(missing.to_owned());
        }
        eprintln!("SKIPPED: licences, bans and sources of dependencies: {missing}");
        return Ok(());
    }
    // It looks at what other systems need, too, and a build here has not fetched that.
    run::run(run::cargo().args(["fetch", "--locked", "--quiet"]))?;
    run::run(run::program("cargo-deny").args(["--offline", "check", "bans", "licenses", "sources"]))
}
