//! The browser.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// What it is called, by Debian and by others.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A Chromium that is installed.
pub(super) struct Chromium(PathBuf);

/// A window that is open, until it is dropped.
pub(super) struct Browsing {
    process: Child,
    profile: tempfile::TempDir,
}

impl Chromium {
    /// Looks for it on the `PATH`. Without it there is nothing to test, which is said; where `CI` is set, it has to be there.
    pub(super) fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let found = NAMES
            .iter()
            .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
            .find(|program| program.is_file());
        if found.is_none() {
            let missing = format!("no browser on the PATH, of {}", NAMES.join(", "));
            assert!(env::var_os("CI").is_none(), "{missing}");
            // Not `eprintln!`, which nobody sees of a test that passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        }
        found.map(Self)
    }

    /// Opens a page. Names that end in `.example` mean this machine: to the browser they are other sites.
    pub(super) fn open(&self, url: &str) -> Browsing {
        let profile = tempfile::tempdir().unwrap();
        let process = Command::new(&self.0)
            .args([
                "--headless",
                // The tests may run as root, and in a container.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                // A click is all a page needs to open one; here nobody clicks.
                "--disable-popup-blocking",
                // With it the browser stays until it is told to go.
                "--remote-debugging-port=0",
                "--host-resolver-rules=MAP *.example 127.0.0.1",
                "--no-proxy-server",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            // What it leaves behind lies in the profile, and goes with it.
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Browsing { process, profile }
    }
}

impl Drop for Browsing {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Its other processes notice, and go too; until then they may still write.
        let (_never, wait) = channel::<()>();
        for _ in 0..50 {
            if std::fs::remove_dir_all(self.profile.path()).is_ok() {
                return;
            }
            let _ = wait.recv_timeout(Duration::from_millis(100));
        }
    }
}
