//! A trigger with a function that fails by the seed: at least once, each item in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pdb_trigger::{
    Destination, Function, InvokeError, Response, Settings, SteppedTrigger, Trigger, TriggerError,
};
use pretender::streams::{SequenceNumber, StreamArn, StreamReader};
use serde_json::Value;

use crate::deliveries::Deliveries;
use crate::follower::FOLLOWED;
use crate::random::Random;
use crate::shape::table_name;
use crate::violation::{Checked, Violation, ensure};
use crate::world::World;

type Task = Box<dyn FnOnce() + Send>;
/// A trigger, the state of its function, and what has passed by the machine's clock.
type Started = (SteppedTrigger<StreamReader>, Shared, Arc<Mutex<u64>>);

/// A record that the function was given.
#[derive(Clone, Debug)]
struct Given {
    arn: StreamArn,
    key: String,
    number: SequenceNumber,
}

/// What happened in the function or its destination.
#[derive(Clone, Debug)]
enum Happened {
    /// An invocation, of which so many records succeeded.
    Invoked(Vec<Given>, usize),
    /// Records were given up: stream, first and last number.
    Discarded(StreamArn, SequenceNumber, SequenceNumber),
    /// Something that does not fit.
    Nonsense(String),
}

/// The function, its destination and what runs them.
#[derive(Default)]
struct Inner {
    log: Vec<Happened>,
    tasks: VecDeque<Task>,
    /// Percent of the invocations that fail.
    failures: u64,
    names_failures: bool,
    random: Option<Random>,
}

/// The state that the function shares with the simulation. One thread uses it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Inner>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Function for Shared {
    fn invoke(&self, event: &[u8]) -> Result<Response, InvokeError> {
        let inner = &mut *self.lock();
        let given = match records_of(event) {
            Ok(given) => given,
            Err(error) => {
                inner.log.push(Happened::Nonsense(error));
                return Ok(Response::empty());
            }
        };
        let random = inner.random.get_or_insert_with(|| Random::new(0));
        if !random.percent(inner.failures) || given.is_empty() {
            let all = given.len();
            inner.log.push(Happened::Invoked(given, all));
            return Ok(Response::empty());
        }
        match random.below(3) {
            0 => Err(InvokeError::NotInvoked("too many invocations".to_owned())),
            1 if inner.names_failures => {
                let first = usize::try_from(random.below(given.len() as u64)).unwrap_or(0);
                let response = Response::failed_at(&given[first].number.to_string());
                inner.log.push(Happened::Invoked(given, first));
                Ok(response)
            }
            _ => {
                inner.log.push(Happened::Invoked(given, 0));
                Err(InvokeError::failed("the seed says so"))
            }
        }
    }
}

impl Destination for Shared {
    fn send(&self, message: &str) -> Result<(), String> {
        let inner = &mut *self.lock();
        let random = inner.random.get_or_insert_with(|| Random::new(0));
        if random.percent(inner.failures / 2) {
            return Err("the seed says so".to_owned());
        }
        let happened = discarded(message).unwrap_or_else(|| Happened::Nonsense(message.to_owned()));
        inner.log.push(happened);
        Ok(())
    }
}

fn discarded(message: &str) -> Option<Happened> {
    let message: Value = serde_json::from_str(message).ok()?;
    let batch = &message["DDBStreamBatchInfo"];
    let number = |name: &str| batch[name].as_str()?.parse().ok();
    let arn = batch["streamArn"].as_str()?.parse().ok()?;
    Some(Happened::Discarded(arn, number("startSequenceNumber")?, number("endSequenceNumber")?))
}

fn records_of(event: &[u8]) -> Result<Vec<Given>, String> {
    let event: Value = serde_json::from_slice(event).map_err(|error| error.to_string())?;
    let records = event["Records"].as_array().ok_or("no records")?;
    let given = |record: &Value| {
        let arn = record["eventSourceARN"].as_str()?.parse().ok()?;
        let number = record["dynamodb"]["SequenceNumber"].as_str()?.parse().ok()?;
        Some(Given { arn, key: record["dynamodb"]["Keys"].to_string(), number })
    };
    records.iter().map(|record| given(record).ok_or_else(|| format!("no record: {record}"))).collect()
}

/// A trigger and what its function has processed.
pub struct Mapping {
    trigger: SteppedTrigger<StreamReader>,
    shared: Shared,
    /// What has passed by the machine's clock, in milliseconds.
    elapsed: Arc<Mutex<u64>>,
    pub(crate) deliveries: Deliveries,
    first: StreamArn,
}

/// What is left of a trigger whose process has ended.
pub struct StoppedMapping {
    pub(crate) deliveries: Deliveries,
    first: StreamArn,
}

impl Mapping {
    /// Ends the process of the trigger, at any moment: what is under way is lost.
    pub(crate) fn stop(self) -> StoppedMapping {
        let Self { deliveries, first, .. } = self;
        StoppedMapping { deliveries, first }
    }

    fn pass(&self, millis: u64) {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner) += millis;
    }
}

impl World {
    /// Starts a trigger on the followed table.
    fn start_trigger(&mut self) -> Result<Started, TriggerError> {
        let config = &self.config;
        let shared = Shared::default();
        {
            let mut inner = shared.lock();
            inner.failures = config.failures.into();
            inner.names_failures = config.reports_failures;
            inner.random = Some(Random::new(config.seed ^ self.clock_seed()));
        }
        let settings = Settings {
            batch_size: config.batch_size,
            parallelization_factor: config.parallelization_factor,
            bisect_batch_on_function_error: config.bisects,
            report_batch_item_failures: config.reports_failures,
            maximum_retry_attempts: config.retries,
            ..Settings::default()
        };
        let (begun, elapsed) = (Instant::now(), Arc::new(Mutex::new(0)));
        let passed = elapsed.clone();
        let queue = shared.clone();
        let mut builder = Trigger::builder(&self.db, table_name(FOLLOWED).as_str())
            .settings(settings)
            .machine_time(move || {
                begun + Duration::from_millis(*passed.lock().unwrap_or_else(PoisonError::into_inner))
            })
            .executor(move |task: Task| {
                queue.lock().tasks.push_back(task);
                Ok(())
            });
        if config.retries >= 0 {
            builder = builder.on_failure(shared.clone());
        }
        if let Some(folder) = self.folder() {
            builder = builder.checkpoint(folder.join("trigger.json"));
        }
        Ok((builder.stepped(shared.clone())?, shared, elapsed))
    }

    fn clock_seed(&self) -> u64 {
        self.now().0.unsigned_abs()
    }

    /// The loop of the trigger goes on.
    pub(crate) fn trigger(&mut self, millis: u16) -> Checked {
        self.audit_all()?;
        let Some(mapping) = &mut self.mapping else {
            return match self.stopped_mapping.take() {
                Some(stopped) => self.restart_from(stopped),
                None => self.begin_trigger(None),
            };
        };
        mapping.pass(millis.into());
        mapping.trigger.step();
        Ok(())
    }

    /// Starts the trigger, if the table has a stream.
    fn begin_trigger(&mut self, stopped: Option<StoppedMapping>) -> Checked {
        let has_faults = self.db.faults().is_armed();
        let listed = self.model.listed(self.now()).filter(|(_, stream)| stream.table == FOLLOWED);
        let latest = listed.map(|(arn, _)| arn).max_by(|a, b| a.label.cmp(&b.label)).cloned();
        match (self.start_trigger(), latest) {
            (Ok((trigger, shared, elapsed)), Some(latest)) => {
                // A trigger that begins anew delivers everything again.
                let has_checkpoint = self.folder().is_some();
                let first = match &stopped {
                    Some(stopped) if has_checkpoint => stopped.first.clone(),
                    _ => latest,
                };
                let mut deliveries = stopped.map(|stopped| stopped.deliveries).unwrap_or_default();
                deliveries.may_repeat = deliveries.may_repeat || has_faults || self.model.tables.is_empty();
                self.mapping = Some(Mapping { trigger, shared, elapsed, deliveries, first });
            }
            (Err(error), latest) => {
                ensure!(has_faults || latest.is_none(), "the trigger did not start: {error:?}");
                // It is started again later, and then goes on where its checkpoint is.
                self.stopped_mapping = stopped.filter(|_| self.folder().is_some());
            }
            (Ok(_), None) => ensure!(false, "a trigger has started on no stream"),
        }
        Ok(())
    }

    /// One of the tasks of the trigger runs.
    pub(crate) fn invoke(&mut self, task: u8) -> Checked {
        self.audit_all()?;
        let Some(mapping) = &self.mapping else { return Ok(()) };
        let task = {
            let mut inner = mapping.shared.lock();
            let place = usize::from(task).checked_rem(inner.tasks.len());
            place.and_then(|place| inner.tasks.remove(place))
        };
        if let Some(task) = task {
            task();
        }
        self.check_log()
    }

    /// Checks what the function was given.
    fn check_log(&mut self) -> Checked {
        let now = self.now();
        let Some(mapping) = &mut self.mapping else { return Ok(()) };
        let log = std::mem::take(&mut mapping.shared.lock().log);
        let deliveries = &mut mapping.deliveries;
        for happened in log {
            match happened {
                Happened::Nonsense(text) => return Err(Violation(format!("the trigger sent {text}"))),
                Happened::Invoked(given, processed) => {
                    let mut of_batch = Vec::with_capacity(given.len());
                    for Given { arn, key, number } in &given {
                        deliveries.check_order(&self.model, arn, key, *number, &of_batch, now)?;
                        of_batch.push(*number);
                        self.digest.add_number(number.counter);
                    }
                    for record in &given[..processed] {
                        deliveries.deliver(&record.arn, record.number)?;
                    }
                }
                Happened::Discarded(arn, first, last) => {
                    let Some(stream) = self.model.streams.get(&arn) else { continue };
                    let all = stream.visible(now).map(|bound| bound.record.sequence_number);
                    let given_up = all.filter(|number| (first..=last).contains(number));
                    let given_up: Vec<SequenceNumber> =
                        given_up.filter(|number| number.shard == first.shard).collect();
                    given_up.into_iter().for_each(|number| deliveries.excuse(&arn, number));
                }
            }
        }
        Ok(())
    }

    /// The process of the trigger ends, and another begins.
    pub(crate) fn restart_trigger(&mut self) -> Checked {
        self.audit_all()?;
        match self.mapping.take() {
            Some(mapping) => self.restart_from(mapping.stop()),
            None => Ok(()),
        }
    }

    /// Starts the trigger after its process has ended.
    pub(crate) fn restart_from(&mut self, mut stopped: StoppedMapping) -> Checked {
        // At least once: what was processed and not yet saved comes again.
        stopped.deliveries.may_repeat = true;
        stopped.deliveries.forget(&self.model);
        self.begin_trigger(Some(stopped))
    }

    /// Lets the trigger finish with a function that succeeds, and checks that nothing is lost.
    pub(crate) fn drain_trigger(&mut self) -> Checked {
        let Some(mapping) = &self.mapping else { return Ok(()) };
        mapping.shared.lock().failures = 0;
        // A shard without records takes a few steps that invoke nothing.
        let shards: usize = self.model.streams.values().map(|stream| stream.shards.len()).sum();
        let (mut quiet, rest) = (0, 6 + 4 * shards);
        for _ in 0..100_000 {
            let Some(mapping) = &mut self.mapping else { return Ok(()) };
            mapping.pass(11_000);
            mapping.trigger.step();
            let tasks = std::mem::take(&mut mapping.shared.lock().tasks);
            quiet = if tasks.is_empty() { quiet + 1 } else { 0 };
            tasks.into_iter().for_each(|task| task());
            self.check_log()?;
            if quiet > rest {
                break;
            }
        }
        let now = self.now();
        let failures = self.config.failures;
        let Some(mapping) = &mut self.mapping else { return Ok(()) };
        mapping.shared.lock().failures = failures.into();
        ensure!(quiet > rest, "the trigger does not come to rest: {:?}", mapping.trigger.state());
        mapping.deliveries.check_complete(&self.model, FOLLOWED, &mapping.first, now).map_err(|violation| {
            Violation(format!("{violation}, in the trigger {:?}", mapping.trigger.state()))
        })
    }
}
