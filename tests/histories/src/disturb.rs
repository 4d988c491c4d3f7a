//! What happens to a database while clients work.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use pdb_testpg::Stop as PostgresStop;
use serde_json::{Value, json};

use crate::Outcome;
use crate::endpoint::Endpoint;
use crate::place::{Kind, Place, lock};
use crate::random::Random;
use crate::request;
use crate::server::End;
use crate::watch::{Stopped, Watch};

/// The most often that servers are killed or stopped in one history.
const ENDS: usize = 3;
/// The most often that a stream is split by command.
const SPLITS: usize = 3;

/// What happened.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// One line for each event, with its time in nanoseconds.
    pub lines: Vec<(i64, String)>,
    /// How often each kind of event happened.
    pub counts: BTreeMap<&'static str, usize>,
}

/// Does what a database must bear.
pub(crate) struct Disturber<'a> {
    place: &'a Place,
    streams: &'a [String],
    random: Random,
    watch: Watch,
    endpoints: Vec<Endpoint>,
    events: Events,
}

impl<'a> Disturber<'a> {
    pub(crate) fn new(place: &'a Place, streams: &'a [String], random: Random, watch: Watch) -> Self {
        Self { place, streams, random, watch, endpoints: place.endpoints(), events: Events::default() }
    }

    /// Disturbs until it is stopped. In the end, everything runs.
    pub(crate) fn run(mut self, stopped: &Stopped) -> Outcome<Events> {
        // A database in this process is much faster.
        let (least, most) = if self.place.settings.in_process { (3, 40) } else { (20, 160) };
        loop {
            let pause = (least + self.random.below(most - least)) as u64;
            if stopped.wait(Duration::from_millis(pause)) {
                return Ok(self.events);
            }
            match self.random.below(100) {
                0..35 => self.end_server(stopped)?,
                35..45 => self.crash_database(stopped)?,
                45..60 => self.change_shards("rotate"),
                60..72 => self.change_shards("split"),
                72..92 => self.change_index(),
                _ => self.compact(),
            }
        }
    }

    fn note(&mut self, event: &'static str, details: &str) {
        *self.events.counts.entry(event).or_default() += 1;
        self.events.lines.push((self.watch.now(), format!("{event} {details}")));
    }

    fn count(&self, event: &str) -> usize {
        self.events.counts.get(event).copied().unwrap_or_default()
    }

    /// Kills or stops a server, and starts it again.
    fn end_server(&mut self, stopped: &Stopped) -> Outcome {
        let settings = &self.place.settings;
        if settings.in_process
            || settings.kind == Kind::Memory
            || self.count("kill") + self.count("stop") >= ENDS
        {
            return Ok(());
        }
        let at = self.random.below(self.place.servers.len());
        let how = if self.random.percent(70) { End::Kill } else { End::Terminate };
        let event = if how == End::Kill { "kill" } else { "stop" };
        self.note(event, &format!("server {at} begins"));
        let mut server = self.place.servers[at].lock().unwrap_or_else(PoisonError::into_inner);
        server.end(how)?;
        if self.random.percent(50) {
            // A server that waits here is started again anyway.
            let _ = stopped.wait(Duration::from_millis(self.random.below(80) as u64));
        }
        server.start_again()?;
        drop(server);
        self.events.lines.push((self.watch.now(), format!("server {at} runs again")));
        Ok(())
    }

    /// Lets the database server of a history crash.
    fn crash_database(&mut self, stopped: &Stopped) -> Outcome {
        let Some((server, _)) = &self.place.postgres else { return Ok(()) };
        if self.place.settings.kind != Kind::Postgres || self.count("crash") >= 2 {
            return Ok(());
        }
        let server = server.clone();
        let how = self.random.of(&[PostgresStop::Immediate, PostgresStop::Kill]);
        self.note("crash", &format!("of PostgreSQL, {how:?}, begins"));
        let mut server = lock(&server);
        server.stop(how)?;
        let _ = stopped.wait(Duration::from_millis(self.random.below(60) as u64));
        server.start_again()?;
        drop(server);
        self.events.lines.push((self.watch.now(), "PostgreSQL runs again".to_owned()));
        Ok(())
    }

    fn change_shards(&mut self, command: &'static str) {
        if command == "split" && self.count("split") >= SPLITS * self.streams.len() {
            return;
        }
        let stream = &self.streams[self.random.below(self.streams.len())];
        if let Some(db) = &self.place.in_process {
            let Ok(arn) = stream.parse() else { return };
            // It may fail while the database server is away.
            let _ =
                if command == "split" { db.split_shards(&arn, None) } else { db.rotate_shards(&arn, None) };
        } else {
            self.command(&format!("shards/{command}"), &json!({ "stream_arn": stream }));
        }
        self.note(command, stream);
    }

    /// Creates or deletes an index. Either fails if it was done before.
    fn change_index(&mut self) {
        let group = self.random.below(self.streams.len() / 2);
        let create = self.random.percent(60);
        let at = self.random.below(self.endpoints.len());
        let reply = self.endpoints[at].call("UpdateTable", &request::change_index(group, create));
        self.note(
            "index",
            &format!("{} in group {group}: {}", if create { "created" } else { "deleted" }, short(&reply)),
        );
    }

    fn compact(&mut self) {
        if let Some(db) = &self.place.in_process {
            // It is refused on PostgreSQL.
            let _ = db.compact();
        } else {
            self.command("compact", &json!({}));
        }
        self.note("compact", "");
    }

    fn command(&mut self, command: &str, body: &Value) {
        let at = self.random.below(self.endpoints.len());
        // It may fail while a server is away, which the events show.
        let reply = self.endpoints[at].control(command, body);
        self.events.lines.push((self.watch.now(), format!("{command}: {}", short(&reply))));
    }
}

fn short(reply: &crate::endpoint::Reply) -> String {
    let mut text = format!("{reply:?}");
    text.truncate(text.char_indices().nth(300).map_or(text.len(), |(at, _)| at));
    text
}
