//! The npm packages.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Place, copy};
use crate::dist::npm::{main_package, platform_name, platform_package};
use crate::{Outcome, run, workspace};

/// The folders with projects that use the package.
const PROJECTS: [&str; 3] = ["test", "example", "example-jest"];

/// Installs the packages in a project that contains copies of the tests and of the examples, and runs these.
pub(super) fn test(place: &Place) -> Outcome {
    if !main_package(&place.dist).exists() || !platform_package(&place.dist).exists() {
        return Err("there are no npm packages: run `cargo xtask dist npm`".to_owned());
    }
    for name in PROJECTS {
        copy(&place.package.join(name), &place.scratch.join(name))?;
    }
    // The projects ask for any version of the package, and find the one of the folder above.
    let manifest = json!({
        "name": "languages",
        "private": true,
        "workspaces": PROJECTS,
        "dependencies": {
            "@pretender/dynamodb": file(main_package(&place.dist)),
            format!("@pretender/{}", platform_name()): file(platform_package(&place.dist)),
        },
    });
    write(&place.scratch.join("package.json"), &format!("{manifest:#}\n"))?;
    // Nothing with the names of this project may come from elsewhere: the packages of other platforms are left out.
    write(&place.scratch.join(".npmrc"), "@pretender:registry=http://127.0.0.1:9/\n")?;
    install(&place.scratch).or_else(|_| install(&place.scratch))?;
    for name in PROJECTS {
        let mut command = run::program("npm");
        command.current_dir(place.scratch.join(name)).args(["test", "--silent"]);
        // The installed program is to be tested, with nothing of the user's.
        for name in ["PRETENDER_BIN", "PRETENDER_ENDPOINT"] {
            command.env_remove(name);
        }
        run::run(&mut command)?;
    }
    Ok(())
}

fn install(folder: &Path) -> Outcome {
    let arguments = [
        "install",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--loglevel=error",
        "--prefer-offline",
        "--fetch-retries=0",
    ];
    run::run(run::program("npm").current_dir(folder).args(arguments))
}

fn file(path: PathBuf) -> String {
    format!("file:{}", path.display())
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", workspace::shown(path)))
}
