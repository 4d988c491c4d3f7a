//! `GET /_pretender/metrics`: the server's metrics for Prometheus.
//!
//! They name tables and shards, and show no contents. Web pages cannot read them. If the server has a token, a scrape must carry it, as
//! commands must.

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::HttpService;
use super::answer::Answer;
use crate::NamedDatabases;
use crate::blocking::blocking;
use crate::database::Database;
use crate::metrics::Scraped;

/// The path of the request.
const PATH: &str = "/_pretender/metrics";

/// Returns whether a request asks for the metrics.
pub(super) fn is_asked_for(parts: &Parts) -> bool {
    (parts.method == Method::GET || parts.method == Method::HEAD) && parts.uri.path() == PATH
}

impl HttpService {
    /// Answers with the metrics of all databases of the server, or of the one that the path names. Triggers belong to the server's own.
    pub(super) async fn show_metrics(&self, name: Option<&str>) -> Answer {
        let scraped = match self.scraped(name) {
            Ok(scraped) => scraped,
            Err(text) => return Answer::text(StatusCode::NOT_FOUND, &format!("{text}\n")),
        };
        // One scrape at a time: each reads all databases. The semaphore is never closed.
        let turn = self.scrapes.clone().acquire_owned().await.ok();
        let (metrics, triggers) = (self.metrics.clone(), self.console.triggers(name).to_vec());
        let text = blocking(move || {
            let text = metrics.scrape(&scraped, &triggers);
            drop(turn);
            text
        });
        match text.await {
            Some(text) => Answer::metrics(text),
            None => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n"),
        }
    }

    fn scraped(&self, name: Option<&str>) -> Result<Vec<Scraped>, String> {
        if let Some(name) = name {
            return Ok(scraped_of(&*self.database_for_console(Some(name))?, Some(name.to_owned())));
        }
        let has_names = self.databases.is_some();
        let mut scraped = scraped_of(&self.home, has_names.then(|| NamedDatabases::OWN.to_owned()));
        for (name, database) in self.databases.iter().flat_map(NamedDatabases::open_databases) {
            scraped.extend(scraped_of(&database, Some(name)));
        }
        Ok(scraped)
    }
}

fn scraped_of(database: &Database, name: Option<String>) -> Vec<Scraped> {
    let regions = database.regions();
    let has_region = regions.are_separate();
    let of_region = |pretender| Scraped { name: name.clone(), pretender, has_region };
    regions.all().into_iter().map(of_region).collect()
}
