//! The cost of work on one thread: wall time and CPU time.

use std::time::Instant;

/// The cost of some operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Operations a second.
    pub(crate) rate: f64,
    /// CPU time of this thread for one operation, in microseconds; not a number where the system does not tell.
    pub(crate) cpu_us: f64,
}

/// Does `count` operations on this thread and returns their cost.
pub(crate) fn measure<E>(count: u64, work: impl FnOnce() -> Result<(), E>) -> Result<Cost, E> {
    let (started, cpu) = (Instant::now(), thread_cpu_us());
    work()?;
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), thread_cpu_us() - cpu);
    Ok(Cost { rate: count as f64 / seconds, cpu_us: cpu / count.max(1) as f64 })
}

/// Returns the CPU time this thread has used, in microseconds.
pub(crate) fn thread_cpu_us() -> f64 {
    // The system adds up at its ticks, every few milliseconds, and when a thread is about to give way: so this one is.
    std::thread::yield_now();
    let file = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = file.split_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds| nanoseconds / 1e3)
}

impl Cost {
    /// Returns the cost of each of the `parts` that the operations had.
    pub(crate) fn of_each(self, parts: f64) -> Self {
        Self { rate: self.rate * parts, cpu_us: self.cpu_us / parts }
    }
}
