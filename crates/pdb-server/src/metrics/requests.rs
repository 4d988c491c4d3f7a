//! How many requests were answered, and how.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pdb_wire::{Operation, Response};

use super::exposition::Exposition;
use super::names;

/// The result of a request that has no error.
const OK: &str = "ok";
/// The result of a request whose connection a fault has dropped.
const DROPPED: &str = "dropped";
/// The operation of a request that names none.
const UNKNOWN: &str = "unknown";

/// Requests by operation and result.
#[derive(Debug)]
pub(super) struct RequestCounts {
    /// Those that succeeded, by the number of their operation.
    ok: Vec<AtomicU64>,
    /// The others, by the name of the operation and the result. Codes are those of our answers, so there are not many.
    failed: Mutex<BTreeMap<(&'static str, String), u64>>,
}

impl Default for RequestCounts {
    fn default() -> Self {
        let ok = Operation::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self { ok, failed: Mutex::default() }
    }
}

impl RequestCounts {
    pub(super) fn count(&self, operation: Operation, response: Option<&Response>) {
        match response {
            Some(response) if response.status == 200 => {
                if let Some(count) = self.ok.get(operation as usize) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            Some(response) => self.count_failed(operation.name(), code_of(response)),
            None => self.count_failed(operation.name(), DROPPED.to_owned()),
        }
    }

    pub(super) fn count_unknown(&self, response: &Response) {
        self.count_failed(UNKNOWN, code_of(response));
    }

    fn count_failed(&self, operation: &'static str, result: String) {
        *self
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((operation, result))
            .or_default() += 1;
    }

    pub(super) fn add(&self, exposition: &mut Exposition) {
        for (operation, count) in Operation::ALL.iter().zip(&self.ok) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                let labels = [("operation", operation.name()), ("result", OK)];
                exposition.counter(names::REQUESTS, &labels, count);
            }
        }
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((operation, result), count) in &failed {
            exposition.counter(names::REQUESTS, &[("operation", operation), ("result", result)], *count);
        }
    }
}

/// Returns the code of an error, such as `ValidationException`.
fn code_of(response: &Response) -> String {
    crate::error_code::find(&response.body).unwrap_or_else(|| response.status.to_string())
}
