//! The live tail: what happens in a stream, as server-sent events, at the rate at which people can look at it.

mod checkpoint;
mod message;
mod sampler;
#[cfg(test)]
mod tests;
mod walk;

use std::time::{Duration, Instant};

use maud::{Markup, html};
use pretender::Pretender;
use pretender::streams::source::{SourceError, WakeHandle};
use pretender::streams::{StartPosition, StreamArn};
use serde_json::{Value, json};

use crate::stream::Filter;
pub(crate) use checkpoint::ShortCheckpoint;
use message::{HEARTBEAT, RETRY, id_alone, message};
use sampler::Sampler;
pub(crate) use walk::{ShardRecord, Walk, shards_of};

/// How long records are collected before they are sent.
const BATCH: Duration = Duration::from_millis(50);
/// How long to wait for a commit before looking nevertheless. Not everything that matters is a commit of this process.
const POLL: Duration = Duration::from_millis(250);
/// How often something is sent although nothing has happened. A server notices that a browser has left when it sends something the second
/// time, and until then the browser holds one of the few tails.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// What became of something that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is on its way.
    Taken,
    /// The browser has not received earlier messages yet, so this one was dropped.
    Full,
    /// The browser has left.
    Gone,
}

/// Follows a stream for one page. It has no sockets: [`Tail::run`] is called on a thread of its own, and passes messages on.
///
/// Each record is sent within 50 ms of its commit. At most 200 records a second are sent, evenly spread over those that arrive, and the
/// others are counted. A page that does not receive its messages in time loses some of them, and is told how many records were in them.
/// Nothing waits for a page.
#[derive(Debug)]
pub struct Tail {
    pretender: Pretender,
    arn: StreamArn,
    filter: Filter,
    start: Option<ShortCheckpoint>,
    region: Option<String>,
    show: ShowRecord,
    stop: TailStop,
}

/// Returns the row of a record of a stream. Its link carries a region.
pub(crate) type ShowRecord = fn(&ShardRecord, &StreamArn, Option<&str>) -> Markup;

/// Stops a [`Tail`] from another thread.
#[derive(Clone, Debug, Default)]
pub struct TailStop {
    /// Ends the wait for commits.
    news: WakeHandle,
    /// Ends the wait between two batches, which commits must not end.
    pause: WakeHandle,
}

impl TailStop {
    /// Ends the tail: the thread that runs it returns at once, unless it is reading.
    pub fn stop(&self) {
        self.pause.stop();
        self.news.stop();
    }
}

impl Tail {
    /// Returns a tail that begins behind a checkpoint, or behind the newest record.
    pub(crate) fn new(
        pretender: &Pretender,
        arn: StreamArn,
        filter: Filter,
        start: Option<ShortCheckpoint>,
        region: Option<&str>,
        show: ShowRecord,
    ) -> Self {
        let (pretender, region) = (pretender.clone(), region.map(str::to_owned));
        Self { pretender, arn, filter, start, region, show, stop: TailStop::default() }
    }

    /// Returns what stops the tail.
    #[must_use]
    pub fn stop_handle(&self) -> TailStop {
        self.stop.clone()
    }

    /// Sends messages until the tail is stopped, or the browser has left. Blocks.
    pub fn run(self, send: &mut dyn FnMut(String) -> Sent) {
        let stop = self.stop.clone();
        let Ok(mut running) = Running::start(self, send) else { return };
        running.walk.wake_on_change(&stop.news);
        while !stop.pause.is_stopped() && running.turn().is_ok() {
            stop.pause.wait(BATCH);
            if !running.has_more {
                stop.news.wait(POLL);
            }
        }
    }
}

/// The browser has left, or there is nothing to follow.
struct Over;

/// A tail that is being run.
struct Running<'s> {
    tail: Tail,
    walk: Walk,
    sampler: Sampler,
    send: &'s mut dyn FnMut(String) -> Sent,
    /// Records that were not sent, and that the page was not told about.
    skipped: usize,
    /// Messages that could not be sent yet.
    notices: Vec<String>,
    has_more: bool,
    sent_at: Instant,
    /// The id of the last message that was sent.
    sent_id: String,
    is_over: bool,
}

impl<'s> Running<'s> {
    fn start(tail: Tail, send: &'s mut dyn FnMut(String) -> Sent) -> Result<Self, Over> {
        let mut notices = Vec::new();
        let walk = match open(&tail, &mut notices) {
            Ok(walk) => walk,
            Err(error) => {
                send(RETRY.to_owned());
                send(message("ended", None, &told(&error).to_string()));
                return Err(Over);
            }
        };
        let mut running = Self {
            tail,
            walk,
            sampler: Sampler::default(),
            send,
            skipped: 0,
            notices,
            has_more: false,
            sent_at: Instant::now(),
            sent_id: String::new(),
            is_over: false,
        };
        running.send(RETRY.to_owned())?;
        Ok(running)
    }

    /// Reads what is new, and sends it.
    fn turn(&mut self) -> Result<(), Over> {
        match self.read() {
            Ok(rows) => self.send_records(rows)?,
            // Time alone may help.
            Err(
                SourceError::Expired | SourceError::Trimmed | SourceError::Throttled | SourceError::NotFound,
            ) => {}
            Err(error) => {
                // The database is closed, or fails. The browser asks again, for the database that has this name then.
                self.notices.push(told(&error).to_string());
                self.send_notices()?;
                return Err(Over);
            }
        }
        self.send_notices()?;
        if self.sent_at.elapsed() >= HEARTBEAT_INTERVAL {
            let id = self.walk.checkpoint().to_string();
            let text = if id == self.sent_id { HEARTBEAT.to_owned() } else { id_alone(&id) };
            if self.send(text)? {
                self.sent_id = id;
            }
        }
        Ok(())
    }

    /// Returns the rows to show.
    fn read(&mut self) -> Result<Rows, SourceError> {
        // Looked for after the read, so that it is missed if the database went back before.
        let before = self.walk.take_last();
        let batch = match self.walk.read() {
            Ok(batch) => batch,
            Err(error) => {
                before.into_iter().for_each(|before| self.walk.keep_last(before));
                return Err(error);
            }
        };
        self.has_more = batch.has_more;
        let arn = self.walk.arn().clone();
        let text = arn.to_string();
        let wanted = |new: &&ShardRecord| self.tail.filter.matches(&new.record, &text);
        let wanted: Vec<&ShardRecord> = batch.records.iter().filter(wanted).collect();
        let chosen = self.sampler.choose(Instant::now(), wanted.len());
        let region = self.tail.region.as_deref();
        let shown = wanted.iter().enumerate().filter(|(place, _)| chosen.has(*place));
        // The newest is the first.
        let rows: Vec<Markup> = shown.map(|(_, new)| (self.tail.show)(new, &arn, region)).collect();
        let rows = Rows {
            html: html! { @for row in rows.iter().rev() { (row) } }.into_string(),
            shown: chosen.shown,
            skipped: chosen.skipped(),
        };
        for shard_id in &batch.gaps {
            let gap = format!(
                "Records of the shard {shard_id} were trimmed before they were read, or the database was restored."
            );
            self.notices.push(json!({ "text": gap }).to_string());
        }
        if let Some(before) = before {
            // What was read is sent in any case; what cannot be told now is asked again with the next batch.
            if self.walk.is_lost(&before).unwrap_or(false) {
                let lost = "The last record before this is not in the stream any more: the database was restored to an earlier state, or \
                            has lost it in a crash.";
                self.notices.push(json!({ "text": lost }).to_string());
            } else {
                self.walk.keep_last(before);
            }
        }
        if self.follow().is_err() {
            self.is_over = false;
        }
        Ok(rows)
    }

    /// Goes on in the table's next stream if this one is over.
    fn follow(&mut self) -> Result<(), SourceError> {
        if !self.walk.is_over() {
            self.is_over = false;
            return Ok(());
        }
        if !std::mem::replace(&mut self.is_over, true) {
            let over = "The stream was disabled, and all of its records were read. If the table gets another stream, it is followed here.";
            self.notices.push(json!({ "text": over }).to_string());
        }
        if let Some(next) = self.walk.successor()? {
            self.walk = Walk::start(&self.tail.pretender, &next, StartPosition::TrimHorizon)?;
            self.is_over = false;
            self.notices.push(new_stream(&next));
        }
        Ok(())
    }

    fn send_records(&mut self, rows: Rows) -> Result<(), Over> {
        let skipped = self.skipped + rows.skipped;
        if rows.shown + skipped == 0 {
            return Ok(());
        }
        let id = self.walk.checkpoint().to_string();
        let data = json!({ "html": rows.html, "shown": rows.shown, "skipped": skipped });
        let is_sent = self.send(message("records", Some(&id), &data.to_string()))?;
        self.skipped = if is_sent { 0 } else { skipped + rows.shown };
        if is_sent {
            self.sent_id = id;
        }
        Ok(())
    }

    fn send_notices(&mut self) -> Result<(), Over> {
        while let Some(notice) = self.notices.first() {
            let text = message("notice", None, notice);
            if !self.send(text)? {
                break;
            }
            self.notices.remove(0);
        }
        Ok(())
    }

    /// Sends a message. Returns whether it was taken.
    fn send(&mut self, text: String) -> Result<bool, Over> {
        match (self.send)(text) {
            Sent::Taken => {
                self.sent_at = Instant::now();
                Ok(true)
            }
            Sent::Full => Ok(false),
            Sent::Gone => Err(Over),
        }
    }
}

/// The rows of a batch.
struct Rows {
    html: String,
    shown: usize,
    skipped: usize,
}

/// Begins the walk. A checkpoint of a stream that is gone leads to the stream that the table has now.
fn open(tail: &Tail, notices: &mut Vec<String>) -> Result<Walk, SourceError> {
    let Some(checkpoint) = &tail.start else {
        return Walk::start(&tail.pretender, &tail.arn, StartPosition::Latest);
    };
    let arn = StreamArn { label: checkpoint.label(), ..tail.arn.clone() };
    match Walk::resume(&tail.pretender, &arn, checkpoint) {
        Err(SourceError::NotFound) => {
            let now =
                tail.pretender.latest_stream(&tail.arn.table.name).map_err(|_| SourceError::NotFound)?;
            let walk = Walk::start(&tail.pretender, &now, StartPosition::TrimHorizon)?;
            notices.push(new_stream(&now));
            Ok(walk)
        }
        resumed => resumed,
    }
}

fn new_stream(arn: &StreamArn) -> String {
    let text = format!("From here on, these are the records of the table's stream {}.", arn.label);
    json!({ "text": text, "stream": arn.to_string() }).to_string()
}

/// Returns what a page says about a failure.
fn told(error: &SourceError) -> Value {
    let mut text = match error {
        SourceError::NotFound => "The stream does not exist any more.".to_owned(),
        error => format!("The stream cannot be read: {error}"),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    json!({ "text": text })
}
