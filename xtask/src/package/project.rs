//! A project that depends on packages and runs the example of a README.

use std::fmt::Write;
use std::path::Path;

use crate::documents::markdown::{self, Snippet};
use crate::workspace::Package;
use crate::{Outcome, run, workspace};

/// A project with the examples of one README.
#[derive(Debug, PartialEq)]
pub(super) struct Project {
    /// The package whose README it is.
    pub(super) package: String,
    /// The name of its package and of its folder.
    pub(super) name: String,
    /// The tables of dependencies, as the README has them.
    dependencies: String,
    examples: Vec<Example>,
}

#[derive(Debug, PartialEq)]
struct Example {
    program: String,
    is_run: bool,
}

impl Project {
    /// Makes a project of the README of a package.
    ///
    /// # Errors
    ///
    /// When the README does not say how to depend on the package, or has no example.
    pub(super) fn of_readme(package: &Package) -> Outcome<Self> {
        let path = package.folder().join("README.md");
        let shown = workspace::shown(&path).to_string();
        let snippets = markdown::snippets(&workspace::read(&path)?)
            .map_err(|(line, reason)| format!("{shown}:{line}: {reason}"))?;
        Self::new(&package.name, &snippets).map_err(|reason| format!("{shown} {reason}"))
    }

    fn new(package: &str, snippets: &[Snippet]) -> Result<Self, &'static str> {
        let names_package = |text: &str| {
            text.lines().any(|line| line.strip_prefix(package).is_some_and(|rest| rest.starts_with(" =")))
        };
        let dependencies = snippets
            .iter()
            .find(|snippet| snippet.language == "toml" && names_package(&snippet.text))
            .ok_or("does not say how to depend on the crate, in a block of TOML")?;
        let examples: Vec<_> = snippets
            .iter()
            // A block without a language is Rust, as for rustdoc.
            .filter(|snippet| matches!(snippet.language.as_str(), "rust" | ""))
            .map(|snippet| Example { program: program(&snippet.text), is_run: !snippet.is_only_compiled })
            .collect();
        if examples.is_empty() {
            return Err("has no example");
        }
        Ok(Self {
            package: package.to_owned(),
            name: format!("readme-of-{package}"),
            dependencies: dependencies.text.clone(),
            examples,
        })
    }

    /// Writes the project into a folder of its own below `workspace`.
    pub(super) fn write(&self, workspace: &Path) -> Outcome {
        let folder = workspace.join(&self.name);
        let manifest = format!(
            "[package]\nname = \"{}\"\nedition = \"2024\"\npublish = false\n\n{}",
            self.name, self.dependencies
        );
        write(&folder.join("Cargo.toml"), &manifest)?;
        write(&folder.join("src/lib.rs"), "")?;
        for (number, example) in (1..).zip(&self.examples) {
            // Examples see the dependencies of tests, too.
            let path = folder.join("examples").join(format!("{}.rs", self.example_name(number)));
            write(&path, &example.program)?;
        }
        Ok(())
    }

    /// Runs the examples, which have been built.
    pub(super) fn run(&self, folder: &Path) -> Outcome {
        for (number, _) in (1..).zip(&self.examples).filter(|(_, example)| example.is_run) {
            let program = workspace::target().join("debug/examples").join(self.example_name(number));
            run::run(run::program(program).current_dir(folder))?;
        }
        Ok(())
    }

    fn example_name(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }
}

/// Writes a file, and the folders it lies in.
pub(super) fn write(path: &Path, text: &str) -> Outcome {
    let folder = path.parent().expect("a file lies in a folder");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// Makes a program of a snippet, as rustdoc does: hidden lines lose their mark, and what has no `main` is put into one.
fn program(snippet: &str) -> String {
    let mut code = String::new();
    for line in snippet.lines() {
        let shown = line.trim_start();
        let line = if shown == "#" { "" } else { shown.strip_prefix("# ").unwrap_or(line) };
        code.push_str(line);
        code.push('\n');
    }
    let mut program = "#![allow(unused)]\n".to_owned();
    if code.contains("fn main()") {
        program.push_str(&code);
    } else if code.trim_end().ends_with("(())") {
        let _ = write!(
            program,
            "fn main() {{\nfn example() -> Result<(), impl std::fmt::Debug> {{\n{code}}}\nexample().unwrap();\n}}\n"
        );
    } else {
        let _ = write!(program, "fn main() {{\n{code}}}\n");
    }
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_becomes_a_project() {
        let readme = "```toml\n[env]\nX = \"1\"\n```\n```toml\n[dependencies]\nours = \"0.1\"\n```\n```rust,no_run\nx();\n```\n";
        let project = Project::new("ours", &markdown::snippets(readme).unwrap()).unwrap();
        assert_eq!(project.dependencies, "[dependencies]\nours = \"0.1\"\n");
        let program = "#![allow(unused)]\nfn main() {\nx();\n}\n".to_owned();
        assert_eq!(project.examples, [Example { program, is_run: false }]);
        for (package, readme) in [("our", readme), ("ours", "```toml\nours = \"0.1\"\n```\n"), ("ours", "")] {
            assert!(Project::new(package, &markdown::snippets(readme).unwrap()).is_err(), "{readme}");
        }
    }

    #[test]
    fn snippets_become_programs_as_in_rustdoc() {
        for (snippet, expected) in [
            ("a();\n# b();\n#\n", "fn main() {\na();\nb();\n\n}\n"),
            ("#[x]\n# fn main() {\na();\n# }\n", "#[x]\nfn main() {\na();\n}\n"),
            (
                "a()?;\n# Ok::<(), E>(())\n",
                "fn main() {\nfn example() -> Result<(), impl std::fmt::Debug> {\na()?;\nOk::<(), E>(())\n}\nexample().unwrap();\n}\n",
            ),
        ] {
            assert_eq!(program(snippet), format!("#![allow(unused)]\n{expected}"), "{snippet}");
        }
    }
}
