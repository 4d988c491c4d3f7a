//! Names of databases on the command line.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use pretender::Builder;

use super::MEMORY;
use crate::paths;
use crate::terminal::visible;

/// How long to wait for a database server before saying so.
const NOTICE_DELAY: Duration = Duration::from_millis(700);

/// Returns whether a name is that of a file but was probably meant for a database in memory: `memory`, `:memory`,
/// `:MEMORY:`, `:memory:x`.
pub(super) fn is_like_memory(name: &str) -> bool {
    let name_in_lower_case = name.to_ascii_lowercase();
    let is_like = name_in_lower_case.trim_matches(':') == "memory" || name_in_lower_case.starts_with(MEMORY);
    is_like && name != MEMORY
}

/// Logs a warning if a file name was probably meant for a database in memory.
pub(super) fn warn_about_name(name: &str) {
    if is_like_memory(name) {
        tracing::warn!(
            "`{name}` is used as a file name; did you mean `{MEMORY}`, which stores data in memory only? If you want the file, write `./{name}`"
        );
    }
}

/// Checks that the file of a database exists.
///
/// # Errors
///
/// A message for people.
pub(super) fn check_exists(name: &str) -> Result<(), String> {
    let path = Path::new(name);
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let mut text = format!("`{name}` does not exist");
    if let Some(folder) = folder {
        text.push_str(&format!(": {}", paths::missing(folder)));
    }
    if is_like_memory(name) {
        text.push_str(&format!(
            "; did you mean `{MEMORY}`? Only its own process can reach a database in memory"
        ));
    }
    Err(text)
}

/// A message on standard error while the program waits for a database server, shown only if that takes a while. Opening
/// a database retries for many seconds, and without the message the program would seem to hang.
#[derive(Debug)]
pub(super) struct WaitNotice {
    /// Dropped when the wait has ended.
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl WaitNotice {
    /// Starts the notice if the database is on a server.
    pub(super) fn begin(builder: &Builder) -> Option<Self> {
        if !builder.is_on_server() {
            return None;
        }
        let (over, waits) = channel();
        let (location, timeout) = (builder.location(), Builder::CONNECT_TIMEOUT.as_secs());
        let thread = std::thread::Builder::new().name("pretender-notice".to_owned()).spawn(move || {
            if waits.recv_timeout(NOTICE_DELAY) == Err(RecvTimeoutError::Timeout) {
                let line = format!(
                    "pretender: no answer yet from the database server at {location}; trying for about {timeout} seconds"
                );
                // If standard error is closed, there is no other place for the message.
                let _ = writeln!(std::io::stderr(), "{}", visible(&line));
            }
        });
        Some(Self { over: Some(over), thread: thread.ok() })
    }
}

impl Drop for WaitNotice {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_memory_are_recognised() {
        for name in [
            "memory",
            ":memory",
            "memory:",
            ":MEMORY:",
            "Memory",
            "::memory::",
            ":memory:x",
            ":memory:?cache=shared",
        ] {
            assert!(is_like_memory(name), "{name}");
        }
        for name in [MEMORY, "./memory", "memory.db", "orders.db", "", ":", "in-memory"] {
            assert!(!is_like_memory(name), "{name}");
        }
    }

    #[test]
    fn a_missing_file_is_reported_with_its_folder() {
        assert_eq!(check_exists("no.db"), Err("`no.db` does not exist".to_owned()));
        let expected = "`/no/such/a.db` does not exist: the folder `/no/such` does not exist";
        assert_eq!(check_exists("/no/such/a.db"), Err(expected.to_owned()));
        assert!(check_exists("~/a.db").unwrap_err().contains("only a shell replaces `~`"));
        assert!(check_exists(":memory").unwrap_err().contains("did you mean `:memory:`?"));
    }
}
