//! What the machine says to those who ask nobody: variables of the environment, and files.

use std::io::Read;
use std::path::Path;

/// Files of settings are short; a longer one is not read to its end.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Where variables and files come from: the machine, or a test.
pub(super) trait Machine {
    /// Returns a variable of the environment that is there and not empty.
    fn variable(&self, name: &str) -> Option<String>;

    /// Returns the text of a file that can be read.
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
