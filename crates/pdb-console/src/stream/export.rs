//! Records as a file: one JSON object a line, in the form in which Lambda gets them.

use pdb_trigger::EventRecord;
use pretender::streams::StartPosition;
use pretender::streams::source::SourceError;
use pretender::time::EpochMillis;

use super::Selection;
use crate::tail::Walk;
use crate::{Answer, Context, Request};

/// The most records of a file.
pub(super) const MAX_RECORDS: usize = 10_000;
/// The most records that are looked at to find them.
const MAX_LOOKED_AT: usize = 200_000;

/// Answers with the records that a page shows as a file: all between two times that match its filter, also those that the page has left
/// out because there were too many.
pub(crate) fn export(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let parameters = request.query();
    let selection = match Selection::of(context, &parameters) {
        Ok(selection) => selection,
        Err(answer) => return *answer,
    };
    let time = |name: &str| parameters.get(name).parse().map(EpochMillis);
    let (since, until) = (time("since").unwrap_or_default(), time("until").unwrap_or(EpochMillis(i64::MAX)));
    let (arn, filter, _) = match selection.checked() {
        Ok(checked) => checked,
        Err(text) => return Answer::failed(context, "Export", &text),
    };
    let text = arn.to_string();
    let records = || -> Result<_, SourceError> {
        let mut walk = Walk::start(context.pretender(), &arn, StartPosition::AtTimestamp(since))?;
        walk.read_merged(MAX_RECORDS, MAX_LOOKED_AT, |record| {
            (since..=until).contains(&record.created) && filter.matches(record, &text)
        })
    };
    let (records, are_all) = match records() {
        Ok(records) => records,
        Err(error) => {
            return Answer::failed(context, "Export", &format!("The records cannot be read: {error}."));
        }
    };
    let mut lines = String::new();
    for new in &records {
        lines.push_str(EventRecord::new(&new.record, &text).json());
        lines.push('\n');
    }
    Answer::Download {
        file_name: format!(
            "{}-{}{}-records.jsonl",
            arn.table.name.as_str(),
            if are_all { "" } else { "first-" },
            records.len()
        ),
        content_type: "application/x-ndjson",
        bytes: lines.into_bytes(),
    }
}
