//! `cargo xtask tidy`: the house rules that the compiler does not check.
//!
//! Each check has one subject and returns its complaints, one line each. All checks run before the command fails.

mod citations;
mod engines;
mod imports;
mod layers;
mod manifests;
mod migrations;
mod modules;
mod text;

use crate::{Outcome, workspace};

/// The complaints of a check, one line each.
type Complaints = Vec<String>;

/// Runs all checks.
pub(crate) fn run() -> Outcome {
    let packages = workspace::packages()?;
    let mut complaints = citations::check(&packages)?;
    complaints.extend(layers::check(&packages));
    complaints.extend(engines::check(&packages)?);
    complaints.extend(imports::check(&packages)?);
    complaints.extend(manifests::check(&packages)?);
    complaints.extend(migrations::check()?);
    complaints.extend(modules::check(&packages)?);
    complaints.extend(text::check(&packages)?);
    for complaint in &complaints {
        eprintln!("tidy: {complaint}");
    }
    match complaints.len() {
        0 => Ok(()),
        1 => Err("tidy has one complaint".to_owned()),
        n => Err(format!("tidy has {n} complaints")),
    }
}
