//! The progress of long work.

use pretender::Pretender;
use pretender::maintenance::ActivityReport;
use serde_json::{Value, json};

use super::CommandContext;

impl CommandContext<'_> {
    /// Shows the work on the databases of all regions, because a client that waits may not know the region.
    pub(super) fn show_progress(&self) -> Value {
        let databases = self.control.regions.all();
        json!({ "activities": databases.iter().flat_map(activities).collect::<Vec<_>>() })
    }
}

fn activities(database: &Pretender) -> Vec<Value> {
    let region = &database.account().region;
    let shown = |report: ActivityReport| {
        json!({
            "region": region,
            "what": report.what,
            "part": report.part,
            "share": [report.share.0, report.share.1],
            "done": report.done,
            "total": report.total,
            "unit": report.unit,
            "elapsed_millis": u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    };
    database.activities().into_iter().map(shown).collect()
}
