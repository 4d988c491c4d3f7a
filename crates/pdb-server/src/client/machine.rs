//! What the machine provides: environment variables and files.

use std::io::Read;
use std::path::Path;

/// Configuration files are short; a longer one is not read to its end.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The source of variables and files: the machine, or a test.
pub(super) trait Machine {
    /// Returns the value of an environment variable, if it is set and not empty.
    fn variable(&self, name: &str) -> Option<String>;

    /// Returns the text of a file, if it can be read.
    fn file(&self, path: &Path) -> Option<String>;
}

/// The machine that the program runs on.
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    #[expect(
        clippy::disallowed_methods,
        reason = "AWS's variables are settings of many programs, and secrets cannot be options, which everybody on the machine sees"
    )]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn file(&self, path: &Path) -> Option<String> {
        let mut text = Vec::new();
        std::fs::File::open(path).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }
}
