//! Makes a test of each Rust snippet of the documents: `README.md` and `docs`.
//!
//! What a snippet defines is there for the snippets behind it in the same document. Statements become the body of a test, in which everything
//! of `pretender` is imported.

#[path = "../../xtask/src/documents/markdown.rs"]
#[expect(dead_code, reason = "the rest is for snippets of other languages")]
mod markdown;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use markdown::{Mark, Snippet};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut documents = vec![root.join("README.md")];
    println!("cargo::rerun-if-changed={}", root.join("docs").display());
    println!("cargo::rerun-if-changed={}", root.join("README.md").display());
    for entry in root.join("docs").read_dir()? {
        documents.push(entry?.path());
    }
    documents.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    documents.sort();
    let mut tests = String::new();
    for path in documents {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase().replace('-', "_");
        let snippets = markdown::snippets(&std::fs::read_to_string(&path)?)
            .map_err(|(line, reason)| format!("{}:{line}: {reason}", path.display()))?;
        let module: String = snippets.iter().filter(is_tested).map(test).collect();
        if !module.is_empty() {
            writeln!(tests, "mod {name} {{\n{PRELUDE}\n{module}}}")?;
        }
    }
    let out = std::env::var_os("OUT_DIR").ok_or("cargo tells no folder")?;
    Ok(std::fs::write(PathBuf::from(out).join("snippets.rs"), tests)?)
}

/// A snippet may import what is there already: names of a glob give way.
const PRELUDE: &str = "use crate::prelude::*;";

fn is_tested(snippet: &&Snippet) -> bool {
    snippet.language == "rust" && !matches!(snippet.mark, Some(Mark::NotRun(_)))
}

fn test(snippet: &Snippet) -> String {
    let Snippet { line, text, is_only_compiled, .. } = snippet;
    if defines_items(text) {
        return text.clone();
    }
    let is_async = text.contains(".await");
    let asynchronous = if is_async { "async " } else { "" };
    let attribute = match (is_only_compiled, is_async) {
        (true, _) => "",
        (false, true) => "#[tokio::test]",
        (false, false) => "#[test]",
    };
    format!(
        "{attribute}\n{asynchronous}fn line_{line}() -> Result<(), Box<dyn std::error::Error>> {{\n\
         let _folder = crate::folder();\n{text}\nOk(())\n}}\n"
    )
}

/// Whether a snippet consists of functions, types and tests, and not of statements.
fn defines_items(text: &str) -> bool {
    let lines = text.lines().filter(|line| {
        !line.is_empty() && !line.starts_with("//") && !line.starts_with("use ") && !line.starts_with(' ')
    });
    let first = lines.into_iter().find(|line| !line.starts_with('}'));
    first.is_some_and(|line| ["fn ", "async fn ", "struct ", "#["].iter().any(|word| line.starts_with(word)))
}
