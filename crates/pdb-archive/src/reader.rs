//! Reads archives: manifests, and pages of records.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pdb_model::{EpochMillis, SequenceNumber, StreamArn};

use crate::layout::MANIFEST;
use crate::manifest::Behind;
use crate::segment::{Line, OpenSegment};
use crate::{ArchiveError, ArchiveLocation, ArchivedShard, Manifest, Segment, adopt};

/// How many objects are kept open for the next page.
const MAX_OPEN: usize = 8;
/// The most text of a page; one record always fits.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// Reads the archive in a place.
#[derive(Debug)]
pub struct ArchiveReader {
    location: Option<ArchiveLocation>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By the ARN of the stream, as they were read last.
    manifests: HashMap<String, Arc<Manifest>>,
    /// Objects that a reader is in the middle of; the one that was used last is the last.
    open: Vec<OpenSegment>,
}

impl ArchiveReader {
    /// Returns a reader of the archive in this place. Without a place, every call fails with [`ArchiveError::NoArchive`].
    #[must_use]
    pub fn new(location: Option<ArchiveLocation>) -> Self {
        Self { location, state: Mutex::default() }
    }

    fn location(&self) -> Result<&ArchiveLocation, ArchiveError> {
        self.location.as_ref().ok_or(ArchiveError::NoArchive)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is in it can be read again at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the ARNs of the archived streams of a table, newest first.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Objects`], [`ArchiveError::Damaged`], [`ArchiveError::NoArchive`].
    pub fn streams(&self, table_name: &str) -> Result<Vec<StreamArn>, ArchiveError> {
        let location = self.location()?;
        let mut keys = Vec::new();
        location.objects.list(&location.bucket, &location.table_folder(table_name), &mut |object| {
            if object.key.ends_with(&format!("/{MANIFEST}")) {
                keys.push(object.key);
            }
            ControlFlow::Continue(())
        })?;
        let mut streams = Vec::new();
        for key in keys {
            streams.extend(Manifest::load(location, &key)?.map(|manifest| manifest.stream_arn));
        }
        streams.retain(|stream| stream.table.name.as_str() == table_name);
        streams.sort_by(|a, b| (&b.label, b).cmp(&(&a.label, a)));
        Ok(streams)
    }

    /// Returns the manifest of a stream; `None` if the archive does not have the stream. Unless `is_fresh`, it may be the one that was read last.
    ///
    /// # Errors
    ///
    /// As [`streams`](Self::streams).
    pub fn manifest(
        &self,
        stream: &StreamArn,
        is_fresh: bool,
    ) -> Result<Option<Arc<Manifest>>, ArchiveError> {
        let name = stream.to_string();
        if !is_fresh && let Some(known) = self.state().manifests.get(&name) {
            return Ok(Some(known.clone()));
        }
        let location = self.location()?;
        let Some(loaded) = Manifest::load(location, &location.manifest_key(stream))? else { return Ok(None) };
        let loaded = Arc::new(loaded);
        self.state().manifests.insert(name, loaded.clone());
        Ok(Some(loaded))
    }

    /// Returns the next records behind a position, at most `limit` of them; none if the archive does not have them. If it knows that they
    /// were trimmed, that is [`Behind::Gap`].
    pub(crate) fn page(
        &self,
        shard: &ArchivedShard,
        position: SequenceNumber,
        limit: usize,
    ) -> Result<Page, ArchiveError> {
        match shard.behind(position) {
            Behind::Segment(segment) => self.lines(segment, position, limit).map(Page::Lines),
            Behind::Gap(through) => Ok(Page::Gap(through)),
            Behind::End => Ok(Page::End),
        }
    }

    /// As [`page`](Self::page), from objects that the manifest does not name.
    pub(crate) fn unnamed_page(
        &self,
        stream: &StreamArn,
        shard_id: &str,
        position: SequenceNumber,
        limit: usize,
    ) -> Result<Option<Vec<Line>>, ArchiveError> {
        let found = adopt::objects_behind(self.location()?, stream, shard_id, Some(position))?;
        let covers = |segment: &&Segment| segment.after <= position && position < segment.last;
        found.iter().find(covers).map(|segment| self.lines(segment, position, limit)).transpose()
    }

    /// Returns records of an object, behind a position that is before its last one.
    fn lines(
        &self,
        segment: &Segment,
        position: SequenceNumber,
        limit: usize,
    ) -> Result<Vec<Line>, ArchiveError> {
        let mut open = self.open(segment, position)?;
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < limit && bytes < MAX_PAGE_BYTES {
            let Some(line) = open.next()? else { return Ok(lines) };
            if line.number > position {
                bytes += line.text.len();
                lines.push(line);
            }
        }
        let mut state = self.state();
        if state.open.len() >= MAX_OPEN {
            state.open.remove(0);
        }
        state.open.push(open);
        Ok(lines)
    }

    /// Returns an open object that has returned no record behind the position.
    fn open(&self, segment: &Segment, position: SequenceNumber) -> Result<OpenSegment, ArchiveError> {
        let mut state = self.state();
        let known = state.open.iter().position(|open| open.segment == *segment && open.position <= position);
        if let Some(at) = known {
            return Ok(state.open.remove(at));
        }
        drop(state);
        OpenSegment::open(self.location()?, segment)
    }

    /// Returns the position before the first record that was created at a time or later; `None` if the archive has none.
    pub(crate) fn position_at(
        &self,
        shard: &ArchivedShard,
        time: EpochMillis,
    ) -> Result<Option<SequenceNumber>, ArchiveError> {
        let Some(segment) = shard.objects.iter().find(|segment| segment.newest >= time) else {
            return Ok(None);
        };
        let mut open = OpenSegment::open(self.location()?, segment)?;
        let mut before = segment.after;
        while let Some(line) = open.next()? {
            if line.created >= time {
                return Ok(Some(before));
            }
            before = line.number;
        }
        Err(self.location()?.damaged(&segment.key, "its newest record is older than the manifest says"))
    }
}

/// What the archive has behind a position.
#[derive(Debug)]
pub(crate) enum Page {
    /// The next records; at least one.
    Lines(Vec<Line>),
    /// The records up to this number were trimmed unarchived.
    Gap(SequenceNumber),
    /// Nothing.
    End,
}
