//! `pretender man-pages`, which packagers run.

use std::error::Error;
use std::path::PathBuf;

use clap::{Args, CommandFactory};

/// Write a man page for each command into a folder.
#[derive(Args, Debug)]
#[command(hide = true)]
pub(crate) struct ManPages {
    /// Folder for the pages, which must exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl ManPages {
    /// Writes the pages.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        clap_mangen::generate_to(crate::Cli::command(), &self.folder)
            .map_err(|error| format!("cannot write man pages to {}: {error}", self.folder.display()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        ManPages { folder: folder.path().to_owned() }.run().unwrap();
        for (page, text) in [
            ("pretender.1", "pretender\\-serve(1)"),
            ("pretender-serve.1", "PRETENDER_PORT"),
            ("pretender-ctl-clock-advance.1", "pretender\\-ctl\\-clock\\-advance"),
        ] {
            let content = std::fs::read_to_string(folder.path().join(page)).unwrap();
            assert!(content.contains(text), "{page}: {content}");
        }
        let absent = ManPages { folder: folder.path().join("absent") }.run().unwrap_err().to_string();
        assert!(absent.starts_with("cannot write man pages to "), "{absent}");
    }
}
