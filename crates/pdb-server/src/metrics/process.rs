//! What the system says about this process.

use pretender::time::EpochMillis;

use super::exposition::Exposition;
use super::names;

/// Adds the values of this process, whose server was started at a time.
pub(super) fn add(exposition: &mut Exposition, started: EpochMillis) {
    exposition.gauge(names::BUILD_INFO, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    exposition.gauge(names::START_TIME, &[], started.0 as f64 / 1_000.0);
    if let Some(bytes) = resident_bytes() {
        exposition.gauge(names::MEMORY, &[], bytes as f64);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        exposition.gauge(names::OPEN_FILES, &[], open.count() as f64);
    }
}

/// Returns the memory that is resident, where the system says it: on Linux.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_says_how_much_memory_is_resident() {
        assert!(resident_bytes().unwrap() > 100_000);
    }
}
