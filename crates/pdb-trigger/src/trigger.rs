//! Starting and stopping a trigger.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pretender::Pretender;
use pretender::model::{IdSource, RandomIds};
use pretender::streams::source::{ShardWalker, SourceError, StreamSource, WakeHandle};
use pretender::streams::{RETENTION, ReaderKind, StartPosition, StreamProgress, StreamReader};
use pretender::time::{Clock, SystemClock};

use crate::batch_queue::Backoff;
use crate::checkpoint_file::{CheckpointFile, CheckpointFileError};
use crate::event::ToEventRecord;
use crate::executor::{Executor, Threads};
use crate::function::Function;
use crate::mapping::{MachineTime, Mapping};
use crate::message::Destination;
use crate::settings::{Settings, SettingsError};
use crate::state::{Notice, Observer, SharedState, TriggerState};
use crate::stepped_trigger::SteppedTrigger;
use crate::trigger_handle::TriggerHandle;

/// The base rate at which Lambda polls a shard: four times a second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A running trigger: an event source mapping between a stream and a function.
///
/// It runs on its own threads until it is stopped or dropped.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pdb_trigger::{Response, Settings, Trigger};
/// use pretender::prelude::*;
///
/// let db = Pretender::in_memory()?;
/// let orders: TableName = "orders".parse()?;
/// db.create_table(CreateTableInput {
///     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
///     ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None)
/// })?;
/// let trigger = Trigger::start(&db, "orders", Settings::default(), |event: &[u8]| {
///     assert!(event.starts_with(br#"{"Records":[{"eventID":""#));
///     Ok(Response::empty())
/// })?;
/// db.put_item(PutItemInput::new(orders, Item::new().with("id", "o1")))?;
/// assert!(trigger.wait_until_caught_up(Duration::from_secs(60)));
/// assert_eq!(trigger.stop().processed_records, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Trigger {
    wake: WakeHandle,
    shared: Arc<SharedState>,
    thread: Option<JoinHandle<()>>,
}

/// The error of a trigger that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// A setting is out of its range.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The table has no stream, or there is no such table.
    #[error("table `{0}` has no stream")]
    NoStream(String),
    /// There is no such stream. The text is AWS's.
    #[error("Stream not found: {0}")]
    StreamNotFound(String),
    /// The stream cannot be read.
    #[error("stream source failed")]
    Source(#[source] SourceError),
    /// The checkpoint cannot be saved.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFileError),
    /// No thread could be started.
    #[error("no thread could be started")]
    Thread(#[source] std::io::Error),
}

impl Trigger {
    /// Starts a trigger between the latest stream of a table, or the stream with an ARN, and a function in this process.
    ///
    /// # Errors
    ///
    /// As [`TriggerBuilder::start`].
    pub fn start(
        db: &Pretender,
        target: &str,
        settings: Settings,
        function: impl Function + 'static,
    ) -> Result<Self, TriggerError> {
        Self::builder(db, target).settings(settings).start(function)
    }

    /// Returns the builder of a trigger on a table or stream of this database. It is woken by changes, and uses the clock of the
    /// database.
    pub fn builder(db: &Pretender, target: &str) -> TriggerBuilder<StreamReader> {
        let env = db.env();
        Self::over(db.streams().observed_as(Some(ReaderKind::Trigger)), target)
            .clock(env.clock.clone())
            .ids(env.ids.clone())
            .retention(Some(db.retention()))
    }

    /// Returns the builder of a trigger on a table or stream of any source, such as an endpoint of the Streams API.
    pub fn over<S: StreamSource>(source: S, target: &str) -> TriggerBuilder<S> {
        TriggerBuilder {
            source,
            target: target.to_owned(),
            settings: Settings::default(),
            function_name: "function".to_owned(),
            checkpoint: None,
            destination: None,
            executor: Arc::new(Threads),
            clock: Arc::new(SystemClock),
            machine_time: Arc::new(Instant::now),
            ids: Arc::new(RandomIds),
            retention: Some(RETENTION),
            retry_pauses: Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(10) },
            observer: None,
            wake: WakeHandle::default(),
        }
    }

    /// Returns the state of the trigger.
    #[must_use]
    pub fn state(&self) -> TriggerState {
        self.shared.state()
    }

    /// Returns a handle that shows the state of the trigger, also after it has ended.
    #[must_use]
    pub fn handle(&self) -> TriggerHandle {
        TriggerHandle::new(self.shared.clone())
    }

    /// Waits until all records written before the call are processed, discarded or filtered; returns whether that was in time.
    ///
    /// Records that wait for a batching window are not processed. An open tumbling window whose records were delivered does not matter.
    #[must_use]
    pub fn wait_until_caught_up(&self, timeout: Duration) -> bool {
        let request = self.shared.request_catch_up();
        self.wake.wake();
        self.shared.wait_for_request(request, timeout)
    }

    /// Stops the trigger when the invocations that are under way have ended, and returns its final state.
    pub fn stop(mut self) -> TriggerState {
        self.end();
        self.shared.state()
    }

    /// Returns a handle that stops the trigger from another thread.
    #[must_use]
    pub fn wake_handle(&self) -> WakeHandle {
        self.wake.clone()
    }

    /// Waits until the trigger is stopped through [`Trigger::wake_handle`].
    pub fn join(mut self) -> TriggerState {
        self.join_thread();
        self.shared.state()
    }

    fn end(&mut self) {
        self.wake.stop();
        self.join_thread();
    }

    fn join_thread(&mut self) {
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, the message has been printed.
            let _ = thread.join();
        }
    }
}

/// Stops the trigger as [`Trigger::stop`] does.
impl Drop for Trigger {
    fn drop(&mut self) {
        self.end();
    }
}

/// Builds a [`Trigger`].
#[must_use]
pub struct TriggerBuilder<S> {
    source: S,
    target: String,
    settings: Settings,
    function_name: String,
    checkpoint: Option<PathBuf>,
    destination: Option<Arc<dyn Destination>>,
    executor: Arc<dyn Executor>,
    clock: Arc<dyn Clock>,
    machine_time: MachineTime,
    ids: Arc<dyn IdSource>,
    retention: Option<Duration>,
    retry_pauses: Backoff,
    observer: Option<Observer>,
    wake: WakeHandle,
}

impl<S> TriggerBuilder<S>
where
    S: StreamSource + Send + 'static,
    S::Record: ToEventRecord,
{
    /// Sets the settings; AWS's defaults by default.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the name in the ARN of the function, for messages about discarded batches; `function` by default.
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.function_name = name.into();
        self
    }

    /// Sets the file of the checkpoint. The trigger resumes from it if it exists. Without a file, each start begins at the starting
    /// position. Two triggers cannot share a file.
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// Sets the destination of messages about discarded batches; none by default.
    pub fn on_failure(mut self, destination: impl Destination + 'static) -> Self {
        self.destination = Some(Arc::new(destination));
        self
    }

    /// Sets the clock for windows and ages; that of the machine by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the source of the time by which polls and retries are apart; the machine's by default.
    pub fn machine_time(mut self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.machine_time = Arc::new(now);
        self
    }

    /// Sets what runs the invocations of the function; by default each runs on a thread of its own.
    pub fn executor(mut self, executor: impl Executor + 'static) -> Self {
        self.executor = Arc::new(executor);
        self
    }

    /// Sets the source of the ids of messages; random ids by default.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Sets the retention of the stream: a batch that has failed is discarded when its records are older. With `None` it is tried for
    /// ever; for streams whose clock is not known.
    pub fn retention(mut self, retention: Option<Duration>) -> Self {
        self.retention = retention;
        self
    }

    /// Sets the pauses, by the clock of the machine, before a failed batch is tried again. They double from the first to the longest;
    /// 100 ms to 10 s by default.
    pub fn retry_pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.retry_pauses = Backoff { first, longest };
        self
    }

    /// Sets the handle that stops the trigger, so that it can be stopped before it has started.
    pub fn wake_handle(mut self, wake: WakeHandle) -> Self {
        self.wake = wake;
        self
    }

    /// Sets a function that receives events, on the thread of the trigger.
    pub fn observe(mut self, observer: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Starts the trigger: checks the settings, looks the stream up, and fixes where it is read from.
    ///
    /// # Errors
    ///
    /// [`TriggerError`]; nothing was started then.
    pub fn start(self, function: impl Function + 'static) -> Result<Trigger, TriggerError> {
        let mapping = self.prepare(function)?;
        let (wake, shared) = (mapping.wake.clone(), mapping.shared.clone());
        let ended = shared.clone();
        let thread = std::thread::Builder::new()
            .name("pretender-trigger".to_owned())
            .spawn(move || {
                mapping.run();
                ended.end();
            })
            .map_err(TriggerError::Thread)?;
        Ok(Trigger { wake, shared, thread: Some(thread) })
    }

    /// Variant of [`start`](Self::start) without a thread: the caller says when the trigger goes on. For simulations, with
    /// [`machine_time`](Self::machine_time) and [`executor`](Self::executor).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn stepped(self, function: impl Function + 'static) -> Result<SteppedTrigger<S>, TriggerError> {
        Ok(SteppedTrigger::new(self.prepare(function)?))
    }

    /// Checks the settings, looks the stream up, and fixes where it is read from.
    fn prepare(self, function: impl Function + 'static) -> Result<Mapping<S>, TriggerError> {
        self.settings.check()?;
        let checkpoint_file = self.checkpoint.as_deref().map(CheckpointFile::open).transpose()?;
        let table = table_of(&self.target).map(str::to_owned);
        let known =
            |arn: &&String| checkpoint_file.as_ref().is_some_and(|file| file.saved().stream(arn).is_some());
        let stream_arn = match &table {
            None => self.target.clone(),
            Some(table_name) => {
                let listed = match self.source.streams(table_name) {
                    Err(SourceError::NotFound) => Vec::new(),
                    listed => listed.map_err(TriggerError::Source)?,
                };
                let newest = listed.first().ok_or_else(|| TriggerError::NoStream(table_name.clone()))?;
                // A stream that is not listed any more still says which one follows.
                let purged = || checkpoint_file.as_ref()?.saved().newest_of_table(newest).map(str::to_owned);
                listed.iter().find(known).cloned().or_else(purged).unwrap_or_else(|| newest.clone())
            }
        };
        let saved = checkpoint_file.as_ref().and_then(|file| file.saved().stream(&stream_arn).cloned());
        let not_read = |error| match error {
            SourceError::NotFound => TriggerError::StreamNotFound(stream_arn.clone()),
            error => TriggerError::Source(error),
        };
        let walker = match (saved, self.settings.starting_position) {
            (Some(progress), _) => ShardWalker::new(&stream_arn, progress),
            (None, StartPosition::Latest) => {
                ShardWalker::at_end(&self.source, &stream_arn).map_err(not_read)?
            }
            (None, StartPosition::AtTimestamp(time)) => {
                ShardWalker::at_time(&self.source, &stream_arn, time).map_err(not_read)?
            }
            (None, StartPosition::TrimHorizon) => {
                self.source.describe(&stream_arn).map_err(not_read)?;
                ShardWalker::new(&stream_arn, StreamProgress::new())
            }
        };
        let wake = self.wake;
        self.source.wake_on_change(&wake);
        let shared = Arc::new(SharedState::new(&stream_arn, self.observer, self.clock.clone()));
        let mut mapping = Mapping {
            function_arn: function_arn(&stream_arn, &self.function_name),
            source: self.source,
            settings: self.settings,
            function: Arc::new(function),
            executor: self.executor,
            destination: self.destination,
            clock: self.clock,
            machine_time: self.machine_time,
            ids: self.ids,
            retention: self.retention,
            backoff: self.retry_pauses,
            poll_interval: POLL_INTERVAL,
            table,
            walker,
            checkpoint_file,
            readers: Vec::new(),
            next_look: None,
            has_failed: false,
            in_flight: 0,
            outcomes: channel(),
            wake,
            shared,
        };
        // So that the position of LATEST is known even if the process ends at once.
        mapping.try_save()?;
        Ok(mapping)
    }
}

impl<S> fmt::Debug for TriggerBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriggerBuilder").field("target", &self.target).finish_non_exhaustive()
    }
}

/// Returns the name of the table, if that is what is to be read, or its ARN.
fn table_of(target: &str) -> Option<&str> {
    if !target.starts_with("arn:") {
        return Some(target);
    }
    let (_, table_name) = target.split_once(":table/")?;
    (!table_name.contains('/')).then_some(table_name)
}

/// Returns the ARN of a function that lies where the stream does.
fn function_arn(stream_arn: &str, name: &str) -> String {
    let mut parts = stream_arn.split(':').skip(1);
    let mut part = || parts.next().unwrap_or_default();
    let (partition, _, region, account) = (part(), part(), part(), part());
    format!("arn:{partition}:lambda:{region}:{account}:function:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_tables_or_streams() {
        let table = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders";
        let stream = format!("{table}/stream/2026-03-01T09:15:42.017");
        assert_eq!(table_of("Orders"), Some("Orders"));
        assert_eq!(table_of(table), Some("Orders"));
        assert_eq!(table_of(&stream), None);
        assert_eq!(function_arn(&stream, "orders"), "arn:aws:lambda:us-east-1:000000000000:function:orders");
    }
}
