//! Tells those that wait for new records that there was a commit.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

type Watcher = Box<dyn Fn() -> bool + Send + Sync>;

/// Functions to be called after each commit.
#[derive(Default)]
pub(crate) struct Watchers {
    /// Whether there are any: writers look at nothing else while nobody watches.
    any: AtomicBool,
    /// How often there was something to tell.
    commits: AtomicU64,
    list: Mutex<Vec<Watcher>>,
}

impl Watchers {
    pub(crate) fn add(&self, watcher: Watcher) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(watcher);
        self.any.store(true, Ordering::Release);
    }

    /// How often [`call`](Self::call) was called.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Calls all, and forgets those that want no more.
    pub(crate) fn call(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.remind();
    }

    /// As [`call`](Self::call), if there may have been a commit.
    pub(crate) fn remind(&self) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|watcher| watcher());
        self.any.store(!list.is_empty(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn a_watcher_is_called_until_it_has_enough() {
        let watchers = Watchers::default();
        watchers.call();
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        watchers.add(Box::new(move || counted.fetch_add(1, Ordering::Relaxed) < 2));
        (0..5).for_each(|_| watchers.call());
        assert_eq!(calls.load(Ordering::Relaxed), 3);
        assert_eq!(watchers.commits(), 6);
    }
}
