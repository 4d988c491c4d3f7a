//! Waiting for what will be so.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// How long anything may take. A machine with other work needs many seconds to start a browser.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(15);

/// Looks until there is something. Without it in time, `missing` says what there was instead.
#[track_caller]
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>, missing: impl FnOnce() -> String) -> T {
    let deadline = Instant::now() + PATIENCE;
    let (_never, pause) = channel::<()>();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{}", missing());
        let _ = pause.recv_timeout(PAUSE);
    }
}
