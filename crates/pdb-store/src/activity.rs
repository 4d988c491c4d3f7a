//! Work that may take long, for those who want to know how far it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The long work that is going on with a database. Cheap to clone; all clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct Activities(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    next: u64,
    going_on: Vec<(u64, Instant, ActivityReport)>,
}

/// How far some work is.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityReport {
    /// What is being done, such as `restoring the snapshot seeded`.
    pub what: String,
    /// The part of it that is being done, such as `reading`.
    pub part: &'static str,
    /// From where to where this part reaches, of 1 for the whole work. By what parts cost, so that this is about the time.
    pub share: (f64, f64),
    /// How much of the part is done, in units.
    pub done: u64,
    /// How much there is in the part; 0 while that is not known.
    pub total: u64,
    /// What is counted: `bytes`, `rows` or `items`.
    pub unit: &'static str,
    /// For how long the work has been going on.
    pub elapsed: Duration,
}

/// Work that is going on, until this is dropped.
#[derive(Debug)]
pub struct Activity {
    all: Activities,
    number: u64,
}

impl Activities {
    fn lock(&self) -> MutexGuard<'_, List> {
        // Entries are changed in single steps.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that work begins.
    pub fn begin(&self, what: impl Into<String>) -> Activity {
        let report = ActivityReport {
            what: what.into(),
            part: "",
            share: (0.0, 1.0),
            done: 0,
            total: 0,
            unit: "bytes",
            elapsed: Duration::ZERO,
        };
        let mut list = self.lock();
        list.next += 1;
        let number = list.next;
        list.going_on.push((number, Instant::now(), report));
        Activity { all: self.clone(), number }
    }

    /// Returns what is going on, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<ActivityReport> {
        let list = self.lock();
        let reports = list.going_on.iter();
        reports
            .map(|(_, begun, report)| ActivityReport { elapsed: begun.elapsed(), ..report.clone() })
            .collect()
    }
}

impl Activity {
    fn change(&self, change: impl FnOnce(&mut ActivityReport)) {
        let mut list = self.all.lock();
        if let Some((_, _, report)) = list.going_on.iter_mut().find(|(number, ..)| *number == self.number) {
            change(report);
        }
    }

    /// Notes that a part of the work begins.
    pub fn begin_part(&self, part: &'static str, unit: &'static str, share: (f64, f64)) {
        self.change(|report| {
            (report.part, report.unit, report.share) = (part, unit, share);
            (report.done, report.total) = (0, 0);
        });
    }

    /// Notes how far the part is.
    pub fn step(&self, done: u64, total: u64) {
        self.change(|report| (report.done, report.total) = (done, total));
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.all.lock().going_on.retain(|(number, ..)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_listed_while_it_goes_on() {
        let activities = Activities::default();
        let first = activities.begin("first");
        let second = activities.begin("second");
        second.begin_part("reading", "rows", (0.5, 1.0));
        second.step(3, 4);
        let listed = activities.list();
        assert_eq!(listed.iter().map(|report| &*report.what).collect::<Vec<_>>(), ["first", "second"]);
        let report = &listed[1];
        assert_eq!((report.part, report.done, report.total, report.share), ("reading", 3, 4, (0.5, 1.0)));
        drop(first);
        assert_eq!(activities.list().len(), 1);
        drop(second);
        assert!(activities.list().is_empty());
    }
}
