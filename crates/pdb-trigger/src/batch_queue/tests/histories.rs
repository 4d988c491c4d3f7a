//! Random histories against a simple model: what became of every record, whatever the function did.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::shard::queue_of;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// Records of these keys are read.
    Read(Vec<u8>),
    /// The n-th task under way ends like this.
    End(usize, Ending),
    /// The database's clock moves, by seconds.
    Advance(u64),
    /// The process dies, and begins again at its checkpoint.
    Crash,
}

/// How a task ends; a message is refused if it fails.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Well,
    Fail,
    NotInvoked,
    /// The records from this share of the batch on are reported.
    Report(u8),
    Nonsense,
}

fn any_ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Well),
        3 => Just(Ending::Fail),
        1 => Just(Ending::NotInvoked),
        3 => any::<u8>().prop_map(Ending::Report),
        1 => Just(Ending::Nonsense),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec(0..6_u8, 1..8).prop_map(Step::Read),
        12 => (any::<usize>(), any_ending()).prop_map(|(n, ending)| Step::End(n, ending)),
        1 => (1..50_u64).prop_map(Step::Advance),
        1 => Just(Step::Crash),
    ]
}

prop_compose! {
    fn any_settings()(
        batch_size in 1..6_u32,
        parallelization_factor in 1..5_u32,
        maximum_retry_attempts in -1..3_i32,
        maximum_record_age_in_seconds in prop_oneof![Just(-1), Just(60)],
        maximum_batching_window_in_seconds in prop_oneof![3 => Just(0), 1 => 1..20_u32],
        bisect_batch_on_function_error: bool,
        report_batch_item_failures: bool,
    ) -> Settings {
        Settings {
            batch_size,
            parallelization_factor,
            maximum_retry_attempts,
            maximum_record_age_in_seconds,
            maximum_batching_window_in_seconds,
            bisect_batch_on_function_error,
            report_batch_item_failures,
            ..Settings::default()
        }
    }
}

/// The history, and the model beside it.
struct History {
    driven: Driven,
    /// Key and time of all records ever written; the n-th has the number n + 1.
    records: Vec<(String, EpochMillis)>,
    under_way: Vec<(usize, Task)>,
    /// Records the function took, or that were given up, ever.
    seen: BTreeSet<u64>,
    /// The same, but forgotten at a crash unless they lie before the checkpoint.
    done: BTreeSet<u64>,
    /// The last record of each key that the function took since the last crash.
    last: BTreeMap<String, u64>,
}

impl History {
    fn new(settings: Settings, has_destination: bool) -> Self {
        let mut driven = Driven::new(settings);
        driven.has_destination = has_destination;
        let (seen, done, last) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Self { driven, records: Vec::new(), under_way: Vec::new(), seen, done, last }
    }

    fn checkpoint(&self) -> u64 {
        self.driven.shard.settled_to().map_or(0, |number| number.parse().unwrap())
    }

    fn key(&self, number: u64) -> &str {
        &self.records[number as usize - 1].0
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Read(keys) => {
                for key in keys {
                    let key = format!("k{key}");
                    self.driven.push(&key);
                    // An endpoint tells whole seconds.
                    self.records.push((key, EpochMillis(self.driven.now.seconds() * 1000)));
                }
            }
            Step::End(n, ending) if !self.under_way.is_empty() => {
                let (queue, task) = self.under_way.remove(n % self.under_way.len());
                self.end(queue, &task, *ending)?;
            }
            Step::End(..) => self.driven.pass_pauses(),
            Step::Advance(seconds) => self.driven.advance(*seconds),
            Step::Crash => {
                let checkpoint = self.checkpoint();
                self.driven.shard = Shard::new(self.driven.settings.queues());
                self.under_way.clear();
                self.done = (1..=checkpoint).collect();
                self.last.clear();
                if checkpoint > 0 {
                    self.driven.shard.resume_behind(checkpoint.to_string());
                }
                for (number, (key, created)) in (1..).zip(&self.records).skip(checkpoint as usize) {
                    self.driven.push_again(number, key, *created, 0);
                }
            }
        }
        self.start()
    }

    /// Takes the tasks there are.
    fn start(&mut self) -> Result<(), TestCaseError> {
        for (queue, task) in self.driven.next() {
            prop_assert!(self.under_way.iter().all(|(busy, _)| *busy != queue), "two tasks of queue {queue}");
            if let Task::Invoke(event) = &task {
                let event: Value = serde_json::from_str(event).unwrap();
                let count = numbers(&event).count();
                prop_assert!(count >= 1 && count <= self.driven.settings.batch_size as usize);
                for number in numbers(&event) {
                    prop_assert!(!self.done.contains(&number), "{number} was done with");
                    prop_assert_eq!(self.queue(number), queue);
                }
            }
            self.under_way.push((queue, task));
        }
        self.note_given_up_in_silence()?;
        // Nobody who begins at the checkpoint misses a record.
        let checkpoint = self.checkpoint();
        for number in 1..=checkpoint {
            prop_assert!(self.done.contains(&number), "{number} is not done, but before {checkpoint}");
        }
        Ok(())
    }

    fn queue(&self, number: u64) -> usize {
        let key = json!({ "pk": { "S": self.key(number) } }).to_string();
        queue_of(&key, self.driven.settings.queues())
    }

    fn end(&mut self, queue: usize, task: &Task, ending: Ending) -> Result<(), TestCaseError> {
        let outcome = match task {
            Task::Invoke(event) => {
                let event: Value = serde_json::from_str(event).unwrap();
                let batch: Vec<u64> = numbers(&event).collect();
                let reports = self.driven.settings.report_batch_item_failures;
                let (taken, answer) = match ending {
                    Ending::Well => (batch.len(), Ok(Response::empty())),
                    Ending::Fail => (0, failed()),
                    Ending::NotInvoked => (0, Err(InvokeError::NotInvoked("gone".to_owned()))),
                    Ending::Report(share) if reports => {
                        let at = usize::from(share) * batch.len() / 256;
                        (at, Ok(Response::failed_at(&batch[at].to_string())))
                    }
                    Ending::Nonsense if reports => (0, Ok(Response::failed_at("nobody"))),
                    Ending::Report(_) | Ending::Nonsense => (batch.len(), Ok(Response::failed_at("nobody"))),
                };
                for number in &batch[..taken] {
                    let before = self.last.insert(self.key(*number).to_owned(), *number).unwrap_or(0);
                    prop_assert!(before < *number, "{number} was taken after {before}");
                    prop_assert!(self.done.insert(*number), "{number} was taken twice");
                    self.seen.insert(*number);
                }
                TaskOutcome::Invoked(answer)
            }
            Task::Report(_) if matches!(ending, Ending::Fail) => {
                TaskOutcome::Reported(Err("full".to_owned()))
            }
            Task::Report(message) => {
                self.note_message(queue, message)?;
                TaskOutcome::Reported(Ok(()))
            }
        };
        self.driven.finish(queue, outcome);
        Ok(())
    }

    /// Notes what a message says is given up: the records of its queue from the first to the last.
    fn note_message(&mut self, queue: usize, message: &str) -> Result<(), TestCaseError> {
        let message: Value = serde_json::from_str(message).unwrap();
        let info = &message["DDBStreamBatchInfo"];
        let number = |name: &str| info[name].as_str().unwrap().parse::<u64>().unwrap();
        let (first, last) = (number("startSequenceNumber"), number("endSequenceNumber"));
        let given_up: Vec<u64> = (first..=last).filter(|number| self.queue(*number) == queue).collect();
        prop_assert_eq!(Some(given_up.len() as u64), info["batchSize"].as_u64());
        if message["requestContext"]["condition"] == "RecordAgeExceeded" {
            for number in &given_up {
                let age = self.driven.now.since(self.records[*number as usize - 1].1);
                prop_assert!(age > Duration::from_secs(60), "{number} is {age:?} old");
            }
        } else {
            let allowed = self.driven.settings.maximum_retry_attempts;
            let invocations = message["requestContext"]["approximateInvokeCount"].as_i64().unwrap();
            prop_assert!(allowed >= 0 && invocations > i64::from(allowed));
        }
        for number in given_up {
            prop_assert!(self.done.insert(number), "{number} was given up, and done with before");
            self.seen.insert(number);
        }
        Ok(())
    }

    /// Notes what was given up without a message: it is told how many, and they are those that are nowhere any more.
    fn note_given_up_in_silence(&mut self) -> Result<(), TestCaseError> {
        let events = std::mem::take(&mut self.driven.events);
        if self.driven.has_destination {
            return Ok(());
        }
        let counts = events.iter().map(|events| match events {
            QueueEvent::Discarded { records, .. } => *records,
            _ => 0,
        });
        let held = self.driven.shard.unsettled_numbers();
        let is_gone = |number: &u64| !held.contains(number) && !self.done.contains(number);
        let gone: Vec<u64> = (1..=self.records.len() as u64).filter(is_gone).collect();
        prop_assert_eq!(gone.len(), counts.sum::<usize>());
        self.seen.extend(&gone);
        self.done.extend(gone);
        Ok(())
    }

    /// Lets everything end well, and checks that nothing is left.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.driven.shard.end();
        loop {
            self.driven.pass_pauses();
            self.start()?;
            if self.under_way.is_empty() {
                break;
            }
            for (queue, task) in std::mem::take(&mut self.under_way) {
                self.end(queue, &task, Ending::Well)?;
            }
        }
        let all: BTreeSet<u64> = (1..=self.records.len() as u64).collect();
        prop_assert_eq!(&self.done, &all);
        prop_assert_eq!(&self.seen, &all);
        prop_assert!(self.driven.shard.is_finished());
        prop_assert_eq!(self.checkpoint(), self.records.len() as u64);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: pdb_testkit::rounds(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Every record is taken by the function, in the order of its item, or given up and told; once, unless the process died
    /// before that was noted; and in batches that are no bigger than allowed.
    #[test]
    fn every_record_is_processed_or_given_up(
        settings in any_settings(),
        has_destination: bool,
        steps in vec(any_step(), 1..120),
    ) {
        let mut history = History::new(settings, has_destination);
        for step in &steps {
            history.take(step)?;
        }
        history.settle()?;
    }

    /// What a window's last invocation gets is the sum of its records, whatever failed meanwhile.
    #[test]
    fn a_window_ends_with_the_sum_of_its_records(
        batch_size in 1..5_u32,
        bisect_batch_on_function_error: bool,
        steps in vec((0..40_u64, any::<u8>()), 1..60),
    ) {
        let mut driven = Driven::new(Settings {
            batch_size,
            bisect_batch_on_function_error,
            report_batch_item_failures: true,
            tumbling_window_in_seconds: 60,
            ..Settings::default()
        });
        let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (seconds, ending) in &steps {
            driven.advance(*seconds);
            driven.push("k");
            *expected.entry(driven.now.0.div_euclid(60_000)).or_default() += 1;
            if seconds % 3 == 0 {
                // Each bit says what an invocation does; after eight it does well.
                let mut bits = *ending;
                run_windows(&mut driven, &mut sums, || {
                    bits >>= 1;
                    bits & 3
                });
            }
        }
        driven.shard.end();
        run_windows(&mut driven, &mut sums, || 0);
        prop_assert!(driven.shard.is_finished());
        let sums: Vec<u64> = sums.into_values().collect();
        prop_assert_eq!(sums, expected.into_values().collect::<Vec<_>>());
        let written = steps.len().to_string();
        prop_assert_eq!(driven.shard.settled_to(), Some(&*written));
    }
}

/// Invokes a function that sums; told 1 it fails, told 2 it takes the first half of a batch.
fn run_windows(driven: &mut Driven, sums: &mut BTreeMap<String, u64>, mut ending: impl FnMut() -> u8) {
    driven.run(|event| {
        let count = numbers(event).count();
        let before = event["state"]["n"].as_u64().unwrap_or(0);
        match ending() {
            1 => return failed(),
            2 if count > 1 => {
                let number = numbers(event).nth(count / 2).unwrap().to_string();
                let failures = json!([{ "itemIdentifier": number }]);
                let state = json!({ "n": before + count as u64 / 2 });
                let answer = json!({ "state": state, "batchItemFailures": failures });
                return Ok(Response::json(answer.to_string()));
            }
            _ => {}
        }
        if event["isFinalInvokeForWindow"] == true {
            let window = event["window"]["start"].as_str().unwrap().to_owned();
            assert_eq!(sums.insert(window, before), None, "a window ends once");
        }
        Ok(Response::json(json!({ "state": { "n": before + count as u64 } }).to_string()))
    });
}
