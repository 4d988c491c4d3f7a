//! One history: clients, readers of streams, and the thread that disturbs them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;
use crate::answer::{Span, interpret};
use crate::disturb::{Disturber, Events};
use crate::endpoint::{Endpoint, Reply};
use crate::history::{Item, KEYS, Op, number_tokens};
use crate::place::Place;
use crate::plan::{Call, Shared};
use crate::random::Random;
use crate::request;
use crate::stream::{Reader, ReaderLog, Whole, read_whole};
use crate::watch::{Stop, Stopped, Watch};

/// How large a history is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Clients, each with a thread.
    pub clients: usize,
    /// Groups of items.
    pub groups: usize,
    /// The most calls of a group.
    pub calls: usize,
    /// How long the clients work at most.
    pub time: Duration,
}

/// What is known of one group after a history.
#[derive(Clone, Debug, Default)]
pub struct GroupLog {
    /// All operations.
    pub ops: Vec<Op>,
    /// The items afterwards.
    pub last: Vec<Option<Item>>,
    /// The stream of the table with a sort key, and that of the other one.
    pub streams: Vec<Whole>,
    /// What the readers of these streams saw.
    pub readers: Vec<ReaderLog>,
}

/// What is known after a history.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The groups.
    pub groups: Vec<GroupLog>,
    /// What happened meanwhile.
    pub events: Events,
    /// Answers that a client or reader should never get.
    pub strange: Vec<String>,
    /// Calls without an answer.
    pub unknown: usize,
    /// Calls that did nothing and tell nothing.
    pub mute: usize,
}

/// Creates the tables, lets the threads work, and collects what they saw.
///
/// # Errors
///
/// If tables cannot be created, servers do not start again, or the database cannot be read afterwards.
pub fn run(place: &Place, size: &Size, random: &mut Random) -> Outcome<Log> {
    let watch = Watch::start();
    let streams = create_tables(&mut place.endpoints()[0], size.groups)?;
    let shared = Shared::new(size.groups);
    let calls: Vec<AtomicUsize> = (0..size.groups).map(|_| AtomicUsize::new(0)).collect();
    let (mut stop, mut stopped) = Stop::new(size.groups + 1);
    let disturber = Disturber::new(place, &streams, random.fork(), watch);
    let disturber_stopped = stopped.pop().ok_or("there is a stop for each thread")?;
    let mut log = Log::default();
    let mut readers = Vec::new();
    thread::scope(|scope| -> Outcome {
        let disturber = scope.spawn(move || disturber.run(&disturber_stopped));
        let reading: Vec<_> = stopped
            .into_iter()
            .enumerate()
            .map(|(group, stopped)| {
                let readers =
                    (0..2).map(|at| Reader::new(2 * group + at, &streams[2 * group + at], random.fork()));
                let (readers, endpoints) = (readers.collect(), place.endpoints());
                scope.spawn(move || read(readers, endpoints, &watch, &stopped))
            })
            .collect();
        let clients: Vec<_> = (0..size.clients)
            .map(|number| {
                let client = Client {
                    number,
                    endpoints: place.endpoints(),
                    random: random.fork(),
                    watch,
                    shared: &shared,
                    calls: &calls,
                    size,
                    ops: vec![Vec::new(); size.groups],
                    strange: Vec::new(),
                    unknown: 0,
                    mute: 0,
                };
                scope.spawn(move || client.run())
            })
            .collect();
        log.groups = vec![GroupLog::default(); size.groups];
        for client in clients {
            let client = client.join().map_err(|_| "a client panicked")?;
            for (group, ops) in log.groups.iter_mut().zip(client.ops) {
                group.ops.extend(ops);
            }
            log.strange.extend(client.strange);
            log.unknown += client.unknown;
            log.mute += client.mute;
        }
        stop.stop();
        log.events = disturber.join().map_err(|_| "the disturber panicked")??;
        for reader in reading {
            let (reader_logs, strange) = reader.join().map_err(|_| "a reader panicked")?;
            readers.push(reader_logs);
            log.strange.extend(strange);
        }
        Ok(())
    })?;
    let mut endpoint = place.endpoints().remove(0);
    for (number, (group, readers)) in log.groups.iter_mut().zip(readers).enumerate() {
        group.readers = readers;
        settle(&mut endpoint, number, &streams[2 * number..2 * number + 2], group, size.clients, &watch)?;
        number_tokens(&mut group.ops);
    }
    Ok(log)
}

/// Creates the tables of all groups, and returns the ARNs of their streams.
fn create_tables(endpoint: &mut Endpoint, groups: usize) -> Outcome<Vec<String>> {
    let mut streams = Vec::new();
    for group in 0..groups {
        for main in [true, false] {
            let body = request::create_table(group, main);
            let reply = endpoint.call("CreateTable", &body);
            let arn = match &reply {
                Reply::Answer { status: 200, body } => body["TableDescription"]["LatestStreamArn"].as_str(),
                _ => None,
            };
            let arn =
                arn.ok_or_else(|| format!("the table was not created: {body} was answered with {reply:?}"))?;
            streams.push(arn.to_owned());
        }
    }
    Ok(streams)
}

/// Polls until it is stopped, and then once more.
fn read(
    mut readers: Vec<Reader>,
    mut endpoints: Vec<Endpoint>,
    watch: &Watch,
    stopped: &Stopped,
) -> (Vec<ReaderLog>, Vec<String>) {
    let mut strange = Vec::new();
    let mut ends = false;
    loop {
        for reader in &mut readers {
            if let Err(why) = reader.round(&mut endpoints, watch) {
                strange.push(format!("a reader: {why}"));
            }
        }
        if ends || strange.len() > 10 {
            return (readers.into_iter().map(Reader::into_log).collect(), strange);
        }
        ends = stopped.wait(Duration::from_millis(8));
    }
}

/// A client with its connections.
struct Client<'a> {
    number: usize,
    endpoints: Vec<Endpoint>,
    random: Random,
    watch: Watch,
    shared: &'a Shared,
    calls: &'a [AtomicUsize],
    size: &'a Size,
    ops: Vec<Vec<Op>>,
    strange: Vec<String>,
    unknown: usize,
    mute: usize,
}

impl Client<'_> {
    /// Calls operations until the time is over, or all groups have enough of them.
    fn run(mut self) -> Self {
        let began = self.watch.elapsed();
        while self.watch.elapsed() - began < self.size.time && self.strange.len() < 10 {
            let group = self.random.below(self.size.groups);
            if self.calls[group].fetch_add(1, Ordering::Relaxed) < self.size.calls {
                self.call(group);
            } else if self.calls.iter().all(|calls| calls.load(Ordering::Relaxed) >= self.size.calls) {
                break;
            }
        }
        self
    }

    fn call(&mut self, group: usize) {
        let call = self.shared.next(&mut self.random, group);
        let (name, body) = request::of(group, &call);
        // Mostly the same server, so that two of them are used side by side.
        let count = self.endpoints.len();
        let at = if self.random.percent(80) { self.number % count } else { self.random.below(count) };
        let endpoint = &mut self.endpoints[at];
        let called = self.watch.now();
        let reply =
            if self.random.percent(1) { endpoint.cut(name, &body) } else { endpoint.call(name, &body) };
        let span = Span { client: self.number, call: called, returned: self.watch.now() };
        match interpret(name, &call, &reply, span) {
            Ok(ops) => {
                if ops.iter().any(|op| op.returned.is_none()) {
                    self.unknown += 1;
                }
                if ops.is_empty() {
                    self.mute += 1;
                }
                self.learn(group, &call, &ops);
                self.ops[group].extend(ops);
            }
            Err(why) => self.strange.push(why),
        }
        if matches!(reply, Reply::NotSent) {
            // No server: it will be back soon.
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Notes what items are now, as far as the answer tells.
    fn learn(&self, group: usize, call: &Call, ops: &[Op]) {
        for op in ops.iter().filter(|op| op.returned.is_some()) {
            let read = op.read.iter().filter(|read| read.bucket == 0);
            for (key, item) in read.flat_map(|read| read.keys.iter().zip(&read.found)) {
                self.shared.note(group, *key, *item);
            }
            for part in &op.parts {
                match (part.put, part.delete) {
                    _ if part.refused => {}
                    (Some(item), _) => self.shared.note(group, part.key, Some(item)),
                    (None, true) if !matches!(call, Call::Transact { .. }) => {
                        self.shared.note(group, part.key, None)
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Waits until nothing changes any more, and reads everything.
fn settle(
    endpoint: &mut Endpoint,
    number: usize,
    streams: &[String],
    group: &mut GroupLog,
    client: usize,
    watch: &Watch,
) -> Outcome {
    for _ in 0..100 {
        let before = read_streams(endpoint, streams)?;
        for call in last_calls() {
            let (name, body) = request::of(number, &call);
            let called = watch.now();
            let reply = endpoint.call(name, &body);
            let span = Span { client, call: called, returned: watch.now() };
            let ops = interpret(name, &call, &reply, span)?;
            if let (Call::TransactGet { .. }, Some(read)) =
                (&call, ops.first().and_then(|op| op.read.as_ref()))
            {
                group.last.clone_from(&read.found);
            }
            group.ops.extend(ops);
        }
        group.streams = read_streams(endpoint, streams)?;
        if contents(&before) == contents(&group.streams) && group.last.len() == KEYS {
            return Ok(());
        }
        thread::park_timeout(Duration::from_millis(50));
    }
    Err("the database does not come to rest".into())
}

fn read_streams(endpoint: &mut Endpoint, streams: &[String]) -> Outcome<Vec<Whole>> {
    streams.iter().map(|stream| Ok(read_whole(endpoint, stream)?)).collect()
}

/// Returns what must not change when shards rotate: the shards with records.
fn contents(streams: &[Whole]) -> Value {
    let shards = streams.iter().map(|whole| {
        let shards = whole.shards.iter().filter(|shard| !shard.records.is_empty());
        shards.map(|shard| json!([shard.id, shard.records.len()])).collect()
    });
    shards.collect::<Vec<Value>>().into()
}

/// Returns what reads a group in every way.
fn last_calls() -> Vec<Call> {
    vec![
        Call::TransactGet { keys: (0..KEYS).collect() },
        Call::Scan { main: true, consistent: true },
        Call::Scan { main: false, consistent: false },
        Call::Index { late: false, bucket: 1 },
        Call::Index { late: false, bucket: 2 },
        Call::Index { late: true, bucket: 1 },
        Call::Query { from: 0, to: 2, consistent: false, forward: false },
    ]
}
