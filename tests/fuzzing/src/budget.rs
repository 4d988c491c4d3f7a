//! How much memory and time an input may take.
//!
//! The allocator of the program counts. It counts for the whole process, and so does the clock, because a database has threads of its own.
//! So one input runs at a time, also where tests run side by side. Processor time is measured and not time, because machines are busy.

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use nix::time::{ClockId, clock_gettime};
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait};

#[global_allocator]
static ALLOCATOR: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most memory that an empty input may take, in bytes: the budget of a request (`pdb-wire/tests/budget`).
pub const MAX_MEMORY: usize = 64 * 1024 * 1024;
/// How much more memory each byte of an input may take, in bytes.
pub const MEMORY_PER_BYTE: usize = 100;
/// The most processor time that an input may take, in seconds. Programs without optimisation get ten times as long.
pub const MAX_SECONDS: f64 = if cfg!(debug_assertions) && !cfg!(fuzzing) { 20.0 } else { 2.0 };

/// Held while an input is measured.
static MEASURED: Mutex<()> = Mutex::new(());

/// How many threads have panicked so far. The server answers with an internal error after a panic, and goes on.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts all panics from now on, also those that are caught, but not those of a parser of others that `pdb-exchange` turns into faults.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_some_and(|location| location.file().contains("/ion-rs-")) {
                return;
            }
            PANICS.fetch_add(1, Ordering::SeqCst);
            hook(panic);
        }));
    });
}

/// Runs `work` on an input of `length` bytes.
///
/// # Panics
///
/// If any thread panics meanwhile, or if the work takes more memory or time than an input of this length may.
pub(crate) fn measured(length: usize, work: impl FnOnce()) {
    measured_within(MAX_SECONDS, length, work);
}

fn measured_within(max_seconds: f64, length: usize, work: impl FnOnce()) {
    let _guard = MEASURED.lock().unwrap_or_else(PoisonError::into_inner);
    count_panics();
    let panics = PANICS.load(Ordering::SeqCst);
    let began = processor_seconds();
    ALLOCATOR.reset_peak_memory();
    work();
    assert_eq!(PANICS.load(Ordering::SeqCst), panics, "a thread has panicked, and the panic was caught");
    let (memory, seconds) = (ALLOCATOR.get_peak_memory(), processor_seconds() - began);
    let allowed = MAX_MEMORY + MEMORY_PER_BYTE * length;
    assert!(
        memory <= allowed,
        "{length} bytes of input took {memory} bytes of memory, and may take {allowed}"
    );
    assert!(
        seconds <= max_seconds,
        "{length} bytes of input took {seconds:.1} s, and may take {max_seconds} s"
    );
}

/// The processor time of this process.
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap();
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "bytes of memory")]
    fn an_input_that_takes_too_much_memory_fails() {
        measured(3, || drop(std::hint::black_box(vec![1u8; MAX_MEMORY + 1_000])));
    }

    #[test]
    #[should_panic(expected = "and may take 0.2 s")]
    fn an_input_that_takes_too_long_fails() {
        measured_within(0.2, 3, || {
            let began = processor_seconds();
            while processor_seconds() - began <= 0.2 {
                std::hint::spin_loop();
            }
        });
    }

    #[test]
    #[should_panic(expected = "the panic was caught")]
    fn an_input_that_makes_another_thread_panic_fails() {
        measured(3, || assert!(std::thread::spawn(|| panic!("on purpose")).join().is_err()));
    }
}
