//! The source text of the code that writes answers.

use std::fs;
use std::path::Path;

/// The Rust source below some folders, as one text.
#[derive(Debug, Default)]
pub struct Source {
    text: String,
}

impl Source {
    /// Reads all Rust files below these folders.
    ///
    /// # Errors
    ///
    /// Which file or folder cannot be read, and why.
    pub fn read(folders: &[&Path]) -> Result<Self, String> {
        let mut source = Self::default();
        folders.iter().try_for_each(|folder| source.add(folder))?;
        Ok(source)
    }

    fn add(&mut self, place: &Path) -> Result<(), String> {
        let failed = |error| format!("{}: {error}", place.display());
        if place.is_dir() {
            for entry in fs::read_dir(place).map_err(failed)? {
                self.add(&entry.map_err(failed)?.path())?;
            }
        } else if place.extension().is_some_and(|extension| extension == "rs") {
            self.text.push_str(&fs::read_to_string(place).map_err(failed)?);
        }
        Ok(())
    }

    /// Whether a member of this name is written somewhere: its name in quotation marks.
    pub(crate) fn names(&self, member: &str) -> bool {
        self.text.match_indices(member).any(|(at, _)| {
            let (before, behind) = (&self.text[..at], &self.text[at + member.len()..]);
            before.ends_with('"') && behind.starts_with(['"', '\\'])
        })
    }
}
