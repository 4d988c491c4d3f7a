//! `cargo xtask dist`: builds everything that users install, into `target/dist`.

mod deb;
pub(crate) mod go;
pub(crate) mod image;
mod installed;
pub(crate) mod java;
pub(crate) mod npm;
mod sums;
mod tarball;
mod tree;
pub(crate) mod wheel;
mod zip;

use std::path::PathBuf;

use crate::{Outcome, run, workspace};

/// What to build, and around which binary.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build only these artefacts; without names, all
    #[arg(value_name = "ARTEFACT")]
    only: Vec<String>,
    /// Put this binary into the artefacts, instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Build the binary without optimisation, which is quick: for tests of the packages
    #[arg(long, conflicts_with = "binary")]
    debug: bool,
}

impl Options {
    /// Returns the options for artefacts that are built to be tested.
    pub(crate) fn for_tests() -> Self {
        Self { only: Vec::new(), binary: None, debug: true }
    }
}

/// One kind of artefact.
pub(crate) struct Artefact {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// Builds it, and returns the files it has written to [`Parts::folder`].
    pub(crate) build: fn(&Parts) -> Outcome<Vec<PathBuf>>,
}

/// What artefacts are made of.
pub(crate) struct Parts {
    /// The `pretender` binary, without debugging information.
    pub(crate) binary: PathBuf,
    /// The folder for artefacts.
    pub(crate) folder: PathBuf,
    /// The version of the workspace.
    pub(crate) version: &'static str,
}

/// All artefacts, in the order in which they are built.
const ARTEFACTS: &[Artefact] = &[
    Artefact { name: "tarball", build: tarball::build },
    Artefact { name: "deb", build: deb::build },
    Artefact { name: "image", build: image::build },
    Artefact { name: "go", build: go::build },
    Artefact { name: "java", build: java::build },
    Artefact { name: "npm", build: npm::build },
    Artefact { name: "wheel", build: wheel::build },
];

/// Builds the artefacts.
pub(crate) fn run(options: &Options) -> Outcome {
    if let Some(name) = options.only.iter().find(|name| !ARTEFACTS.iter().any(|known| known.name == **name)) {
        let names: Vec<_> = ARTEFACTS.iter().map(|known| known.name).collect();
        return Err(format!("there is no artefact `{name}`, but {}", names.join(", ")));
    }
    let parts = Parts::prepare(options)?;
    let mut built = Vec::new();
    for artefact in ARTEFACTS {
        if options.only.is_empty() || options.only.iter().any(|name| name == artefact.name) {
            for file in (artefact.build)(&parts)? {
                println!("{:<8} {}", artefact.name, workspace::shown(&file));
                built.push(file);
            }
        }
    }
    sums::update(&parts.folder, &built)
}

impl Parts {
    /// Builds the binary if necessary, and copies it without debugging information.
    fn prepare(options: &Options) -> Outcome<Self> {
        let built = match &options.binary {
            Some(binary) => binary.clone(),
            None => build_binary(options.debug)?,
        };
        let folder = workspace::target().join("dist");
        let staged = folder.join("bin");
        std::fs::create_dir_all(&staged)
            .map_err(|error| format!("cannot create the folder of artefacts: {error}"))?;
        let binary = staged.join(built.file_name().unwrap_or("pretender".as_ref()));
        run::run(run::program("strip").arg("-o").arg(&binary).arg(&built))?;
        Ok(Self { binary, folder, version: env!("CARGO_PKG_VERSION") })
    }
}

/// Builds the server and returns its path.
fn build_binary(debug: bool) -> Outcome<PathBuf> {
    let mut command = run::cargo();
    command.args(["build", "--package", "pdb-server", "--bin", "pretender"]);
    if !debug {
        command.arg("--release");
    }
    run::run(&mut command)?;
    let profile = if debug { "debug" } else { "release" };
    Ok(workspace::target().join(profile).join("pretender"))
}

/// Returns a checksum as text.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
