//! Metrics of the archive of a database.

use std::time::Duration;

use pretender::Pretender;

use super::exposition::{DatabaseLabels, Exposition};
use super::names;

/// Adds what the archive of a database has done, if it has one.
pub(super) fn add(exposition: &mut Exposition, labels: &DatabaseLabels, database: &Pretender) {
    let Some(status) = database.archive_status() else { return };
    let labels = labels.and(&[]);
    for (metric, value) in [
        (names::ARCHIVED_OBJECTS, status.objects),
        (names::ARCHIVED_RECORDS, status.records),
        (names::ARCHIVE_FAILURES, status.failures),
        (names::ARCHIVE_LOST, status.lost_records),
    ] {
        exposition.counter(metric, &labels, value);
    }
    let now = database.env().clock.now();
    let delay = status.oldest_waiting.map_or(Duration::ZERO, |oldest| now.since(oldest));
    exposition.gauge(names::ARCHIVE_DELAY, &labels, delay.as_secs_f64());
}
