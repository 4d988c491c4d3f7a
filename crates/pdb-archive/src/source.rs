//! An archive and a live stream as one source of records.

use std::marker::PhantomData;

use pdb_model::{SequenceNumber, StreamArn};
use pdb_streams::{
    EventDocument, SourceError, SourcePage, SourcePosition, SourceRecord, SourceShard, SourceStream,
    StreamSource, WakeHandle,
};

use crate::reader::Page;
use crate::record::head_of;
use crate::segment::Line;
use crate::token::Token;
use crate::{ArchiveError, ArchiveReader, ArchivedRecord, ArchivedShard};

/// The most records of a page.
const MAX_RECORDS: u32 = 1_000;

/// Streams with their archives: records come from the archive as far as that goes, and from the live stream behind it.
///
/// A position is the id of a shard and a sequence number, as in the live stream alone, so a [`Checkpoint`](pdb_streams::Checkpoint) is good for
/// both. Each record comes once. Where records are missing in both, the error is [`SourceError::Trimmed`]; reading goes on behind them. The
/// trim horizon is the first record of the archive.
#[derive(Debug)]
pub struct ArchivedStreams<S> {
    live: S,
    archive: ArchiveReader,
}

impl<S> ArchivedStreams<S> {
    /// Returns the streams of `live` with what the archive has of them.
    #[must_use]
    pub fn new(live: S, archive: ArchiveReader) -> Self {
        Self { live, archive }
    }

    /// Returns the reader of the archive alone.
    #[must_use]
    pub fn archive(&self) -> &ArchiveReader {
        &self.archive
    }
}

/// No live streams at all: for reading an archive whose database is gone.
#[derive(Clone, Copy, Debug)]
pub struct NoLiveStreams<R>(PhantomData<fn() -> R>);

impl<R> Default for NoLiveStreams<R> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<R: SourceRecord> StreamSource for NoLiveStreams<R> {
    type Record = R;

    fn streams(&self, _: &str) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    fn describe(&self, _: &str) -> Result<SourceStream, SourceError> {
        Err(SourceError::NotFound)
    }

    fn shard_iterator(&self, _: &str, _: &str, _: &SourcePosition) -> Result<String, SourceError> {
        Err(SourceError::NotFound)
    }

    fn records(&self, _: &str, _: Option<u32>) -> Result<SourcePage<R>, SourceError> {
        Err(SourceError::NotFound)
    }
}

/// A record as its line in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedLine {
    /// The line: a JSON object in the form that Lambda delivers.
    pub text: String,
    /// When the record was created.
    pub created: pdb_model::EpochMillis,
    number: SequenceNumber,
}

impl SourceRecord for ArchivedLine {
    fn sequence_number(&self) -> String {
        self.number.to_string()
    }

    fn document(&self, _: &str) -> EventDocument {
        EventDocument::parse(&self.text).expect("the head of the line was an object")
    }
}

impl ArchivedRecord for ArchivedLine {
    fn from_line(line: &str) -> Result<Self, String> {
        let (number, created) = head_of(line)?;
        Ok(Self { text: line.to_owned(), created, number })
    }
}

/// A shard of a stream, in the archive and live.
#[derive(Clone, Copy)]
struct Place<'p> {
    stream_arn: &'p str,
    shard_id: &'p str,
}

impl<S> ArchivedStreams<S>
where
    S: StreamSource<Record: ArchivedRecord>,
{
    /// Returns what the manifest says of a shard, if the archive has it.
    fn shard(&self, place: Place<'_>, is_fresh: bool) -> Result<Option<ArchivedShard>, SourceError> {
        // The archive has no streams of other services.
        let Ok(stream) = place.stream_arn.parse::<StreamArn>() else { return Ok(None) };
        let manifest = self.archive.manifest(&stream, is_fresh).map_err(failed)?;
        Ok(manifest.and_then(|manifest| manifest.shard(place.shard_id).cloned()))
    }

    /// Reads behind a position: in the archive, else live, else in objects of the archive that appeared meanwhile.
    fn read_behind(
        &self,
        place: Place<'_>,
        position: SequenceNumber,
        limit: Option<u32>,
    ) -> Result<SourcePage<S::Record>, SourceError> {
        if let Some(page) = self.read_archive(place, position, limit, false)? {
            return Ok(page);
        }
        let Place { stream_arn, shard_id } = place;
        let behind = SourcePosition::After(position.to_string());
        let live = match self.live.shard_iterator(stream_arn, shard_id, &behind) {
            Ok(iterator) => self.read_live(place, Some(position), &iterator, limit),
            Err(error) => Err(error),
        };
        match live {
            Err(error @ (SourceError::Trimmed | SourceError::NotFound)) => {
                self.read_behind_trim(place, position, limit, error)
            }
            live => live,
        }
    }

    /// Reads behind a position where the live stream has nothing any more: what was trimmed is in the archive by now, or was lost.
    fn read_behind_trim(
        &self,
        place: Place<'_>,
        position: SequenceNumber,
        limit: Option<u32>,
        error: SourceError,
    ) -> Result<SourcePage<S::Record>, SourceError> {
        if let Some(page) = self.read_archive(place, position, limit, true)? {
            return Ok(page);
        }
        if let Ok(stream) = place.stream_arn.parse::<StreamArn>() {
            let most = page_limit(limit);
            let unnamed = self.archive.unnamed_page(&stream, place.shard_id, position, most);
            if let Some(lines) = unnamed.map_err(failed)? {
                return page_of(place, lines);
            }
        }
        match (error, self.shard(place, false)?) {
            // The shard is gone, and the archive has it up to its end, as far as it knows.
            (SourceError::NotFound, Some(shard)) => match shard.ending_sequence_number {
                Some(ending) if ending > position => Err(SourceError::Trimmed),
                _ => Ok(SourcePage { records: Vec::new(), next_iterator: None }),
            },
            (error, _) => Err(error),
        }
    }

    /// Reads behind a position in the archive; `None` if it ends there.
    fn read_archive(
        &self,
        place: Place<'_>,
        position: SequenceNumber,
        limit: Option<u32>,
        is_fresh: bool,
    ) -> Result<Option<SourcePage<S::Record>>, SourceError> {
        let Some(shard) = self.shard(place, is_fresh)? else { return Ok(None) };
        match self.archive.page(&shard, position, page_limit(limit)).map_err(failed)? {
            Page::Lines(lines) => page_of(place, lines).map(Some),
            Page::Gap(_) if is_fresh => Err(SourceError::Trimmed),
            // The manifest in memory may be older than what fills the gap; the live stream may have the records, too.
            Page::Gap(_) | Page::End => Ok(None),
        }
    }

    /// Reads a page of the live stream. `position` is that of the iterator, if it is known.
    fn read_live(
        &self,
        place: Place<'_>,
        position: Option<SequenceNumber>,
        iterator: &str,
        limit: Option<u32>,
    ) -> Result<SourcePage<S::Record>, SourceError> {
        let page = self.live.records(iterator, limit)?;
        let last = page.records.last().and_then(|record| record.sequence_number().parse().ok());
        let next_iterator = page
            .next_iterator
            .map(|next| Token::live(place.stream_arn, place.shard_id, last.or(position), next));
        Ok(SourcePage { records: page.records, next_iterator })
    }

    /// Returns the position of an archived shard that a reader begins with.
    fn archived_position(
        &self,
        shard: &ArchivedShard,
        position: &SourcePosition,
    ) -> Result<Option<SequenceNumber>, SourceError> {
        Ok(match position {
            SourcePosition::TrimHorizon => shard.objects.first().map(|segment| segment.after),
            SourcePosition::AtTimestamp(time) => self.archive.position_at(shard, *time).map_err(failed)?,
            SourcePosition::After(number) => number.parse().ok(),
            SourcePosition::Latest => None,
        })
    }
}

impl<S> StreamSource for ArchivedStreams<S>
where
    S: StreamSource<Record: ArchivedRecord>,
{
    type Record = S::Record;

    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
        let mut streams = match self.live.streams(table_name) {
            Err(SourceError::NotFound) => Vec::new(),
            live => live?,
        };
        let (table_arn, name) = match table_name.split_once(":table/") {
            Some((_, name)) => (Some(table_name), name),
            None => (None, table_name),
        };
        // Without an ARN, the table is that of the live streams.
        let known = streams.first().and_then(|live| live.rsplit_once("/stream/"));
        let table_arn = table_arn.or(known.map(|(table, _)| table)).map(str::to_owned);
        for archived in self.archive.streams(name).map_err(failed)? {
            let is_of_table = table_arn.as_ref().is_none_or(|arn| archived.table.to_string() == *arn);
            let archived = archived.to_string();
            if is_of_table && !streams.contains(&archived) {
                streams.push(archived);
            }
        }
        let label = |arn: &str| arn.rsplit_once('/').map(|(_, label)| label.to_owned());
        streams.sort_by_key(|arn| std::cmp::Reverse(label(arn)));
        Ok(streams)
    }

    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
        let live = match self.live.describe(stream_arn) {
            Ok(live) => Some(live),
            Err(SourceError::NotFound) => None,
            Err(error) => return Err(error),
        };
        let manifest = match stream_arn.parse::<StreamArn>() {
            Ok(stream) => self.archive.manifest(&stream, true).map_err(failed)?,
            Err(_) => None,
        };
        if live.is_none() && manifest.is_none() {
            return Err(SourceError::NotFound);
        }
        let mut described = live.unwrap_or(SourceStream { is_live: false, shards: Vec::new() });
        for archived in manifest.iter().flat_map(|manifest| &manifest.shards) {
            if described.shards.iter().all(|shard| shard.shard_id != archived.shard_id) {
                // What the live stream does not list takes no records any more.
                described.shards.push(SourceShard {
                    shard_id: archived.shard_id.clone(),
                    parent_shard_id: archived.parent_shard_id.clone(),
                    is_open: false,
                    ending_sequence_number: None,
                });
            }
        }
        described.shards.sort_by(|a, b| a.shard_id.cmp(&b.shard_id));
        Ok(described)
    }

    fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<String, SourceError> {
        let place = Place { stream_arn, shard_id };
        if let Some(shard) = self.shard(place, false)?
            && let Some(after) = self.archived_position(&shard, position)?
        {
            // Whether something is there shows when it is read.
            return Ok(Token::archive(stream_arn, shard_id, after));
        }
        let after = match position {
            SourcePosition::After(number) => number.parse().ok(),
            _ => None,
        };
        match self.live.shard_iterator(stream_arn, shard_id, position) {
            Ok(iterator) => Ok(Token::live(stream_arn, shard_id, after, iterator)),
            Err(error @ (SourceError::NotFound | SourceError::Trimmed)) => match self.shard(place, true)? {
                Some(shard) => {
                    let archived = self.archived_position(&shard, position)?;
                    let end = shard.through().unwrap_or(shard.starting_sequence_number);
                    Ok(Token::archive(stream_arn, shard_id, archived.unwrap_or(end)))
                }
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<S::Record>, SourceError> {
        // An iterator of the live stream alone, from a checkpoint.
        let Some(token) = Token::parse(iterator) else { return self.live.records(iterator, limit) };
        let place = Place { stream_arn: &token.stream_arn, shard_id: &token.shard_id };
        match (&token.live, token.after) {
            (Some(iterator), after) => match (self.read_live(place, after, iterator, limit), after) {
                (Err(error @ (SourceError::Trimmed | SourceError::NotFound)), Some(after)) => {
                    self.read_behind_trim(place, after, limit, error)
                }
                (page, _) => page,
            },
            (None, Some(after)) => self.read_behind(place, after, limit),
            (None, None) => Err(SourceError::NotFound),
        }
    }

    fn position_behind_gap(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<SourcePosition, SourceError> {
        let place = Place { stream_arn, shard_id };
        let (SourcePosition::After(number), Some(shard)) = (position, self.shard(place, true)?) else {
            // A reader that has seen no record is where it wanted to be.
            return Ok(position.clone());
        };
        let Ok(number) = number.parse::<SequenceNumber>() else { return Ok(SourcePosition::TrimHorizon) };
        let behind = |number: SequenceNumber| Ok(SourcePosition::After(number.to_string()));
        if let Page::Gap(through) = self.archive.page(&shard, number, 1).map_err(failed)? {
            return behind(through);
        }
        // Behind the archive, the live stream has what is left.
        match self.live.shard_iterator(stream_arn, shard_id, &SourcePosition::TrimHorizon) {
            Ok(iterator) => match self.live.records(&iterator, Some(1))?.records.first() {
                Some(first) => {
                    let first: SequenceNumber =
                        first.sequence_number().parse().map_err(|_| not_a_number())?;
                    behind(SequenceNumber { counter: first.counter.saturating_sub(1), ..first })
                }
                None => {
                    let latest = self.live.shard_iterator(stream_arn, shard_id, &SourcePosition::Latest)?;
                    self.live.position_of(&latest).ok_or_else(|| {
                        SourceError::Failed("the shard has no records behind those that were trimmed".into())
                    })
                }
            },
            Err(SourceError::NotFound) => behind(shard.ending_sequence_number.unwrap_or(number)),
            Err(error) => Err(error),
        }
    }

    fn position_of(&self, iterator: &str) -> Option<SourcePosition> {
        let token = Token::parse(iterator)?;
        let after = token.after.map(|after| SourcePosition::After(after.to_string()));
        after.or_else(|| self.live.position_of(&token.live?))
    }

    fn wake_on_change(&self, wake: &WakeHandle) {
        self.live.wake_on_change(wake);
    }
}

/// Returns a page of records of the archive, and an iterator behind the last one.
fn page_of<R: ArchivedRecord>(place: Place<'_>, lines: Vec<Line>) -> Result<SourcePage<R>, SourceError> {
    let next = lines.last().map(|line| Token::archive(place.stream_arn, place.shard_id, line.number));
    let records = lines.iter().map(|line| {
        R::from_line(&line.text)
            .map_err(|reason| SourceError::Failed(format!("record {}: {reason}", line.number).into()))
    });
    Ok(SourcePage { records: records.collect::<Result<_, _>>()?, next_iterator: next })
}

fn page_limit(limit: Option<u32>) -> usize {
    limit.unwrap_or(MAX_RECORDS).clamp(1, MAX_RECORDS) as usize
}

fn failed(error: ArchiveError) -> SourceError {
    SourceError::Failed(Box::new(error))
}

fn not_a_number() -> SourceError {
    SourceError::Failed("the live stream has no sequence numbers".into())
}
