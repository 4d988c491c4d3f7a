//! `pretender ctl stream`.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use pretender::archive::{ArchiveOptions, ArchivedLine, ArchivedStreams, NoLiveStreams};
use pretender::streams::{Subscription, TailError};
use pretender::time::EpochMillis;
use serde_json::{Value, json};

use super::Show;
use super::lines;
use crate::client::Control;
use crate::commands::archive_reader::reader_of;
use crate::commands::object_settings::ObjectSettings;
use crate::terminal::warn;

/// The most records, and bytes of records, in one request. The server accepts 16 MB.
const MAX_RECORDS: usize = 1_000;
const MAX_BYTES: usize = 4 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum StreamCommand {
    /// Apply the records of a file or of an archive to a table, in order
    ///
    /// `pretender tail TABLE --export FILE` writes such files, `pretender serve --archive` such archives.
    Replay(Replay),
}

#[derive(Args, Debug)]
pub(super) struct Replay {
    /// File with one record per line, in the format of GetRecords or of Lambda
    #[arg(required_unless_present = "archive", conflicts_with = "archive")]
    file: Option<PathBuf>,

    /// Table to replay into, which must exist and have the same key
    #[arg(long)]
    table: String,

    /// Archive to read instead of a file: its bucket, with the prefix if it has one
    #[arg(long, value_name = "BUCKET[/PREFIX]")]
    archive: Option<ArchiveOptions>,

    /// Table whose archived streams to read, or the ARN of one stream [default: the table of --table]
    #[arg(long, value_name = "TABLE|ARN", requires = "archive")]
    stream: Option<String>,

    /// Read only records that were created at this time or later
    #[arg(long, value_name = "TIME", value_parser = pdb_server::parse_time, requires = "archive")]
    from: Option<EpochMillis>,

    /// Read only records that were created at this time or earlier
    #[arg(long, value_name = "TIME", value_parser = pdb_server::parse_time, requires = "archive")]
    until: Option<EpochMillis>,

    #[command(flatten)]
    objects: ObjectSettings,
}

/// A line, with its number for errors: the text, or why it cannot be read.
type Line = (u64, Result<String, String>);

impl StreamCommand {
    pub(super) fn send(self, client: &Control) -> Result<(Value, Show), Box<dyn Error>> {
        let Self::Replay(replay) = self;
        let lines: Box<dyn Iterator<Item = Line>> = match (&replay.file, &replay.archive) {
            (Some(file), _) => Box::new(lines_of(file)?),
            (None, Some(archive)) => Box::new((1..).zip(replay.archived(archive)?)),
            (None, None) => return Err("no file and no archive".into()),
        };
        send(client, &replay.table, lines)
    }
}

impl Replay {
    /// Returns the records of an archive: stream after stream, parents before children.
    fn archived(
        &self,
        archive: &ArchiveOptions,
    ) -> Result<impl Iterator<Item = Result<String, String>> + use<>, Box<dyn Error>> {
        let source = self.stream.as_deref().unwrap_or(&self.table);
        let reader = reader_of(archive, &self.objects)?;
        let streams: Vec<String> = if source.starts_with("arn:") {
            vec![source.to_owned()]
        } else {
            // Newest first; what happened is told from the beginning.
            reader.streams(source)?.iter().rev().map(ToString::to_string).collect()
        };
        if streams.is_empty() {
            return Err(format!("the archive in `{archive}` has no stream of the table `{source}`").into());
        }
        let (from, until) = (self.from.unwrap_or(EpochMillis(0)), self.until);
        let mut subscriptions = Vec::new();
        for stream in streams {
            // One after the other: a subscription to several streams takes turns.
            let source = ArchivedStreams::new(
                NoLiveStreams::<ArchivedLine>::default(),
                reader_of(archive, &self.objects)?,
            );
            subscriptions.push(Subscription::builder(source).stream(stream).from_time(from).start()?);
        }
        let events = subscriptions.into_iter().flatten();
        Ok(events.filter_map(move |event| match event {
            Ok(event) if event.record.created < from => None,
            Ok(event) if until.is_some_and(|until| event.record.created > until) => None,
            Ok(event) => Some(Ok(event.record.text)),
            Err(error @ TailError::Trimmed { .. }) => {
                warn(&crate::one_line(&error));
                None
            }
            Err(error) => Some(Err(crate::one_line(&error))),
        }))
    }
}

/// Returns the lines of a file.
fn lines_of(file: &PathBuf) -> Result<impl Iterator<Item = Line> + use<>, Box<dyn Error>> {
    let path = file.display().to_string();
    let unreadable = move |error: std::io::Error| format!("`{path}` cannot be read: {error}");
    let file = File::open(file).map_err(&unreadable)?;
    Ok((1..).zip(BufReader::new(file).lines().map(move |line| line.map_err(&unreadable))))
}

/// Sends lines to the server, some at a time.
fn send(
    client: &Control,
    table: &str,
    lines: Box<dyn Iterator<Item = Line>>,
) -> Result<(Value, Show), Box<dyn Error>> {
    let mut lines = lines.peekable();
    let (mut puts, mut deletes) = (0, 0);
    while let Some((first_line, _)) = lines.peek() {
        let (first_line, mut records, mut bytes) = (*first_line, Vec::new(), 0);
        while records.len() < MAX_RECORDS && bytes < MAX_BYTES {
            let Some((line, text)) = lines.next() else { break };
            let text = text?;
            bytes += text.len();
            records.push(match text.trim() {
                "" => Value::Null,
                text => serde_json::from_str(text).map_err(|error| {
                    format!("line {line} is not a stream record: it is not JSON: {error}")
                })?,
            });
        }
        let body = json!({ "table": table, "records": records, "first_line": first_line });
        let answer = client.post("replay", &body)?;
        puts += answer["puts"].as_u64().unwrap_or_default();
        deletes += answer["deletes"].as_u64().unwrap_or_default();
    }
    Ok((json!({ "table": table, "puts": puts, "deletes": deletes }), lines::replayed))
}
