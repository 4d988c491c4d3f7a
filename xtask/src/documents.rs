//! `cargo xtask documents`: runs the snippets of all documents, like a reader who follows them line by line.
//!
//! The shell and Python snippets of one document run in order, in one shell. It begins in an empty folder, with `pretender` and the AWS CLI on
//! the path. JSON snippets are parsed. Rust snippets are tests already: those in the README of a crate are its doctests, those in other documents
//! are compiled in `tests/documents`. A comment before a snippet, which readers do not see, changes how it is run: see [`markdown::Mark`].

pub(crate) mod markdown;
mod script;
mod session;

use std::path::{Path, PathBuf};

use crate::{Outcome, run, workspace};
use markdown::{Mark, Snippet};
use session::Session;

/// The Python packages that snippets use.
const PYTHON_PACKAGES: [&str; 2] = ["boto3", "awscli"];

/// Options of the command.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Run only documents whose path contains this text, such as `guide` (can be repeated)
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Show the output of snippets that succeed, too
    #[arg(long)]
    verbose: bool,
}

/// Runs the snippets of all documents.
pub(crate) fn run(options: &Options) -> Outcome {
    let documents: Vec<PathBuf> = documents()?.into_iter().filter(|path| options.includes(path)).collect();
    let mut parsed = Vec::new();
    for path in documents {
        let snippets = markdown::snippets(&workspace::read(&path)?)
            .map_err(|(line, reason)| format!("{}:{line}: {reason}", workspace::shown(&path)))?;
        parsed.push((path, snippets));
    }
    let session = Session::prepare(&PYTHON_PACKAGES)?;
    let mut failures = Vec::new();
    for (path, snippets) in &parsed {
        let shown = workspace::shown(path).to_string();
        // Documents with only Rust snippets are tested elsewhere, and not reported here.
        let is_shown = |one: &Snippet| one.is_run() || one.mark.is_some() || one.language == "json";
        if !snippets.iter().any(is_shown) {
            continue;
        }
        match check_and_run(&session, &shown, snippets, options.verbose) {
            Ok(()) => eprintln!("{shown}: {}", counts(snippets)),
            Err(reason) => failures.push(format!("{shown}: {reason}")),
        }
        for snippet in snippets {
            if let Some(Mark::NotRun(reason)) = &snippet.mark {
                eprintln!("  line {} is not run: {reason}", snippet.line);
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nerror: ")) }
}

impl Options {
    fn includes(&self, path: &Path) -> bool {
        let shown = workspace::shown(path).to_string();
        self.only.is_empty() || self.only.iter().any(|text| shown.contains(text.as_str()))
    }
}

/// Lists the documents of the workspace.
fn documents() -> Outcome<Vec<PathBuf>> {
    let root = workspace::root();
    let mut found: Vec<_> = workspace::entries(root)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    for folder in ["docs", "crates", "packages", "tests", "xtask"] {
        found.extend(workspace::files(&root.join(folder), ".md")?);
    }
    // The facts about AWS show parts of requests and answers, which are not whole JSON.
    let spec = root.join("docs/spec");
    found.retain(|path| !path.starts_with(&spec));
    found.retain(|path| {
        !path.components().any(|part| part.as_os_str() == "node_modules" || part.as_os_str() == "target")
    });
    Ok(found)
}

fn check_and_run(session: &Session, shown: &str, snippets: &[Snippet], verbose: bool) -> Outcome {
    for snippet in snippets {
        if snippet.language == "json" && snippet.mark.is_none() {
            check_json(snippet).map_err(|error| format!("line {}: {error}", snippet.line))?;
        }
    }
    let script = script::of(shown, snippets);
    if script.is_empty() { Ok(()) } else { session.run(shown, &script, verbose) }
}

/// Checks a JSON snippet: one value, or one value on each line.
fn check_json(snippet: &Snippet) -> Outcome {
    let values = serde_json::Deserializer::from_str(&snippet.text).into_iter::<serde_json::Value>();
    for value in values {
        value.map_err(|error| format!("not JSON: {error}"))?;
    }
    Ok(())
}

fn counts(snippets: &[Snippet]) -> String {
    let run = snippets.iter().filter(|snippet| snippet.is_run()).count();
    format!("{run} of {} snippets run", snippets.len())
}

/// Builds the program that the snippets run.
fn build() -> Outcome {
    run::run(run::cargo().args(["build", "--package", "pdb-server", "--bin", "pretender"]))
}
