//! Metrics in the text format of Prometheus: `GET /_pretender/metrics`.
//!
//! Requests are counted always, with one atomic increment each. Everything else costs nothing until somebody looks: most values are read
//! from the databases for each scrape, and the times of requests, commits and waits are measured from the first scrape on.

mod archive;
mod exposition;
mod histograms;
mod names;
mod process;
mod requests;
mod triggers;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use pdb_trigger::TriggerMonitor;
use pdb_wire::Operation;
use pretender::Pretender;
use pretender::observe::StoreObserver;
use pretender::time::{Clock, EpochMillis, SystemClock};

use exposition::{DatabaseLabels, Exposition};
use histograms::Histograms;
use requests::RequestCounts;

/// What a server counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: EpochMillis,
    requests: RequestCounts,
    /// From the first scrape on.
    histograms: OnceLock<Arc<Histograms>>,
}

/// A database whose values a scrape shows.
pub(crate) struct Scraped {
    /// Its name, if the server has several.
    pub(crate) name: Option<String>,
    pub(crate) pretender: Pretender,
    /// Whether the server has a database for each region.
    pub(crate) has_region: bool,
}

/// A request whose time is measured, if anybody wants to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTimer(Option<Instant>);

impl Metrics {
    /// Begins to count.
    pub(crate) fn new() -> Self {
        Self { started: SystemClock.now(), requests: RequestCounts::default(), histograms: OnceLock::new() }
    }

    /// Notes that a request begins.
    pub(crate) fn begin(&self) -> RequestTimer {
        RequestTimer(self.histograms.get().map(|_| Instant::now()))
    }

    /// Counts a request for an operation, or for none: the status and the body of its answer, or nothing if a fault has dropped its
    /// connection.
    pub(crate) fn count(
        &self,
        operation: Option<Operation>,
        answer: Option<(u16, &[u8])>,
        timer: RequestTimer,
    ) {
        self.requests.count(operation, answer);
        if let (Some(begun), Some(operation), Some(histograms)) = (timer.0, operation, self.histograms.get())
        {
            histograms.record_request(operation, begun.elapsed());
        }
    }

    /// Returns the text of a scrape of these databases and triggers. Blocks while it reads the databases.
    pub(crate) fn scrape(&self, databases: &[Scraped], triggers: &[TriggerMonitor]) -> String {
        let histograms = self.histograms.get_or_init(Arc::default);
        let mut exposition = Exposition::new();
        process::add(&mut exposition, self.started);
        self.requests.add(&mut exposition);
        triggers::add(&mut exposition, triggers);
        for database in databases {
            // Another server of the same process may observe it already.
            database.pretender.observe_store(histograms.clone());
            let account = database.pretender.account();
            let labels = DatabaseLabels::new(
                database.name.as_deref(),
                database.has_region.then_some(account.region.as_str()),
            );
            exposition.add_database(&labels, &database.pretender);
            archive::add(&mut exposition, &labels, &database.pretender);
        }
        let mut text = exposition.render();
        histograms.render_into(&mut text);
        text
    }
}

impl StoreObserver for Histograms {
    fn committed(&self, jobs: u64, took: Duration) {
        self.record_commit(jobs, took);
    }

    fn waited_for_reader(&self, waited: Duration) {
        self.record_reader_wait(waited);
    }

    fn copied_log(&self, took: Duration) {
        self.record_log_copy(took);
    }
}

#[cfg(test)]
mod tests;
