//! The Go module, in the layout of a module proxy: `GOPROXY=file:///.../target/dist/goproxy` serves it.
//!
//! The zip file has what Go itself would take from a tag of the repository: the files of the module, without those of modules below it. So its
//! checksum, which projects record in `go.sum`, is that of the tag.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Parts;
use super::zip::Zip;
use crate::{Outcome, workspace};

/// The name of the module; also in `packages/go/go.mod`.
pub(crate) const MODULE: &str = "github.com/pretender-db/pretender/packages/go";

/// The folder of the proxy, in that of the artefacts.
pub(crate) const PROXY: &str = "goproxy";

/// The time in the description of the version: that of a commit, which a local build does not have.
const TIME: &str = "1980-01-01T00:00:00Z";

pub(super) fn build(parts: &Parts) -> Outcome<Vec<PathBuf>> {
    let source = workspace::root().join("packages/go");
    let version = format!("v{}", parts.version);
    let code = workspace::read(&source.join("pretendertest/pretendertest.go"))?;
    if !code.contains(&format!("\nconst Version = \"{}\"\n", parts.version)) {
        return Err(format!("`Version` in packages/go/pretendertest is not {}", parts.version));
    }
    let manifest = workspace::read(&source.join("go.mod"))?;
    if manifest.lines().next() != Some(&format!("module {MODULE}")) {
        return Err(format!("packages/go/go.mod is not that of {MODULE}"));
    }
    let mut zip = Zip::default();
    for file in module_files(&source)? {
        let name = file.strip_prefix(&source).unwrap_or(&file).to_string_lossy();
        let content =
            std::fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        zip.add(&format!("{MODULE}@{version}/{name}"), &content)?;
    }
    let folder = parts.folder.join(PROXY).join(MODULE).join("@v");
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let file = |ending: &str| folder.join(format!("{version}{ending}"));
    let description = json!({ "Version": version, "Time": TIME }).to_string();
    for (path, content) in [
        (folder.join("list"), format!("{version}\n")),
        (file(".info"), description),
        (file(".mod"), manifest),
    ] {
        std::fs::write(&path, content)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    zip.write(&file(".zip"))?;
    Ok(vec![file(".zip"), file(".mod"), file(".info"), folder.join("list")])
}

/// Lists the files of a module, sorted, without those of modules in folders below.
fn module_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in workspace::entries(folder)? {
        if !path.is_dir() {
            found.push(path);
        } else if !path.join("go.mod").exists() {
            found.extend(module_files(&path)?);
        }
    }
    found.sort();
    Ok(found)
}
