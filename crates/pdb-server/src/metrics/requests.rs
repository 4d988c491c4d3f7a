//! How many requests were answered, and how.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pdb_wire::Operation;

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
    pub(super) fn count(&self, operation: Option<Operation>, answer: Option<(u16, &[u8])>) {
        let name = operation.map_or(UNKNOWN, Operation::name);
        match answer {
            Some((200, _)) => {
                if let Some(count) = operation.and_then(|operation| self.ok.get(operation as usize)) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            Some((status, body)) => self.count_failed(name, code_of(status, body)),
            None => self.count_failed(name, DROPPED.to_owned()),
        }
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
fn code_of(status: u16, body: &[u8]) -> String {
    crate::error_code::find(body).unwrap_or_else(|| status.to_string())
}
