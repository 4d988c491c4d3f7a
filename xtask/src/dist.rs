//! `cargo xtask dist`: builds everything that users install, into `target/dist`, or what tests install, into `target/dist-debug`.

pub(crate) mod deb;
pub(crate) mod go;
pub(crate) mod image;
mod installed;
pub(crate) mod java;
mod notices;
pub(crate) mod npm;
mod sums;
pub(crate) mod tarball;
mod tree;
pub(crate) mod wheel;
mod zip;

use std::path::{Path, PathBuf};

use crate::languages::Tool;
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
    /// Build the binary without optimisation, which is quick, into `target/dist-debug`: for tests of the packages
    #[arg(long, conflicts_with = "binary")]
    debug: bool,
    /// Fail if a tool of an artefact is not installed, instead of skipping the artefact
    #[arg(long)]
    all: bool,
}

impl Options {
    /// Returns the options for artefacts that are built to be tested, in the continuous integration.
    pub(crate) fn in_ci() -> Self {
        Self { only: Vec::new(), binary: None, debug: true, all: true }
    }
}

/// One kind of artefact.
pub(crate) struct Artefact {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// The programs that must be installed.
    tools: &'static [Tool],
    /// Builds it, and returns the files it has written to [`Parts::folder`].
    pub(crate) build: fn(&Parts) -> Outcome<Vec<PathBuf>>,
}

/// What artefacts are made of.
pub(crate) struct Parts {
    /// The `pretender` binary, without debugging information.
    pub(crate) binary: PathBuf,
    /// The licences of the crates in the binary.
    pub(crate) notices: PathBuf,
    /// The folder for artefacts.
    pub(crate) folder: PathBuf,
    /// The version of the workspace.
    pub(crate) version: &'static str,
}

/// All artefacts, in the order in which they are built.
const ARTEFACTS: &[Artefact] = &[
    Artefact { name: "tarball", tools: &[], build: tarball::build },
    Artefact { name: "deb", tools: &[], build: deb::build },
    Artefact { name: "image", tools: &[], build: image::build },
    Artefact { name: "go", tools: &[], build: go::build },
    Artefact {
        name: "java",
        tools: &[Tool("javac", &["-version"]), Tool("mvn", &["--version"])],
        build: java::build,
    },
    Artefact { name: "npm", tools: &[Tool("npm", &["--version"])], build: npm::build },
    Artefact {
        name: "wheel",
        tools: &[Tool("python3", &["-c", "import venv, ensurepip"])],
        build: wheel::build,
    },
];

/// Builds the artefacts.
pub(crate) fn run(options: &Options) -> Outcome {
    if let Some(name) = options.only.iter().find(|name| !ARTEFACTS.iter().any(|known| known.name == **name)) {
        let names: Vec<_> = ARTEFACTS.iter().map(|known| known.name).collect();
        return Err(format!("there is no artefact `{name}`, but {}", names.join(", ")));
    }
    let is_wanted = |artefact: &&Artefact| {
        options.only.is_empty() || options.only.iter().any(|name| name == artefact.name)
    };
    let mut ready = Vec::new();
    for artefact in ARTEFACTS.iter().filter(is_wanted) {
        match Tool::missing(artefact.tools) {
            None => ready.push(artefact),
            Some(tool) if options.all => {
                return Err(format!("{}: {tool} is not installed", artefact.name));
            }
            Some(tool) => println!("{:<8} skipped: {tool} is not installed", artefact.name),
        }
    }
    let parts = Parts::prepare(options)?;
    let mut built = Vec::new();
    for artefact in ready {
        for file in (artefact.build)(&parts)? {
            println!("{:<8} {}", artefact.name, workspace::shown(&file));
            built.push(file);
        }
    }
    sums::update(&parts, &built, options.only.is_empty())
}

/// Returns the folder of artefacts. What is built for tests lies apart, because it has the names of a release.
pub(crate) fn folder(debug: bool) -> PathBuf {
    workspace::target().join(if debug { "dist-debug" } else { "dist" })
}

impl Parts {
    /// Builds the binary if necessary, and copies it without debugging information.
    fn prepare(options: &Options) -> Outcome<Self> {
        let built = match &options.binary {
            Some(binary) => binary.clone(),
            None => build_binary(options.debug)?,
        };
        let folder = folder(options.debug);
        let staged = folder.join("bin");
        std::fs::create_dir_all(&staged)
            .map_err(|error| format!("cannot create the folder of artefacts: {error}"))?;
        let binary = staged.join(format!("pretender{}", std::env::consts::EXE_SUFFIX));
        run::run(run::program("strip").arg("-o").arg(&binary).arg(&built))?;
        let notices = notices::write(&folder)?;
        Ok(Self { binary, notices, folder, version: env!("CARGO_PKG_VERSION") })
    }
}

/// Builds the server and returns its path.
fn build_binary(debug: bool) -> Outcome<PathBuf> {
    let mut command = run::cargo();
    command.args(["build", "--package", "pdb-server", "--bin", "pretender"]);
    if !debug {
        command.arg("--release");
    }
    if debug {
        run::run(&mut command)?;
        return Ok(workspace::target().join("debug/pretender"));
    }
    // Messages of panics contain paths of sources, and these would name the home folder of who builds the release.
    // Flags of the environment would be replaced, so they are repeated here.
    let given = |name| std::env::var_os(name).map(|flags| flags.to_string_lossy().into_owned());
    let plain = || given("RUSTFLAGS").map(|flags| flags.split_whitespace().collect::<Vec<_>>().join("\x1f"));
    let mut flags = given("CARGO_ENCODED_RUSTFLAGS").or_else(plain).unwrap_or_default();
    for (folder, name) in named_folders()? {
        if !flags.is_empty() {
            flags.push('\x1f');
        }
        flags.push_str(&format!("--remap-path-prefix={}={name}", folder.display()));
    }
    run::run(command.env("CARGO_ENCODED_RUSTFLAGS", flags))?;
    let binary = workspace::target().join("release/pretender");
    check_paths(&binary)?;
    Ok(binary)
}

/// Returns the folders of sources, and what they are called in a release.
fn named_folders() -> Outcome<[(PathBuf, &'static str); 3]> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let toolchain = run::output(run::program(compiler).args(["--print", "sysroot"]))?;
    let home = std::env::home_dir().ok_or("there is no home folder")?;
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    Ok([
        (PathBuf::from(toolchain.trim()), "/rust"),
        (cargo, "/cargo"),
        (workspace::root().to_owned(), "/pretender"),
    ])
}

/// Checks that a release names neither the home folder nor the workspace of who builds it.
fn check_paths(binary: &Path) -> Outcome {
    let program = installed::read(binary)?;
    let home = std::env::home_dir().filter(|home| home.parent().is_some());
    for folder in home.iter().map(PathBuf::as_path).chain([workspace::root()]) {
        let path = format!("{}/", folder.display());
        if let Some(at) = position(&program, path.as_bytes()) {
            let text = program[at..].split(|byte| !byte.is_ascii_graphic()).next().unwrap_or_default();
            let text = String::from_utf8_lossy(&text[..text.len().min(200)]);
            return Err(format!("the program names a folder of this machine: {text}"));
        }
    }
    Ok(())
}

/// Returns where a text begins.
fn position(content: &[u8], text: &[u8]) -> Option<usize> {
    content.windows(text.len()).position(|window| window == text)
}

/// Returns a checksum as text.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
