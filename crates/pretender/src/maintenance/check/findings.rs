//! Findings of a check, and how they are reported.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use pdb_model::TableName;
use pdb_store::StoreError;

use super::CheckEvent;
use super::contents::Contents;

/// How often a kind of finding is reported for one part of the database.
const MOST_TOLD: u64 = 20;
/// The number of rows after which progress is reported.
const ROWS_A_STEP: u64 = 1000;

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// The structure of the file: pages and SQL indexes.
    File,
    /// A row cannot be read, or differs from what was written.
    Row,
    /// A text is not the JSON of an item in canonical form.
    Text,
    /// A row is not stored under its key.
    Key,
    /// A size differs from that of the stored value.
    Size,
    /// Counts and sizes of a table, index or backup differ from those of its rows.
    Count,
    /// An index differs from its table.
    Index,
    /// The stored time of expiry differs from that in the item.
    Expiry,
    /// A stream record contradicts its stream or its shard.
    Record,
    /// The history of a table contradicts itself or the table.
    History,
    /// The lineage of shards has a gap, or the open shards do not cover all keys.
    Shard,
    /// A stream that has all changes of its table does not lead to the items of the table.
    Replay,
    /// A row belongs to nothing, or a row is missing.
    Orphan,
}

impl FindingKind {
    /// Returns the name of the kind, for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Row => "row",
            Self::Text => "text",
            Self::Key => "key",
            Self::Size => "size",
            Self::Count => "count",
            Self::Index => "index",
            Self::Expiry => "expiry",
            Self::Record => "record",
            Self::History => "history",
            Self::Shard => "shard",
            Self::Replay => "replay",
            Self::Orphan => "orphan",
        }
    }
}

/// An error in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind.
    pub kind: FindingKind,
    /// The part of the database, such as `items of Orders`.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind.as_str(), self.subject, self.detail)
    }
}

/// Progress of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// The part that is checked, for people.
    pub part: String,
    /// Rows of this part that are done.
    pub part_rows: u64,
    /// Whether the part is done.
    pub is_part_done: bool,
    /// Rows of all parts that are done.
    pub rows: u64,
    /// Approximate number of rows in all parts.
    pub rows_at_most: u64,
}

/// Report of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Tables.
    pub tables: u64,
    /// Streams, also disabled ones.
    pub streams: u64,
    /// Rows of all kinds: items, index entries, stream records, and smaller things.
    pub rows: u64,
    /// Rows among them without a checksum, which an earlier version wrote. Damage to them may not be found.
    pub rows_without_checksum: u64,
    /// Streams that were replayed, because they have all changes of their tables.
    pub streams_replayed: u64,
    /// Findings, including those that were not reported individually.
    pub findings: u64,
}

impl CheckReport {
    /// Returns whether there are no findings.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings == 0
    }
}

/// Collects what is found.
pub(super) struct Findings<'e> {
    each: &'e mut dyn FnMut(CheckEvent),
    pub(super) report: CheckReport,
    /// What was found in the part that is being checked, by kind and place, beyond the findings that were reported.
    unreported: BTreeMap<(FindingKind, String), u64>,
    contents: BTreeMap<TableName, Contents>,
    part: String,
    part_rows: u64,
    rows_at_most: u64,
}

impl<'e> Findings<'e> {
    pub(super) fn new(each: &'e mut dyn FnMut(CheckEvent), rows_at_most: u64) -> Self {
        Self {
            each,
            report: CheckReport::default(),
            unreported: BTreeMap::new(),
            contents: BTreeMap::new(),
            part: String::new(),
            part_rows: 0,
            rows_at_most,
        }
    }

    /// Something is wrong.
    pub(super) fn add(&mut self, kind: FindingKind, subject: &str, detail: &str) {
        self.report.findings += 1;
        let count = self.unreported.entry((kind, subject.to_owned())).or_default();
        *count += 1;
        if *count <= MOST_TOLD {
            let finding = Finding { kind, subject: subject.to_owned(), detail: detail.to_owned() };
            (self.each)(CheckEvent::Finding(finding));
        }
    }

    /// A row is damaged.
    pub(super) fn damaged(&mut self, subject: &str, error: &StoreError) {
        self.add(FindingKind::Row, subject, &with_causes(error));
    }

    /// A part cannot be read on.
    pub(super) fn broken(&mut self, subject: &str, error: &StoreError) {
        self.add(FindingKind::Row, subject, &format!("it cannot be read on: {}", with_causes(error)));
    }

    /// A part begins.
    pub(super) fn begin(&mut self, part: &str) {
        self.part = part.to_owned();
        self.part_rows = 0;
    }

    /// A row of the part is done.
    pub(super) fn row(&mut self, has_checksum: bool) -> ControlFlow<()> {
        self.part_rows += 1;
        self.report.rows += 1;
        self.report.rows_without_checksum += u64::from(!has_checksum);
        if self.part_rows.is_multiple_of(ROWS_A_STEP) {
            self.tell_progress(false);
        }
        ControlFlow::Continue(())
    }

    /// A part was walked through, perhaps not to its end.
    pub(super) fn walked(&mut self, subject: &str, walked: Result<(), StoreError>) {
        if let Err(error) = walked {
            self.broken(subject, &error);
        }
        self.end();
    }

    /// The part is done.
    pub(super) fn end(&mut self) {
        for ((kind, subject), count) in std::mem::take(&mut self.unreported) {
            if let Some(more) = count.checked_sub(MOST_TOLD).filter(|more| *more > 0) {
                let finding = Finding { kind, subject, detail: format!("and {more} more like these") };
                (self.each)(CheckEvent::Finding(finding));
            }
        }
        self.tell_progress(true);
    }

    pub(super) fn table_contents(&mut self, name: &TableName, contents: Contents) {
        self.contents.insert(name.clone(), contents);
    }

    /// What the table of this name has.
    pub(super) fn contents_of(&self, name: &TableName) -> Option<&Contents> {
        self.contents.get(name)
    }

    pub(super) fn finish(mut self) -> CheckReport {
        self.begin("");
        self.unreported.clear();
        self.report
    }

    pub(super) fn tell_progress(&mut self, is_part_done: bool) {
        let progress = CheckProgress {
            part: self.part.clone(),
            part_rows: self.part_rows,
            is_part_done,
            rows: self.report.rows,
            rows_at_most: self.rows_at_most,
        };
        (self.each)(CheckEvent::Progress(progress));
    }
}

/// An error with its cause.
fn with_causes(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
