//! The mapping at work: reads shards, hands batches to the function, keeps the checkpoint.
//!
//! One thread owns all of it. Each task runs on a thread of its own, at most one for each lane of a shard, and sends what came
//! of it back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use pretender::model::IdSource;
use pretender::streams::source::{
    SourceError, SourceRecord, SourceStream, StreamSource, WakeHandle, forget_gone_shards, iterator_behind,
    ready_shards, reopen_shards,
};
use pretender::streams::{Checkpoint, ShardProgress, StreamProgress};
use pretender::time::Clock;

use crate::checkpoint_file::{CheckpointFile, CheckpointFileError};
use crate::event::ToEventRecord;
use crate::function::{Function, InvokeError};
use crate::lane::{Moment, Outcome, Pauses, Surroundings, Task};
use crate::message::Destination;
use crate::settings::Settings;
use crate::shard::Shard;
use crate::state::{Place, Shared};

/// The least number of records that may wait in a shard before it is read further.
const MIN_WAITING: usize = 1000;
/// How many records may be read behind one that is not done, while there is work.
const MAX_UNSETTLED: usize = 100_000;
/// How old the kept iterator of a shard begun at its end may get; it lives for 15 minutes.
const RENEWAL: Duration = Duration::from_secs(60);
/// How often a clock that is not the machine's is looked at when somebody waits for it.
const TICK: Duration = Duration::from_millis(50);

/// What a mapping works with.
pub(crate) struct Mapping<S> {
    pub(crate) source: S,
    pub(crate) settings: Settings,
    pub(crate) function: Arc<dyn Function>,
    pub(crate) destination: Option<Arc<dyn Destination>>,
    pub(crate) function_arn: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) retention: Option<Duration>,
    pub(crate) pauses: Pauses,
    pub(crate) poll_interval: Duration,
    /// The table whose streams are read one after the other; none if only one stream is.
    pub(crate) table: Option<String>,
    pub(crate) stream_arn: String,
    pub(crate) progress: StreamProgress,
    pub(crate) checkpoint_file: Option<CheckpointFile>,
    pub(crate) readers: Vec<Reader>,
    /// Whether shards may be missing from `readers`.
    pub(crate) must_look: bool,
    /// Whether a shard vanished: if the database went back to an earlier state, shards that are done may be open again.
    pub(crate) has_lost_shard: bool,
    /// Whether the stream is disabled or gone, and done.
    pub(crate) is_over: bool,
    pub(crate) next_look: Option<Instant>,
    /// Whether the stream could not be read since this was last looked at.
    pub(crate) has_failed: bool,
    pub(crate) in_flight: usize,
    pub(crate) outcomes: (Sender<Finished>, Receiver<Finished>),
    pub(crate) wake: WakeHandle,
    pub(crate) shared: Arc<Shared>,
}

/// A shard that is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    shard_id: String,
    shard: Shard,
    /// `None` once the shard has no more pages.
    iterator: Option<String>,
    /// Behind which record to go on if the iterator expires.
    read_to: Option<ShardProgress>,
    /// Not before this is it asked again, unless there is news.
    next_poll: Option<Instant>,
    /// When `read_to` last took over an iterator.
    renewed: Instant,
    /// The question of who waits for the trigger, after which it has shown no records; 0 if it has.
    quiet_for: u64,
}

/// What came of a task, and whose it was.
#[derive(Debug)]
pub(crate) struct Finished {
    shard_id: String,
    lane: usize,
    outcome: Outcome,
}

impl<S> Mapping<S>
where
    S: StreamSource,
    S::Record: ToEventRecord,
{
    /// Works until it is told to stop, then waits for the invocations that are under way and keeps what they did.
    pub(crate) fn run(mut self) {
        let mut has_news = true;
        while !self.wake.is_stopped() {
            let question = self.shared.open_question();
            self.take_outcomes();
            self.read_shards(has_news, question);
            self.hand_out();
            self.finish_shards();
            self.save();
            if let Some(question) = question
                && self.has_caught_up(question)
            {
                self.shared.answer(question);
            }
            has_news = self.wake.wait(self.wait());
        }
        while self.in_flight > 0 {
            match self.outcomes.1.recv() {
                Ok(finished) => self.take_outcome(finished),
                Err(_) => break,
            }
        }
        self.note_progress();
        self.save();
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), real: Instant::now() }
    }

    fn take_outcomes(&mut self) {
        while let Ok(finished) = self.outcomes.1.try_recv() {
            self.take_outcome(finished);
        }
    }

    fn take_outcome(&mut self, Finished { shard_id, lane, outcome }: Finished) {
        self.in_flight -= 1;
        let at = self.moment();
        let Some(n) = self.readers.iter().position(|reader| reader.shard_id == shard_id) else { return };
        // The fields apart, so that the shard can be changed while the rest is looked at.
        let mut shard = std::mem::replace(&mut self.readers[n].shard, Shard::new(0));
        shard.finish(&self.surroundings(&shard_id), at, lane, outcome);
        self.readers[n].shard = shard;
        self.tell(n);
    }

    fn surroundings<'a>(&'a self, shard_id: &'a str) -> Surroundings<'a> {
        Surroundings {
            settings: &self.settings,
            stream_arn: &self.stream_arn,
            shard_id,
            function_arn: &self.function_arn,
            ids: &*self.ids,
            has_destination: self.destination.is_some(),
            retention: self.retention,
            pauses: self.pauses,
        }
    }

    fn tell(&mut self, n: usize) {
        let reader = &mut self.readers[n];
        for told in reader.shard.take_told() {
            self.shared.tell(&reader.shard_id, told);
        }
    }

    /// Asks each shard for records that is due and has room for them. All are due if there is news, or if somebody asks whether
    /// there are records.
    fn read_shards(&mut self, has_news: bool, question: Option<u64>) {
        if has_news || question.is_some() {
            self.next_look = None;
        }
        if self.must_look || (self.is_over && self.table.is_some()) {
            self.look_for_shards();
        }
        let mut has_asked = false;
        for n in 0..self.readers.len() {
            let now = Instant::now();
            let reader = &self.readers[n];
            let is_due = has_news
                || reader.next_poll.is_none_or(|at| at <= now)
                || question.is_some_and(|question| reader.quiet_for < question);
            if is_due && self.has_room(reader) {
                self.poll(n, question);
                has_asked = true;
            }
        }
        if has_asked && !std::mem::take(&mut self.has_failed) {
            self.shared.no_problem(Place::Stream);
        }
    }

    fn stream_problem(&mut self, error: &SourceError) {
        self.has_failed = true;
        self.shared.problem(Place::Stream, chain(error));
    }

    fn has_room(&self, reader: &Reader) -> bool {
        let enough = (self.settings.batch_size as usize).saturating_mul(self.settings.lanes());
        reader.iterator.is_some()
            && reader.shard.waiting() < enough.max(MIN_WAITING)
            && (reader.shard.unsettled() < MAX_UNSETTLED || reader.shard.is_idle())
    }

    /// Asks a shard for a page of records.
    fn poll(&mut self, n: usize, question: Option<u64>) {
        let (asked_at, real) = (self.clock.now(), Instant::now());
        let reader = &mut self.readers[n];
        let Some(iterator) = &reader.iterator else { return };
        reader.next_poll = Some(real + self.poll_interval);
        match self.source.records(iterator, None) {
            Ok(page) => {
                reader.iterator = page.next_iterator;
                if page.records.is_empty() {
                    reader.quiet_for = question.unwrap_or(reader.quiet_for);
                    reader.shard.is_quiet(asked_at);
                } else {
                    reader.quiet_for = 0;
                    // There may be more: no pause.
                    reader.next_poll = None;
                }
                for record in &page.records {
                    let sequence_number = record.sequence_number();
                    reader.read_to = Some(ShardProgress::After(sequence_number.clone()));
                    let filters = &self.settings.filters;
                    let is_wanted = filters.is_empty() || {
                        let document = record.document(&self.stream_arn);
                        filters.iter().any(|pattern| pattern.matches(&document))
                    };
                    if is_wanted {
                        reader.shard.push(record.event_record(&self.stream_arn), asked_at);
                    } else {
                        reader.shard.skip(sequence_number);
                        self.shared.count_filtered();
                    }
                }
                match &reader.iterator {
                    None => reader.shard.end(),
                    // A shard begun at its end has nothing but its iterator to resume from, as long as it shows no records.
                    Some(renewed) => {
                        if let Some(ShardProgress::Latest(kept)) = &mut reader.read_to
                            && real.duration_since(reader.renewed) >= RENEWAL
                        {
                            kept.clone_from(renewed);
                            reader.renewed = real;
                        }
                    }
                }
            }
            Err(error) => self.recover(n, error),
        }
    }

    /// Does what an error of a shard asks for: a new iterator, a new begin, its end, or patience.
    fn recover(&mut self, n: usize, error: SourceError) {
        let reader = &mut self.readers[n];
        match error {
            SourceError::Expired => {
                let behind = reader.read_to.as_ref();
                match iterator_behind(&self.source, &self.stream_arn, &reader.shard_id, behind) {
                    Ok(iterator) => {
                        reader.iterator = Some(iterator);
                        reader.next_poll = None;
                    }
                    Err(SourceError::Expired) => {}
                    Err(error) => self.recover(n, error),
                }
            }
            SourceError::Trimmed => {
                self.shared.trimmed(&reader.shard_id);
                let begun = Some(ShardProgress::Begun);
                match iterator_behind(&self.source, &self.stream_arn, &reader.shard_id, begun.as_ref()) {
                    Ok(iterator) => {
                        reader.iterator = Some(iterator);
                        reader.read_to = begun;
                        reader.next_poll = None;
                    }
                    Err(SourceError::Trimmed | SourceError::Expired) => {}
                    Err(error) => self.recover(n, error),
                }
            }
            SourceError::NotFound => {
                // It is old; what was not read of it is gone.
                self.has_lost_shard = true;
                self.shared.trimmed(&reader.shard_id);
                reader.iterator = None;
                reader.shard.end();
            }
            SourceError::Throttled => {}
            error @ SourceError::Failed(_) => self.stream_problem(&error),
        }
    }

    /// Begins every shard that may be read now: parents before children.
    fn look_for_shards(&mut self) {
        let now = Instant::now();
        if self.next_look.is_some_and(|at| at > now) {
            return;
        }
        self.next_look = Some(now + self.poll_interval);
        if let Err(error) = self.try_look().and_then(|()| self.look_for_successor()) {
            self.must_look = true;
            if !matches!(error, SourceError::Throttled) {
                self.stream_problem(&error);
            }
        }
    }

    fn try_look(&mut self) -> Result<(), SourceError> {
        let described = match self.source.describe(&self.stream_arn) {
            Err(SourceError::NotFound) => SourceStream { is_live: false, shards: Vec::new() },
            described => described?,
        };
        self.must_look = true;
        let readers = &self.readers;
        let is_being_read = |shard_id: &str| readers.iter().any(|reader| reader.shard_id == shard_id);
        let is_listed = |shard_id: &str| described.shards.iter().any(|shard| shard.shard_id == shard_id);
        for (shard_id, progress) in &mut self.progress {
            if *progress != ShardProgress::Finished && !is_listed(shard_id) && !is_being_read(shard_id) {
                // It was begun earlier, and held records that nobody can read any more.
                *progress = ShardProgress::Finished;
                self.has_lost_shard = true;
                self.shared.trimmed(shard_id);
            }
        }
        if std::mem::take(&mut self.has_lost_shard) {
            reopen_shards(&described.shards, &mut self.progress);
        }
        let ready = ready_shards(&described.shards, &self.progress, is_being_read);
        let mut begun = Vec::new();
        for shard in ready {
            begun.extend(self.begin(&shard.shard_id)?);
        }
        forget_gone_shards(&described.shards, &mut self.progress);
        for reader in begun {
            let read_to = reader.read_to.clone().unwrap_or(ShardProgress::Begun);
            self.progress.insert(reader.shard_id.clone(), read_to);
            self.readers.push(reader);
        }
        self.is_over = !described.is_live && self.readers.is_empty();
        // A live stream always has an open shard: if none is being read, it is about to appear.
        self.must_look = described.is_live && self.readers.is_empty();
        Ok(())
    }

    /// Begins or resumes a shard; `None` if it is gone.
    fn begin(&self, shard_id: &str) -> Result<Option<Reader>, SourceError> {
        let mut read_to = self.progress.get(shard_id).cloned();
        let iterator = match &read_to {
            // Reading tells whether it is still good.
            Some(ShardProgress::Latest(iterator)) => Ok(iterator.clone()),
            behind => iterator_behind(&self.source, &self.stream_arn, shard_id, behind.as_ref()),
        };
        let iterator = match iterator {
            Err(SourceError::NotFound) => return Ok(None),
            Err(SourceError::Trimmed) => {
                self.shared.trimmed(shard_id);
                read_to = Some(ShardProgress::Begun);
                iterator_behind(&self.source, &self.stream_arn, shard_id, read_to.as_ref())?
            }
            iterator => iterator?,
        };
        Ok(Some(Reader {
            shard_id: shard_id.to_owned(),
            shard: Shard::new(self.settings.lanes()),
            iterator: Some(iterator),
            read_to,
            next_poll: None,
            renewed: Instant::now(),
            quiet_for: 0,
        }))
    }

    /// Goes on with the table's next stream once this one is over.
    fn look_for_successor(&mut self) -> Result<(), SourceError> {
        let Some(table_name) = self.table.as_ref().filter(|_| self.is_over) else { return Ok(()) };
        let listed = match self.source.streams(table_name) {
            Err(SourceError::NotFound) => return Ok(()),
            listed => listed?,
        };
        // Newest first; the ARNs of one table differ in their labels only, and those are ordered as text.
        if let Some(next) = listed.into_iter().rev().find(|stream_arn| *stream_arn > self.stream_arn) {
            self.shared.set_stream(&next);
            self.stream_arn = next;
            self.progress = StreamProgress::new();
            self.is_over = false;
            self.next_look = None;
            self.must_look = true;
        }
        Ok(())
    }

    /// Hands out what the lanes want done.
    fn hand_out(&mut self) {
        let at = self.moment();
        for n in 0..self.readers.len() {
            let shard_id = self.readers[n].shard_id.clone();
            let mut shard = std::mem::replace(&mut self.readers[n].shard, Shard::new(0));
            let tasks = shard.next(&self.surroundings(&shard_id), at);
            self.readers[n].shard = shard;
            self.tell(n);
            for (lane, task) in tasks {
                self.start(&shard_id, lane, task);
            }
        }
    }

    fn start(&mut self, shard_id: &str, lane: usize, task: Task) {
        self.in_flight += 1;
        let (sender, wake) = (self.outcomes.0.clone(), self.wake.clone());
        let (function, destination) = (self.function.clone(), self.destination.clone());
        let of_shard = shard_id.to_owned();
        let is_report = matches!(task, Task::Report(_));
        let started = std::thread::Builder::new().name("pretender-invoke".to_owned()).spawn(move || {
            let outcome = perform(task, &*function, destination.as_deref());
            // Nobody listens if the mapping is gone.
            let _ = sender.send(Finished { shard_id: of_shard, lane, outcome });
            wake.nudge();
        });
        if let Err(error) = started {
            let text = format!("no thread could be started: {error}");
            let outcome = if is_report {
                Outcome::Reported(Err(text))
            } else {
                Outcome::Invoked(Err(InvokeError::NotInvoked(text)))
            };
            self.take_outcome(Finished { shard_id: shard_id.to_owned(), lane, outcome });
        }
    }

    /// Ends the shards that are done, so that their children may begin.
    fn finish_shards(&mut self) {
        self.note_progress();
        let before = self.readers.len();
        let progress = &mut self.progress;
        self.readers.retain(|reader| {
            let is_finished = reader.iterator.is_none() && reader.shard.is_finished();
            if is_finished {
                progress.insert(reader.shard_id.clone(), ShardProgress::Finished);
            }
            !is_finished
        });
        if self.readers.len() < before {
            self.must_look = true;
            self.next_look = None;
        }
    }

    /// Notes how far each shard has come.
    fn note_progress(&mut self) {
        for reader in &self.readers {
            if let Some(number) = reader.shard.settled_to() {
                let come_to = ShardProgress::After(number.to_owned());
                self.progress.insert(reader.shard_id.clone(), come_to);
            } else if let Some(latest @ ShardProgress::Latest(_)) = &reader.read_to {
                self.progress.insert(reader.shard_id.clone(), latest.clone());
            }
        }
    }

    fn save(&mut self) {
        match self.try_save() {
            Ok(()) => self.shared.no_problem(Place::Checkpoint),
            Err(error) => self.shared.problem(Place::Checkpoint, chain(&error)),
        }
    }

    /// Keeps how far all shards have come, if there is a file for it.
    pub(crate) fn try_save(&mut self) -> Result<(), CheckpointFileError> {
        let Some(file) = &mut self.checkpoint_file else { return Ok(()) };
        file.save(Checkpoint::of_stream(&self.stream_arn, self.progress.clone()))
    }

    /// Returns whether nothing is left to do, and every shard has shown since the question that it has no more records.
    fn has_caught_up(&self, question: u64) -> bool {
        let has_caught_up = |reader: &Reader| {
            reader.iterator.is_some() && reader.quiet_for >= question && reader.shard.is_idle()
        };
        !self.must_look && self.readers.iter().all(has_caught_up)
    }

    /// Returns how long nothing can happen by itself.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        let mut until = now + self.poll_interval;
        if self.must_look {
            until = until.min(self.next_look.unwrap_or(now));
        }
        for reader in &self.readers {
            if self.has_room(reader) {
                until = until.min(reader.next_poll.unwrap_or(now));
            }
            until = reader.shard.due().map_or(until, |due| until.min(due));
            if !reader.shard.is_idle() {
                // A window or an age may have passed by the database's clock.
                until = until.min(now + TICK);
            }
        }
        until.saturating_duration_since(now)
    }
}

/// Does what a lane wants done.
fn perform(task: Task, function: &dyn Function, destination: Option<&dyn Destination>) -> Outcome {
    match task {
        Task::Invoke(event) => {
            let answer = catch_unwind(AssertUnwindSafe(|| function.invoke(event.as_bytes())));
            Outcome::Invoked(answer.unwrap_or_else(|panic| Err(InvokeError::failed(panic_text(&*panic)))))
        }
        Task::Report(message) => Outcome::Reported(match destination {
            Some(destination) => catch_unwind(AssertUnwindSafe(|| destination.send(&message)))
                .unwrap_or_else(|panic| Err(panic_text(&*panic))),
            None => Ok(()),
        }),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("of unknown kind"))
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}
