//! The running mapping: reads shards, passes batches to the function, saves the checkpoint.
//!
//! One thread owns all of it and runs one loop: [`Mapping::step`], wait. A step takes the outcomes of tasks, reads the shards that are due,
//! starts the tasks that the queues want, finishes shards and saves the checkpoint. Each task runs on a thread of its own, at most one for
//! each queue of a shard, and sends its outcome back. A step looks at no clock but the two that it was given, and starts no thread itself,
//! so that a simulation can call it instead of the thread.
//!
//! Two positions differ in each shard. The walker knows what was read, and resumes there when an iterator expires. Its progress, which is
//! the checkpoint, is what was settled: a restart delivers all records behind it again, and none is skipped.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use pretender::model::IdSource;
use pretender::streams::source::{
    ShardRead, ShardWalker, SourceError, SourceRecord, StreamSource, WakeHandle,
};
use pretender::streams::{Checkpoint, ShardProgress, StreamProgress};
use pretender::time::{Clock, EpochMillis};

use crate::batch_queue::{Backoff, Moment, QueueContext, Task, TaskOutcome};
use crate::checkpoint_file::{CheckpointFile, CheckpointFileError};
use crate::event::ToEventRecord;
use crate::executor::{Executor, perform};
use crate::function::{Function, InvokeError};
use crate::message::Destination;
use crate::settings::Settings;
use crate::shard::Shard;
use crate::state::{ProblemSource, SharedState};

/// A shard is read further while fewer records than this wait in it, even if a batch is smaller.
const MIN_WAITING: usize = 1000;
/// How many records may be read behind one that is not settled, so that a batch that keeps failing does not fill the memory.
const MAX_UNSETTLED: usize = 100_000;
/// How old the saved iterator of a shard begun at its end may get. It lives for 15 minutes, and each renewal writes the checkpoint file.
const RENEWAL: Duration = Duration::from_secs(60);
/// How often the clock of the database is looked at while a window or an age depends on it: it may be moved at any time.
const TICK: Duration = Duration::from_millis(50);

/// Returns the time of the machine, by which pauses are measured.
pub(crate) type MachineTime = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A mapping and all that it works with.
pub(crate) struct Mapping<S> {
    pub(crate) source: S,
    pub(crate) settings: Settings,
    pub(crate) function: Arc<dyn Function>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) destination: Option<Arc<dyn Destination>>,
    pub(crate) function_arn: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) machine_time: MachineTime,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) retention: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) poll_interval: Duration,
    /// The table whose streams are read one after the other; none if only one stream is.
    pub(crate) table: Option<String>,
    /// Reads the stream. Its progress is what was settled.
    pub(crate) walker: ShardWalker,
    pub(crate) checkpoint_file: Option<CheckpointFile>,
    pub(crate) readers: Vec<Reader>,
    pub(crate) next_look: Option<Instant>,
    /// Whether the stream could not be read since this was last looked at.
    pub(crate) has_failed: bool,
    pub(crate) in_flight: usize,
    pub(crate) outcomes: (Sender<Finished>, Receiver<Finished>),
    pub(crate) wake: WakeHandle,
    pub(crate) shared: Arc<SharedState>,
}

/// A shard that is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    shard_id: Arc<str>,
    shard: Shard,
    /// The time of the next poll, unless there may be new records before.
    next_poll: Option<Instant>,
    /// When the iterator of a shard begun at its end was last saved.
    renewed: Instant,
    /// The last request to catch up after which a poll found no records; 0 if it found some since.
    empty_since: u64,
}

impl Reader {
    fn new(shard_id: &Arc<str>, queues: usize, real: Instant) -> Self {
        Self {
            shard_id: shard_id.clone(),
            shard: Shard::new(queues),
            next_poll: None,
            renewed: real,
            empty_since: 0,
        }
    }
}

/// The outcome of a task, and the queue that it belongs to.
#[derive(Debug)]
pub(crate) struct Finished {
    shard_id: Arc<str>,
    queue: usize,
    outcome: TaskOutcome,
}

impl<S> Mapping<S>
where
    S: StreamSource,
    S::Record: ToEventRecord,
{
    /// Works until a stop, then waits for the invocations that are under way and saves their outcome.
    pub(crate) fn run(mut self) {
        let mut has_news = true;
        while !self.wake.is_stopped() {
            let wait = self.step(has_news);
            has_news = self.wake.wait(wait);
        }
        while self.in_flight > 0 {
            match self.outcomes.1.recv() {
                Ok(finished) => self.take_outcome(finished),
                Err(_) => break,
            }
        }
        self.note_progress();
        self.save();
        self.note_backlogs();
    }

    /// Does all that can be done now. Returns for how long nothing else can be due, unless there is news.
    pub(crate) fn step(&mut self, has_news: bool) -> Duration {
        let request = self.shared.pending_request();
        self.take_outcomes();
        self.read_shards(has_news, request);
        self.start_tasks();
        self.finish_shards();
        self.save();
        self.note_backlogs();
        if let Some(request) = request
            && self.has_caught_up(request)
        {
            self.shared.complete_request(request);
        }
        self.wait()
    }

    /// Notes what is left to do, for those who look at the state.
    fn note_backlogs(&self) {
        let backlogs = self.readers.iter().map(|reader| reader.shard.backlog(&reader.shard_id));
        self.shared.note_backlogs(self.in_flight, backlogs);
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), real: (self.machine_time)() }
    }

    fn take_outcomes(&mut self) {
        while let Ok(finished) = self.outcomes.1.try_recv() {
            self.take_outcome(finished);
        }
    }

    fn take_outcome(&mut self, Finished { shard_id, queue, outcome }: Finished) {
        self.in_flight -= 1;
        let at = self.moment();
        let Some(n) = self.readers.iter().position(|reader| reader.shard_id == shard_id) else { return };
        // Taken out, because the context borrows the rest of the mapping.
        let mut shard = std::mem::replace(&mut self.readers[n].shard, Shard::new(0));
        shard.finish(&self.context(&shard_id), at, queue, outcome);
        self.readers[n].shard = shard;
        self.report_events(n);
    }

    fn context<'a>(&'a self, shard_id: &'a str) -> QueueContext<'a> {
        QueueContext {
            settings: &self.settings,
            stream_arn: self.walker.stream_arn(),
            shard_id,
            function_arn: &self.function_arn,
            ids: &*self.ids,
            has_destination: self.destination.is_some(),
            retention: self.retention,
            backoff: self.backoff,
        }
    }

    fn report_events(&mut self, n: usize) {
        let reader = &mut self.readers[n];
        for event in reader.shard.take_events() {
            self.shared.note_event(&reader.shard_id, event);
        }
    }

    /// Polls each shard that is due and has room. All are due if there may be new records, or after a request to catch up.
    fn read_shards(&mut self, has_news: bool, request: Option<u64>) {
        if has_news || request.is_some() {
            self.next_look = None;
        }
        if self.walker.must_look() || (self.walker.is_over() && self.table.is_some()) {
            self.look_for_shards();
        }
        let mut has_asked = false;
        for n in 0..self.readers.len() {
            let now = (self.machine_time)();
            let reader = &self.readers[n];
            let is_due = has_news
                || reader.next_poll.is_none_or(|at| at <= now)
                || request.is_some_and(|request| reader.empty_since < request);
            if is_due && self.has_room(reader) {
                self.poll(n, request);
                has_asked = true;
            }
        }
        if has_asked && !std::mem::take(&mut self.has_failed) {
            self.shared.clear_problem(ProblemSource::Stream);
        }
    }

    fn stream_problem(&mut self, error: &SourceError) {
        self.has_failed = true;
        self.shared.problem(ProblemSource::Stream, chain(error));
    }

    fn has_room(&self, reader: &Reader) -> bool {
        let enough = (self.settings.batch_size as usize).saturating_mul(self.settings.queues());
        !self.walker.is_at_end(&reader.shard_id)
            && reader.shard.waiting() < enough.max(MIN_WAITING)
            && (reader.shard.unsettled() < MAX_UNSETTLED || reader.shard.is_idle())
    }

    /// Reads a page of a shard.
    fn poll(&mut self, n: usize, request: Option<u64>) {
        let Moment { now: asked_at, real } = self.moment();
        let reader = &mut self.readers[n];
        reader.next_poll = Some(real + self.poll_interval);
        match self.walker.read(&self.source, &reader.shard_id, None) {
            Ok(ShardRead::Records(records)) => {
                reader.empty_since = 0;
                // There may be more: no pause.
                reader.next_poll = None;
                self.take_records(n, &records, asked_at);
            }
            Ok(ShardRead::Empty) => {
                reader.empty_since = request.unwrap_or(reader.empty_since);
                reader.shard.is_quiet(asked_at);
                // Not each time, because each change is written to the checkpoint file.
                if real.duration_since(reader.renewed) >= RENEWAL {
                    self.walker.keep_latest(&reader.shard_id);
                    reader.renewed = real;
                }
            }
            Ok(ShardRead::Repositioned) => reader.next_poll = None,
            Ok(ShardRead::Ended) => {}
            Err(error @ SourceError::Failed(_)) => self.stream_problem(&error),
            // Only time helps.
            Err(_) => {}
        }
        let reader = &mut self.readers[n];
        if self.walker.is_at_end(&reader.shard_id) {
            reader.shard.end();
        }
        self.report_gaps();
    }

    fn take_records(&mut self, n: usize, records: &[S::Record], asked_at: EpochMillis) {
        let (reader, stream_arn) = (&mut self.readers[n], self.walker.stream_arn());
        let filters = &self.settings.filters;
        for record in records {
            let is_wanted = filters.is_empty() || {
                let document = record.document(stream_arn);
                filters.iter().any(|pattern| pattern.matches(&document))
            };
            if is_wanted {
                reader.shard.push(record.event_record(stream_arn), asked_at);
            } else {
                reader.shard.skip(record.sequence_number());
                self.shared.count_filtered();
            }
        }
    }

    fn report_gaps(&mut self) {
        for shard_id in self.walker.take_gaps() {
            self.shared.note_gap(&shard_id);
        }
    }

    /// Begins every shard that may be read now, and goes on in the table's next stream once this one is over.
    fn look_for_shards(&mut self) {
        let now = (self.machine_time)();
        if self.next_look.is_some_and(|at| at > now) {
            return;
        }
        self.next_look = Some(now + self.poll_interval);
        let (readers, queues) = (&mut self.readers, self.settings.queues());
        let mut begun = |shard_id: &Arc<str>| readers.push(Reader::new(shard_id, queues, now));
        let mut looked = Ok(());
        if self.walker.must_look() {
            looked = self.walker.look(&self.source, &mut begun);
        }
        if let (Ok(()), Some(table_name)) = (&looked, &self.table) {
            match self.walker.look_for_successor(&self.source, table_name, begun) {
                Ok(None) => {}
                Ok(Some(next)) => {
                    // The new walker knows nothing of what was lost in the old stream.
                    self.report_gaps();
                    self.shared.set_stream(&next);
                    self.walker = ShardWalker::new(&next, StreamProgress::new());
                    self.next_look = None;
                }
                Err(error) => looked = Err(error),
            }
        }
        match looked {
            Ok(()) | Err(SourceError::Throttled) => {}
            Err(error) => self.stream_problem(&error),
        }
        self.report_gaps();
    }

    /// Starts the tasks of the queues.
    fn start_tasks(&mut self) {
        let at = self.moment();
        for n in 0..self.readers.len() {
            let shard_id = self.readers[n].shard_id.clone();
            let mut shard = std::mem::replace(&mut self.readers[n].shard, Shard::new(0));
            let tasks = shard.next(&self.context(&shard_id), at);
            self.readers[n].shard = shard;
            self.report_events(n);
            for (queue, task) in tasks {
                self.start(&shard_id, queue, task);
            }
        }
    }

    fn start(&mut self, shard_id: &Arc<str>, queue: usize, task: Task) {
        self.in_flight += 1;
        let (sender, wake) = (self.outcomes.0.clone(), self.wake.clone());
        let (function, destination) = (self.function.clone(), self.destination.clone());
        let of_shard = shard_id.clone();
        let is_report = matches!(task, Task::Report(_));
        let started = self.executor.execute(Box::new(move || {
            let outcome = perform(task, &*function, destination.as_deref());
            // The mapping may be gone.
            let _ = sender.send(Finished { shard_id: of_shard, queue, outcome });
            wake.nudge();
        }));
        if let Err(error) = started {
            let text = format!("no thread could be started: {error}");
            let outcome = if is_report {
                TaskOutcome::Reported(Err(text))
            } else {
                TaskOutcome::Invoked(Err(InvokeError::NotInvoked(text)))
            };
            self.take_outcome(Finished { shard_id: shard_id.clone(), queue, outcome });
        }
    }

    /// Ends the shards that are done, so that their children may begin.
    fn finish_shards(&mut self) {
        self.note_progress();
        let before = self.readers.len();
        let walker = &mut self.walker;
        self.readers.retain(|reader| {
            let is_finished = reader.shard.is_finished();
            if is_finished {
                walker.finish(&reader.shard_id);
            }
            !is_finished
        });
        if self.readers.len() < before {
            self.next_look = None;
        }
    }

    /// Notes up to which record each shard is settled.
    fn note_progress(&mut self) {
        for reader in &self.readers {
            if let Some(number) = reader.shard.settled_to() {
                self.walker.note(&reader.shard_id, ShardProgress::After(number.to_owned()));
            }
        }
    }

    fn save(&mut self) {
        match self.try_save() {
            Ok(()) => self.shared.clear_problem(ProblemSource::Checkpoint),
            Err(error) => self.shared.problem(ProblemSource::Checkpoint, chain(&error)),
        }
    }

    /// Saves the checkpoint, if there is a file for it.
    pub(crate) fn try_save(&mut self) -> Result<(), CheckpointFileError> {
        let Some(file) = &mut self.checkpoint_file else { return Ok(()) };
        file.save(Checkpoint::of_stream(self.walker.stream_arn(), self.walker.progress().clone()))
    }

    /// Returns whether nothing is left to do, and every shard was polled without records since the request.
    fn has_caught_up(&self, request: u64) -> bool {
        let has_caught_up = |reader: &Reader| {
            let is_quiet = reader.empty_since >= request && !self.walker.is_at_end(&reader.shard_id);
            is_quiet && reader.shard.is_idle()
        };
        !self.walker.must_look() && self.readers.iter().all(has_caught_up)
    }

    /// Returns for how long nothing can be due.
    fn wait(&self) -> Duration {
        let now = (self.machine_time)();
        let mut until = now + self.poll_interval;
        if self.walker.must_look() {
            until = until.min(self.next_look.unwrap_or(now));
        }
        for reader in &self.readers {
            if self.has_room(reader) {
                until = until.min(reader.next_poll.unwrap_or(now));
            }
            until = reader.shard.due().map_or(until, |due| until.min(due));
            if !reader.shard.is_idle() {
                // By the clock of the database, a window or an age may have passed.
                until = until.min(now + TICK);
            }
        }
        until.saturating_duration_since(now)
    }
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
