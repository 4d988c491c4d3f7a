//! What is installed on a Unix system, below a prefix such as `/usr`: program, launcher, man pages, completions, and on
//! Linux a systemd unit.

use std::env::consts::OS;
use std::path::Path;
use std::process::Command;

use super::Parts;
use super::tree::Tree;
use crate::{Outcome, run, workspace};

/// Completion scripts: the name of the shell, and the file.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/pretender"),
    ("zsh", "share/zsh/site-functions/_pretender"),
    ("fish", "share/fish/vendor_completions.d/pretender.fish"),
];

/// The path in the files of the workspace that name the program.
const PROGRAM: &str = "/usr/bin/pretender";

/// Returns the files. `prefix` is where they will be, such as `/usr/local`.
///
/// # Errors
///
/// If the program does not run on this machine: it writes man pages and completions itself.
pub(super) fn files(parts: &Parts, prefix: &str) -> Outcome<Tree> {
    let mut tree = Tree::default();
    tree.file("bin/pretender", 0o755, read(&parts.binary)?);
    let root = workspace::root();
    let launcher = root.join("packages/dynamodb-local/pretender-dynamodb-local");
    tree.file("bin/pretender-dynamodb-local", 0o755, read(&launcher)?);
    let page = "pretender-dynamodb-local.1";
    tree.file(
        format!("share/man/man1/{page}"),
        0o644,
        read(&root.join("packages/dynamodb-local").join(page))?,
    );
    if OS == "linux" {
        let unit = workspace::read(&root.join("packages/linux/pretender.service"))?;
        let unit = unit.replace(PROGRAM, &format!("{prefix}/bin/pretender"));
        tree.file("lib/systemd/system/pretender.service", 0o644, unit);
    }
    for (shell, path) in COMPLETIONS {
        let script = run::output(Command::new(&parts.binary).args(["completions", shell]))?;
        tree.file(path, 0o644, script);
    }
    let pages = parts.folder.join("man");
    if pages.exists() {
        std::fs::remove_dir_all(&pages)
            .map_err(|error| format!("cannot remove {}: {error}", pages.display()))?;
    }
    std::fs::create_dir_all(&pages).map_err(|error| format!("cannot create {}: {error}", pages.display()))?;
    run::run(Command::new(&parts.binary).arg("man-pages").arg(&pages))?;
    for page in workspace::entries(&pages)? {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        tree.file(format!("share/man/man1/{name}"), 0o644, read(&page)?);
    }
    std::fs::remove_dir_all(&pages).map_err(|error| format!("cannot remove {}: {error}", pages.display()))?;
    Ok(tree)
}

/// Reads a file of any content.
pub(super) fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes a file of any content.
pub(super) fn write(path: &Path, content: &[u8]) -> Outcome {
    std::fs::write(path, content).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
