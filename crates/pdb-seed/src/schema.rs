//! Files that define tables, in all formats.

mod api;
mod plan;
mod serverless;
mod shapes;
mod template;
mod terraform;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use pdb_exchange::json;
use pdb_exchange::node::Node;
use pdb_model::Account;

use crate::error::{Fault, SeedError};
use crate::files;
use crate::yaml;

pub(crate) use plan::TablePlan;

/// The largest file of definitions.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The extensions of files that may define tables.
const EXTENSIONS: &[&str] = &["json", "yaml", "yml", "template"];

const FORMS: &str = "the file does not define tables. Tables can be defined by the JSON of CreateTable or DescribeTable, a template of CloudFormation \
     or SAM, a serverless.yml, or what `terraform show -json` prints";

/// The values to which definitions may refer.
#[derive(Debug)]
pub(crate) struct Surroundings<'s> {
    pub(crate) account: &'s Account,
    pub(crate) variables: &'s BTreeMap<String, String>,
}

impl Surroundings<'_> {
    /// Returns the value that was given for a name.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}

/// The tables of one file.
#[derive(Debug)]
pub(crate) struct Defined {
    pub(crate) file: PathBuf,
    pub(crate) tables: Vec<TablePlan>,
    pub(crate) notes: Vec<Fault>,
}

/// Reads a file, or the files of a folder.
pub(crate) fn read(path: &Path, surroundings: &Surroundings<'_>) -> Result<Vec<Defined>, SeedError> {
    if !path.is_dir() {
        return match read_file(path, surroundings)? {
            Some(defined) => Ok(vec![defined]),
            None => Err(SeedError::of_file(path, hint(path))),
        };
    }
    let mut files = files::of_folder(path, |name| EXTENSIONS.iter().any(|end| has_extension(name, end)))?;
    // CDK writes other files beside its templates.
    let is_cdk = |file: &PathBuf| file.to_string_lossy().ends_with(".template.json");
    if files.iter().any(is_cdk) {
        files.retain(is_cdk);
    }
    if files.is_empty() {
        return Err(SeedError::of_file(path, "the folder has no files of JSON or YAML"));
    }
    let mut all = Vec::new();
    for file in files {
        all.push(read_file(&file, surroundings)?.unwrap_or_else(|| Defined {
            file,
            tables: Vec::new(),
            notes: vec![Fault::new("", "is ignored: it does not define tables")],
        }));
    }
    Ok(all)
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case(extension))
}

/// Returns a hint for a file in another format.
fn hint(path: &Path) -> &'static str {
    let name = path.to_string_lossy();
    if name.ends_with(".tf") || name.ends_with(".tfplan") || name.ends_with(".tfstate") {
        return "this is not the JSON of a plan, which `terraform show -json` prints";
    }
    if name.ends_with(".ts") || name.ends_with(".js") || name.ends_with(".py") {
        return "this is a program: `cdk synth` writes templates into cdk.out, which can be read";
    }
    FORMS
}

/// Reads the tables of a file. Returns `None` if it does not define tables.
fn read_file(path: &Path, surroundings: &Surroundings<'_>) -> Result<Option<Defined>, SeedError> {
    if hint(path) != FORMS {
        return Ok(None);
    }
    let document = read_document(path)?;
    let mut notes = Vec::new();
    let tables = tables_of(&document, path, surroundings, &mut notes).map_err(|fault| fault.in_file(path))?;
    Ok(tables.map(|tables| Defined { file: path.to_owned(), tables, notes }))
}

fn tables_of(
    document: &Node,
    path: &Path,
    surroundings: &Surroundings<'_>,
    notes: &mut Vec<Fault>,
) -> Result<Option<Vec<TablePlan>>, Fault> {
    if let Some(tables) = api::read(document)? {
        return Ok(Some(tables));
    }
    if let Some(tables) = serverless::read(document, path, surroundings, notes)? {
        return Ok(Some(tables));
    }
    if let Some(tables) = template::read(document, surroundings, notes)? {
        return Ok(Some(tables));
    }
    terraform::read(document, notes)
}

/// Reads a file of JSON or YAML.
pub(crate) fn read_document(path: &Path) -> Result<Node, SeedError> {
    let mut file = File::open(path).map_err(|error| files::refused(path, &error))?;
    let mut bytes = Vec::new();
    let read = file.by_ref().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| files::refused(path, &error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(SeedError::of_file(path, "the file is larger than 64 MiB"));
    }
    let text =
        text_of(bytes).ok_or_else(|| SeedError::of_file(path, "the file is not text in UTF-8 or UTF-16"))?;
    let begins = text.trim_start();
    // A YAML parser accepts most of JSON too, but the errors of the JSON parser are more precise.
    let parsed = if begins.starts_with('{') && !is_yaml(path) || begins.starts_with('[') && !is_yaml(path) {
        json::parse(&text, 1)
    } else {
        yaml::parse(&text)
    };
    parsed.map_err(|fault| SeedError::of_line(path, fault.line, fault.reason))
}

fn is_yaml(path: &Path) -> bool {
    let name = path.to_string_lossy();
    has_extension(&name, "yml") || has_extension(&name, "yaml")
}

/// Returns the text of a file in UTF-8 or UTF-16. PowerShell writes the output of programs in UTF-16.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    let units = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

#[cfg(test)]
mod tests;
