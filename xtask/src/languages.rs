//! `cargo xtask languages`: installs the package of each language in a fresh environment, and runs its sample project with it. The packages for
//! systems and containers are tested in the same way.

mod container;
mod go;
mod java;
mod linux;
mod npm;
mod python;

use std::env::consts::OS;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::{Outcome, dist, run, workspace};

/// Which packages to test.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Test only the packages of these languages; without names, all
    #[arg(value_name = "LANGUAGE")]
    only: Vec<String>,
    /// Fail if a tool of a language is not installed, instead of skipping the language
    #[arg(long)]
    all: bool,
    /// Test the artefacts of `cargo xtask dist --debug`
    #[arg(long)]
    debug: bool,
}

impl Options {
    /// Returns the options for the continuous integration, in which nothing is skipped.
    pub(crate) fn in_ci() -> Self {
        Self { only: Vec::new(), all: true, debug: true }
    }
}

/// The package of one language.
pub(crate) struct Language {
    /// The name on the command line, which is also the folder in `packages`.
    pub(crate) name: &'static str,
    /// The programs that must be installed.
    pub(crate) tools: &'static [Tool],
    /// Installs the artefacts of `cargo xtask dist` and runs the tests.
    pub(crate) test: fn(&Place) -> Outcome,
}

/// A program, and arguments with which it succeeds if it is there.
pub(crate) struct Tool(pub(crate) &'static str, pub(crate) &'static [&'static str]);

impl Tool {
    /// Returns the name of the first one that is not installed.
    pub(crate) fn missing(tools: &[Self]) -> Option<&'static str> {
        tools.iter().find(|Self(tool, arguments)| !run::works(tool, arguments)).map(|Self(tool, _)| *tool)
    }
}

/// The folders of one test.
pub(crate) struct Place {
    /// The package's folder in the workspace.
    pub(crate) package: PathBuf,
    /// The folder of the artefacts.
    pub(crate) dist: PathBuf,
    /// An empty folder for the environment.
    pub(crate) scratch: PathBuf,
    /// Whether a check that cannot be made is a failure.
    pub(crate) all: bool,
}

/// All languages that have a package.
const LANGUAGES: &[Language] = &[
    Language { name: "linux", tools: &[Tool("tar", &["--version"])], test: linux::test },
    Language { name: "container", tools: &[Tool("tar", &["--version"])], test: container::test },
    Language { name: "go", tools: &[Tool("go", &["version"])], test: go::test },
    Language {
        name: "java",
        tools: &[Tool("javac", &["-version"]), Tool("mvn", &["--version"])],
        test: java::test,
    },
    Language {
        name: "npm",
        tools: &[Tool("node", &["--version"]), Tool("npm", &["--version"])],
        test: npm::test,
    },
    Language {
        name: "python",
        tools: &[Tool("python3", &["-c", "import venv, ensurepip"])],
        test: python::test,
    },
];

/// Tests the packages, and prints how long each took. The artefacts must have been built.
pub(crate) fn run(options: &Options) -> Outcome {
    if let Some(name) = options.only.iter().find(|name| !LANGUAGES.iter().any(|known| known.name == **name)) {
        let names: Vec<_> = LANGUAGES.iter().map(|known| known.name).collect();
        return Err(format!("there is no package for `{name}`, but for {}", names.join(", ")));
    }
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    for language in LANGUAGES {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == language.name) {
            continue;
        }
        if ["linux", "container"].contains(&language.name) && OS != "linux" {
            lines.push(format!("{:<8} skipped: it is only for Linux", language.name));
            continue;
        }
        if let Some(tool) = Tool::missing(language.tools) {
            lines.push(format!("{:<8} skipped: {tool} is not installed", language.name));
            if options.all {
                failures.push(format!("{}: {tool} is not installed", language.name));
            }
            continue;
        }
        let began = Instant::now();
        let outcome = Place::of(language, options).and_then(|place| (language.test)(&place));
        let took = began.elapsed().as_secs();
        match outcome {
            Ok(()) => lines.push(format!("{:<8} passed in {took} s", language.name)),
            Err(reason) => {
                lines.push(format!("{:<8} failed after {took} s", language.name));
                failures.push(format!("{}: {reason}", language.name));
            }
        }
    }
    for line in lines {
        println!("{line}");
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nerror: ")) }
}

impl Place {
    fn of(language: &Language, options: &Options) -> Outcome<Self> {
        let target = workspace::target();
        let scratch = target.join("languages").join(language.name);
        if scratch.exists() {
            std::fs::remove_dir_all(&scratch)
                .map_err(|error| format!("cannot empty the environment: {error}"))?;
        }
        std::fs::create_dir_all(&scratch)
            .map_err(|error| format!("cannot create the environment: {error}"))?;
        Ok(Self {
            package: workspace::root().join("packages").join(language.name),
            dist: dist::folder(options.debug),
            scratch,
            all: options.all,
        })
    }

    /// Reports a check that cannot be made: as a failure if nothing may be left out.
    fn leave_out(&self, reason: &str) -> Outcome {
        if self.all {
            return Err(reason.to_owned());
        }
        println!("not checked: {reason}");
        Ok(())
    }
}

/// Copies a folder with its subfolders, without what npm has installed in it.
fn copy(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to).map_err(|error| format!("cannot create {}: {error}", to.display()))?;
    for path in workspace::entries(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.ends_with("node_modules") {
            continue;
        } else if path.is_dir() {
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)
                .map_err(|error| format!("cannot copy {}: {error}", path.display()))?;
        }
    }
    Ok(())
}
