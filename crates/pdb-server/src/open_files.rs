//! How many files and connections the process may have open.

/// More than anybody needs; each connection takes some memory, too.
#[cfg(unix)]
const MOST_OPEN_FILES: u64 = 65_536;

/// Raises the limit as far as the system lets the process do so by itself. Many systems allow 1,024 or even 256 at first, and
/// some thousands on demand.
pub(crate) fn raise_limit() {
    #[cfg(unix)]
    match rlimit::increase_nofile_limit(MOST_OPEN_FILES) {
        Ok(limit) => tracing::debug!(limit, "may open so many files and connections"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}
