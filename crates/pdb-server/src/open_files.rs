//! The limit on open files and connections.

/// More than a server needs; each connection also takes some memory.
#[cfg(unix)]
const MAX_OPEN_FILES: u64 = 65_536;

/// Raises the soft limit to the hard limit, up to `MAX_OPEN_FILES`. Many systems start with a soft limit of 1,024 or
/// even 256.
pub(crate) fn raise_limit() {
    #[cfg(unix)]
    match rlimit::increase_nofile_limit(MAX_OPEN_FILES) {
        Ok(limit) => tracing::debug!(limit, "raised the limit on open files"),
        Err(error) => tracing::warn!(%error, "could not raise the limit on open files"),
    }
}
