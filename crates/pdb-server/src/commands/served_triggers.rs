//! `--trigger`: event source mappings in the server's own process, on its own database.

mod spec;

use std::error::Error;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use clap::Args;
use pdb_trigger::{MonitorPhase, Notice, Trigger, TriggerDescription, TriggerError, TriggerMonitor};
use pretender::Pretender;
use pretender::streams::source::{SourceError, WakeHandle};

use super::archive_settings::STREAMS;
use super::trigger::EXIT_GRACE;
use spec::{TriggerSpec, TriggerSpecs};

/// The target of log lines about triggers.
const LOG: &str = "pretender::trigger";
/// How often to look for a table that is not there yet. It costs little more than a read of the catalog.
const INTERVAL: Duration = Duration::from_millis(250);

/// The triggers of a server.
#[derive(Args, Debug)]
pub(super) struct TriggerSettings {
    /// Invoke a function with the changes of a table, as Lambda does; can be repeated
    ///
    /// A table (or the ARN of a table or stream), the address of the function, and settings of `pretender trigger`, such
    /// as `orders=127.0.0.1:9000,batch-size=10,bisect-batch-on-function-error`. The trigger waits for a table that does
    /// not exist yet. In the variable, each trigger has a line of its own.
    #[arg(
        long = "trigger",
        env = "PRETENDER_TRIGGER",
        value_name = "TABLE=URL[,SETTING=VALUE...]",
        help_heading = STREAMS
    )]
    triggers: Vec<TriggerSpecs>,
}

/// A trigger that is to be started, and its monitor.
pub(super) struct PlannedTrigger {
    spec: TriggerSpec,
    monitor: TriggerMonitor,
}

/// The triggers that run, or wait for their tables.
#[derive(Default)]
pub(super) struct ServedTriggers(Vec<Supervised>);

/// A trigger, which a thread of its own starts and waits for.
struct Supervised {
    wake: WakeHandle,
    /// Receives nothing; the sender is dropped when the thread ends.
    ended: Receiver<()>,
}

/// Why a trigger could not be started.
enum StartFailure {
    /// A later attempt may succeed.
    Absent(String),
    Permanent(Box<dyn Error>),
}

impl TriggerSettings {
    /// Returns the triggers to start.
    ///
    /// # Errors
    ///
    /// A message for people, if triggers cannot run beside each other.
    pub(super) fn plan(&self) -> Result<Vec<PlannedTrigger>, String> {
        let specs: Vec<&TriggerSpec> = self.triggers.iter().flat_map(|specs| &specs.0).collect();
        let mut files: Vec<&PathBuf> =
            specs.iter().filter_map(|spec| spec.mapping.checkpoint.as_ref()).collect();
        files.sort();
        if let Some(pair) = files.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!(
                "two triggers cannot share the checkpoint `{}`: give each a file of its own",
                pair[0].display()
            ));
        }
        Ok(specs.into_iter().cloned().map(PlannedTrigger::new).collect())
    }
}

impl PlannedTrigger {
    fn new(spec: TriggerSpec) -> Self {
        let monitor = TriggerMonitor::new(TriggerDescription {
            target: spec.target.clone(),
            function: spec.function.to_string(),
            batch_size: spec.mapping.batch_size,
            settings: spec.settings.clone(),
        });
        Self { spec, monitor }
    }

    pub(super) fn monitor(&self) -> &TriggerMonitor {
        &self.monitor
    }

    /// Starts the trigger, or a thread that does so when its table is there.
    fn start(self, db: &Pretender) -> Result<Supervised, Box<dyn Error>> {
        let wake = WakeHandle::default();
        let first = match self.attempt(db, &wake) {
            Ok(trigger) => Some(trigger),
            Err(StartFailure::Absent(text)) => {
                tracing::warn!(target: LOG, "waiting: {text}");
                self.monitor.set_phase(MonitorPhase::Waiting(text));
                None
            }
            Err(StartFailure::Permanent(error)) => return Err(error),
        };
        let (end, ended) = channel();
        let (db, waking) = (db.clone(), wake.clone());
        std::thread::Builder::new().name("pretender-triggers".to_owned()).spawn(move || {
            let trigger = first.or_else(|| self.wait_and_start(&db, &waking));
            if let Some(trigger) = trigger {
                self.join(trigger);
            }
            drop(end);
        })?;
        Ok(Supervised { wake, ended })
    }

    /// Tries until the trigger runs. Returns `None` if it was stopped before, or cannot run.
    fn wait_and_start(&self, db: &Pretender, wake: &WakeHandle) -> Option<Trigger> {
        loop {
            wake.wait(INTERVAL);
            if wake.is_stopped() {
                return None;
            }
            match self.attempt(db, wake) {
                Ok(trigger) => return Some(trigger),
                Err(StartFailure::Absent(text)) => self.monitor.set_phase(MonitorPhase::Waiting(text)),
                Err(StartFailure::Permanent(error)) => {
                    let text = crate::one_line(error.as_ref());
                    tracing::error!(target: LOG, table = self.spec.target, "cannot start the trigger: {text}");
                    self.monitor.set_phase(MonitorPhase::Waiting(format!("it cannot start: {text}")));
                    return None;
                }
            }
        }
    }

    fn attempt(&self, db: &Pretender, wake: &WakeHandle) -> Result<Trigger, StartFailure> {
        let (target, monitor) = (self.spec.target.clone(), self.monitor.clone());
        let clock = db.env().clock.clone();
        let builder =
            Trigger::builder(db, &self.spec.target).wake_handle(wake.clone()).observe(move |notice| {
                monitor.note(clock.now(), notice);
                log(&target, notice);
            });
        let builder = self.spec.mapping.apply(builder).map_err(StartFailure::Permanent)?;
        let trigger = builder.start(self.spec.mapping.function(&self.spec.function))?;
        let (table, stream_arn) = (&self.spec.target, trigger.state().stream_arn);
        tracing::info!(target: LOG, table, stream_arn, function = %self.spec.function, "started a trigger");
        self.monitor.set_phase(MonitorPhase::Running(trigger.handle()));
        Ok(trigger)
    }

    /// Waits until the trigger ends.
    fn join(&self, trigger: Trigger) {
        let handle = trigger.handle();
        trigger.join();
        self.monitor.set_phase(MonitorPhase::Ended(handle));
    }
}

impl From<TriggerError> for StartFailure {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::NoStream(table) => {
                Self::Absent(format!("there is no table `{table}` with a stream yet"))
            }
            TriggerError::StreamNotFound(_) | TriggerError::Source(SourceError::Throttled) => {
                Self::Absent(error.to_string())
            }
            TriggerError::Source(SourceError::Failed(source)) => {
                Self::Absent(crate::one_line(source.as_ref()))
            }
            error => Self::Permanent(error.into()),
        }
    }
}

impl ServedTriggers {
    /// Starts triggers on a database. Those whose tables do not exist yet wait for them.
    ///
    /// # Errors
    ///
    /// A message for people, such as that of a file that is not a checkpoint.
    pub(super) fn start(planned: Vec<PlannedTrigger>, db: &Pretender) -> Result<Self, Box<dyn Error>> {
        let mut started = Self::default();
        for trigger in planned {
            let target = trigger.spec.target.clone();
            let supervised = trigger.start(db);
            match supervised {
                Ok(supervised) => started.0.push(supervised),
                Err(error) => {
                    started.stop();
                    let text = crate::one_line(error.as_ref());
                    return Err(format!("cannot start the trigger on `{target}`: {text}").into());
                }
            }
        }
        Ok(started)
    }

    /// Stops the triggers. Invocations in progress may delay this for a moment; later results do not count.
    pub(super) fn stop(self) {
        for Supervised { wake, .. } in &self.0 {
            wake.stop();
        }
        let until = Instant::now() + EXIT_GRACE;
        for Supervised { ended, .. } in &self.0 {
            let left = until.saturating_duration_since(Instant::now());
            if ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                tracing::warn!(target: LOG, "stopped before a function has answered");
            }
        }
    }
}

/// Logs what a trigger reports.
fn log(table: &str, notice: &Notice) {
    // A line break in the answer of a function would look like another line of the log.
    let text = notice.to_string().replace(['\r', '\n'], " ");
    match notice {
        Notice::Processed { .. } => tracing::info!(target: LOG, table, "{text}"),
        Notice::Failed { .. } | Notice::Discarded { .. } | Notice::Trimmed { .. } | Notice::Problem(_) => {
            tracing::warn!(target: LOG, table, "{text}");
        }
    }
}
