//! The client programs: their requirements, and the commands that build and run them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, run, workspace};

/// A client program, in the folder with its name in `tests/clients`.
pub(super) struct Program {
    pub(super) name: &'static str,
    kind: Kind,
}

/// How a program is built and run.
enum Kind {
    Python,
    JavaScript,
    Go,
    Maven,
}

/// All client programs, in the order they run.
pub(super) const PROGRAMS: &[Program] = &[
    Program { name: "python", kind: Kind::Python },
    Program { name: "javascript", kind: Kind::JavaScript },
    Program { name: "go", kind: Kind::Go },
    Program { name: "java", kind: Kind::Maven },
    Program { name: "kinesis", kind: Kind::Maven },
];

impl Program {
    /// Returns a required tool that is not installed, if there is one.
    pub(super) fn missing_tool(&self) -> Option<&'static str> {
        let tools: &[(&str, &[&str])] = match self.kind {
            Kind::Python => &[("python3", &["-c", "import venv, ensurepip"])],
            Kind::JavaScript => &[("node", &["--version"]), ("npm", &["--version"])],
            Kind::Go => &[("go", &["version"])],
            Kind::Maven => &[("javac", &["-version"]), ("mvn", &["--version"])],
        };
        tools.iter().find(|(tool, arguments)| !run::works(tool, arguments)).map(|(tool, _)| *tool)
    }

    /// Downloads the dependencies of the program and compiles it. It tries twice, because a download may fail for a moment.
    pub(super) fn build(&self) -> Outcome {
        self.build_once().or_else(|_| self.build_once())
    }

    fn build_once(&self) -> Outcome {
        let folder = self.folder();
        match self.kind {
            Kind::Python => {
                if !self.built("bin/pip").exists() {
                    run::run(run::program("python3").args(["-m", "venv"]).arg(self.built("")))?;
                }
                let install = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
                run::run(
                    run::program(self.built("bin/pip")).args(install).arg(folder.join("requirements.txt")),
                )
            }
            Kind::JavaScript => {
                let install = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
                run::run(run::program("npm").current_dir(folder).args(install))
            }
            Kind::Go => run::run(
                run::program("go")
                    .current_dir(folder)
                    .args(["build", "-o"])
                    .arg(self.built("client"))
                    .arg("."),
            ),
            Kind::Maven => {
                let package = ["--batch-mode", "--quiet", "package"];
                run::run(run::program("mvn").current_dir(folder).args(package))
            }
        }
    }

    /// Returns the command that runs the built program.
    pub(super) fn command(&self) -> Command {
        let folder = self.folder();
        match self.kind {
            Kind::Python => {
                let mut command = run::program(self.built("bin/python"));
                command.arg(folder.join("client.py"));
                command
            }
            Kind::JavaScript => {
                let mut command = run::program("node");
                command.arg(folder.join("client.js"));
                command
            }
            Kind::Go => run::program(self.built("client")),
            Kind::Maven => {
                let mut command = run::program("java");
                let path =
                    [self.built("client.jar"), self.built("lib/*")].map(|path| path.display().to_string());
                command.arg("-cp").arg(path.join(":")).arg("Client");
                command
            }
        }
    }

    fn folder(&self) -> PathBuf {
        workspace::root().join("tests").join("clients").join(self.name)
    }

    /// Returns the path of a build result. `pom.xml` sets that of Maven.
    fn built(&self, name: impl AsRef<Path>) -> PathBuf {
        let target = match self.kind {
            Kind::Maven => workspace::root().join("target"),
            _ => workspace::target(),
        };
        target.join("clients").join(self.name).join(name)
    }
}
