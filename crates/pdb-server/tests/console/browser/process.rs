//! The programs: Chromium, and the driver that WebDriver speaks to.

use std::env;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::wait::until;

/// What the browser is called, by Debian and by others.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const DRIVERS: [&str; 1] = ["chromedriver"];

/// The programs that are installed.
pub(super) struct Programs {
    browser: PathBuf,
    driver: PathBuf,
}

/// The processes of a browser, until they are dropped.
pub(super) struct Processes {
    driver: Child,
    browser: Child,
    profile: tempfile::TempDir,
    /// The address of the driver.
    pub(super) driver_url: String,
    /// The address at which the driver finds the browser.
    pub(super) debugger: String,
}

impl Programs {
    /// Looks for them on the `PATH`. Without them there is nothing to test, which is said; where `CI` is set, they have to be there.
    pub(super) fn find() -> Option<Self> {
        Some(Self { browser: find(&BROWSERS)?, driver: find(&DRIVERS)? })
    }

    /// Starts both, with a profile of their own.
    pub(super) fn start(&self) -> Processes {
        let profile = tempfile::tempdir().unwrap();
        let browser = start_browser(&self.browser, profile.path());
        let says = profile.path().join("driver.txt");
        let driver = Command::new(&self.driver)
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(File::create(&says).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut processes =
            Processes { driver, browser, profile, driver_url: String::new(), debugger: String::new() };
        let opens = processes.profile.path().join("DevToolsActivePort");
        processes.driver_url =
            format!("http://127.0.0.1:{}", number_in(&says, "started successfully on port "));
        processes.debugger = format!("127.0.0.1:{}", number_in(&opens, ""));
        processes
    }
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|program| program.is_file());
    if found.is_none() {
        let missing = format!("none of {} is on the PATH", names.join(", "));
        assert!(env::var_os("CI").is_none(), "{missing}");
        // Not `eprintln!`, which nobody sees of a test that passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    }
    found
}

/// Starts the browser here and not by its driver, which would leave it behind if it were killed.
fn start_browser(program: &Path, profile: &Path) -> Child {
    Command::new(program)
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
            // Two windows are to be alive at the same time.
            "--disable-backgrounding-occluded-windows",
            "--disable-renderer-backgrounding",
            "--disable-background-timer-throttling",
            "--window-size=1200,900",
            "--remote-debugging-port=0",
            // No page may need anything from elsewhere, and the browser is to find nothing there.
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
            "--no-proxy-server",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("about:blank")
        // What it leaves behind lies in the profile, and goes with it.
        .env("TMPDIR", profile)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until a file has a line with this text and a number behind it.
fn number_in(file: &Path, before: &str) -> u16 {
    let look = || {
        let text = std::fs::read_to_string(file).ok()?;
        let mut lines = text.lines();
        lines.find_map(|line| line.split_once(before)?.1.trim_end_matches('.').parse().ok())
    };
    until(look, || format!("{} has no port", file.display()))
}

impl Drop for Processes {
    fn drop(&mut self) {
        for process in [&mut self.browser, &mut self.driver] {
            let _ = process.kill();
            let _ = process.wait();
        }
        // The browser's other processes notice, and go too; until then they may still write.
        let (_never, pause) = channel::<()>();
        for _ in 0..50 {
            if std::fs::remove_dir_all(self.profile.path()).is_ok() {
                return;
            }
            let _ = pause.recv_timeout(Duration::from_millis(100));
        }
    }
}
