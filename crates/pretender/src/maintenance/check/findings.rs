//! What a check finds, and how it is told.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use pdb_model::TableName;
use pdb_store::StoreError;

use super::CheckEvent;
use super::items::Contents;

/// How often a kind of finding is told of one part of the database.
const MOST_TOLD: u64 = 20;
/// After how many rows progress is told.
const ROWS_A_STEP: u64 = 1000;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// The structure of the file: pages and SQL indexes.
    File,
    /// A row cannot be read, or is not what was written.
    Row,
    /// A text is not what it must be: JSON of an item, in its canonical form.
    Text,
    /// A row is not stored under its key.
    Key,
    /// A size is not that of what is stored.
    Size,
    /// Counts and sizes of a table, index or backup are not those of its rows.
    Count,
    /// An index is not what its table says.
    Index,
    /// A moment of expiry is not what the item says.
    Expiry,
    /// A stream record contradicts its stream or its shard.
    Record,
    /// Shards do not follow each other, or do not share all keys among them.
    Shard,
    /// A stream that has all changes does not lead to what its table has.
    Replay,
    /// Something belongs to nothing, or is missing.
    Orphan,
}

impl FindingKind {
    /// Returns a word for it, for programs.
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
            Self::Shard => "shard",
            Self::Replay => "replay",
            Self::Orphan => "orphan",
        }
    }
}

/// Something that is wrong in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// Where it is, such as `items of Orders`.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind.as_str(), self.subject, self.detail)
    }
}

/// How far a check is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// What is checked, in words.
    pub part: String,
    /// Rows of this part that are done.
    pub part_rows: u64,
    /// Whether the part is done.
    pub is_part_done: bool,
    /// Rows of all parts that are done.
    pub rows: u64,
    /// About how many rows there are in all parts.
    pub rows_at_most: u64,
}

/// What was checked, and how much was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Tables.
    pub tables: u64,
    /// Streams, also disabled ones.
    pub streams: u64,
    /// Rows of all kinds: items, index entries, stream records, and smaller things.
    pub rows: u64,
    /// Of these, rows without a checksum, which an earlier version wrote: damage to them may go unnoticed.
    pub rows_without_checksum: u64,
    /// Streams that were replayed, since they have all changes of their tables.
    pub streams_replayed: u64,
    /// Findings, also those that were not told one by one.
    pub findings: u64,
}

impl CheckReport {
    /// Returns whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings == 0
    }
}

/// Collects what is found.
pub(super) struct Findings<'e> {
    each: &'e mut dyn FnMut(CheckEvent),
    pub(super) report: CheckReport,
    /// What was found in the part that is being checked, by kind and place, besides what was told.
    untold: BTreeMap<(FindingKind, String), u64>,
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
            untold: BTreeMap::new(),
            contents: BTreeMap::new(),
            part: String::new(),
            part_rows: 0,
            rows_at_most,
        }
    }

    /// Something is wrong.
    pub(super) fn add(&mut self, kind: FindingKind, subject: &str, detail: &str) {
        self.report.findings += 1;
        let count = self.untold.entry((kind, subject.to_owned())).or_default();
        *count += 1;
        if *count <= MOST_TOLD {
            let finding = Finding { kind, subject: subject.to_owned(), detail: detail.to_owned() };
            (self.each)(CheckEvent::Finding(finding));
        }
    }

    /// A row is damaged.
    pub(super) fn damaged(&mut self, subject: &str, error: &StoreError) {
        self.add(FindingKind::Row, subject, &told(error));
    }

    /// A part cannot be read on.
    pub(super) fn broken(&mut self, subject: &str, error: &StoreError) {
        self.add(FindingKind::Row, subject, &format!("it cannot be read on: {}", told(error)));
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
        for ((kind, subject), count) in std::mem::take(&mut self.untold) {
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
        self.untold.clear();
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
fn told(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
