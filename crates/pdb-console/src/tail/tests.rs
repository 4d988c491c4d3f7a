//! Tests of the tail: it runs on a thread, and what it sends is received here.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use pretender::prelude::*;

use super::*;
use crate::Parameters;

/// How long a test waits for what must come, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

struct Shop {
    db: Pretender,
    arn: StreamArn,
}

fn orders() -> TableName {
    TableName::new("orders").unwrap()
}

impl Shop {
    fn new() -> Self {
        Self::with(
            Pretender::builder()
                .clock(Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017))))
                .open()
                .unwrap(),
        )
    }

    fn with(db: Pretender) -> Self {
        let table = db
            .create_table(CreateTableInput {
                stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
                ..CreateTableInput::new(orders(), ("id", ScalarType::S), None)
            })
            .unwrap();
        Self { db, arn: table.latest_stream_arn.unwrap() }
    }

    fn put(&self, id: &str) {
        self.db.put_item(PutItemInput::new(orders(), Item::new().with("id", id))).unwrap();
    }

    fn set_stream(&self, specification: StreamSpecification) {
        let input =
            UpdateTableInput { stream_specification: Some(specification), ..UpdateTableInput::new(orders()) };
        self.db.update_table(input).unwrap();
    }

    /// Runs a tail behind what is there, or behind the id of a message.
    fn tail(&self, query: &str, start: Option<&str>) -> Page {
        self.tail_with_room(query, start, 1000)
    }

    fn tail_with_room(&self, query: &str, start: Option<&str>, room: usize) -> Page {
        let filter = Filter::of(&Parameters::of(query.as_bytes())).unwrap();
        let start = start.map(|id| id.parse().unwrap());
        let tail = Tail::new(&self.db, self.arn.clone(), filter, start, None, show);
        let stop = tail.stop_handle();
        let (sender, received) = sync_channel(room);
        let sender: Arc<Mutex<Option<SyncSender<String>>>> = Arc::new(Mutex::new(Some(sender)));
        let closing = sender.clone();
        let thread = std::thread::spawn(move || {
            tail.run(&mut |message| match &*closing.lock().unwrap() {
                None => Sent::Gone,
                Some(sender) => match sender.try_send(message) {
                    Ok(()) => Sent::Taken,
                    Err(TrySendError::Full(_)) => Sent::Full,
                    Err(TrySendError::Disconnected(_)) => Sent::Gone,
                },
            });
        });
        let page = Page { received, sender, stop, thread: Some(thread), id: String::new() };
        assert_eq!(page.received.recv_timeout(PATIENCE).unwrap(), RETRY);
        page
    }
}

/// Shows the key of a record.
fn show(new: &ShardRecord, _: &StreamArn, _: Option<&str>) -> Markup {
    html! { i { (new.record.keys.json()) } }
}

/// A browser, as the tail sees it.
struct Page {
    received: Receiver<String>,
    sender: Arc<Mutex<Option<SyncSender<String>>>>,
    stop: TailStop,
    thread: Option<JoinHandle<()>>,
    /// The id of the last message.
    id: String,
}

impl Page {
    /// Returns the next message that says something: its kind and its data.
    fn message(&mut self) -> (String, Value) {
        let until = Instant::now() + PATIENCE;
        loop {
            let text = self.received.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap();
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.map(str::to_owned)
            };
            if let Some(id) = field("id") {
                self.id = id;
            }
            if let (Some(kind), Some(data)) = (field("event"), field("data")) {
                return (kind, serde_json::from_str(&data).unwrap());
            }
        }
    }

    /// Returns the keys of records, oldest first, until there are so many.
    fn keys(&mut self, count: usize) -> Vec<String> {
        let mut keys = Vec::new();
        while keys.len() < count {
            let (kind, data) = self.message();
            assert_eq!((kind.as_str(), data["skipped"].as_u64()), ("records", Some(0)), "{data}");
            let html = data["html"].as_str().unwrap();
            let mut batch: Vec<String> =
                html.split("<i>").skip(1).map(|row| row.split("&quot;").nth(5).unwrap().to_owned()).collect();
            assert_eq!(data["shown"].as_u64(), Some(batch.len() as u64));
            batch.reverse();
            keys.extend(batch);
        }
        keys
    }

    fn notice(&mut self) -> String {
        let (kind, data) = self.message();
        assert_eq!(kind, "notice", "{data}");
        data["text"].as_str().unwrap().to_owned()
    }

    fn end(mut self) {
        self.stop.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn records_are_sent_as_they_are_written() {
    let shop = Shop::new();
    shop.put("before");
    let mut page = shop.tail("", None);
    shop.put("a");
    assert_eq!(page.keys(1), ["a"]);
    shop.put("b");
    shop.put("c");
    assert_eq!(page.keys(2), ["b", "c"]);
    // It reads without being a reader.
    assert!(shop.db.readers().unwrap().is_empty());
    page.end();
}

#[test]
fn a_page_goes_on_behind_what_it_received_last() {
    let shop = Shop::new();
    let mut page = shop.tail("", None);
    shop.put("a");
    assert_eq!(page.keys(1), ["a"]);
    let id = page.id.clone();
    page.end();
    shop.put("b");
    shop.db.split_shards(&shop.arn, None).unwrap();
    (0..20).for_each(|n| shop.put(&format!("c{n}")));
    let mut page = shop.tail("", Some(&id));
    let mut keys = page.keys(21);
    assert_eq!(keys.remove(0), "b");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 20);
    page.end();
}

#[test]
fn only_records_that_match_are_sent() {
    let shop = Shop::new();
    let mut page = shop.tail("event=INSERT&key=a", None);
    for id in ["a1", "b", "a1", "a2"] {
        shop.put(id);
    }
    // The second write changed nothing.
    assert_eq!(page.keys(2), ["a1", "a2"]);
    page.end();
}

#[test]
fn rotations_and_splits_are_followed() {
    let shop = Shop::new();
    let mut page = shop.tail("", None);
    for round in 0..4 {
        shop.put(&format!("r{round}"));
        assert_eq!(page.keys(1), [format!("r{round}")]);
        if round % 2 == 0 {
            shop.db.rotate_shards(&shop.arn, None).unwrap();
        } else {
            shop.db.split_shards(&shop.arn, None).unwrap();
        }
    }
    page.end();
}

#[test]
fn the_next_stream_of_the_table_is_followed() {
    let shop = Shop::new();
    let mut page = shop.tail("", None);
    shop.put("a");
    assert_eq!(page.keys(1), ["a"]);
    shop.set_stream(StreamSpecification { stream_enabled: false, stream_view_type: None });
    assert!(page.notice().starts_with("The stream was disabled"));
    shop.db.advance(Duration::from_secs(1)).unwrap();
    shop.set_stream(StreamSpecification::enabled(StreamViewType::KeysOnly));
    let next = shop.db.latest_stream(&orders()).unwrap();
    shop.put("b");
    let (kind, data) = page.message();
    assert_eq!((kind.as_str(), data["stream"].as_str()), ("notice", Some(next.to_string().as_str())));
    assert_eq!(page.keys(1), ["b"]);
    let id = page.id.clone();
    page.end();
    // The id leads to the next stream, although the address of the page has the first one.
    shop.put("c");
    let mut page = shop.tail("", Some(&id));
    assert_eq!(page.keys(1), ["c"]);
    page.end();
}

#[test]
fn what_was_trimmed_unread_is_told() {
    let shop = Shop::new();
    let mut page = shop.tail("", None);
    shop.put("a");
    assert_eq!(page.keys(1), ["a"]);
    let id = page.id.clone();
    page.end();
    shop.put("b");
    shop.db.trim(&shop.arn, None).unwrap();
    shop.put("c");
    let mut page = shop.tail("", Some(&id));
    let (first, second) = (page.message(), page.message());
    let texts = [first, second].map(|(kind, data)| (kind, data.to_string()));
    assert!(
        texts
            .iter()
            .any(|(kind, text)| kind == "notice" && text.contains("were trimmed before they were read")),
        "{texts:?}"
    );
    assert!(
        texts.iter().any(|(kind, text)| kind == "records" && text.contains("&quot;c&quot;")),
        "{texts:?}"
    );
    page.end();
}

#[test]
fn a_restored_database_is_told_and_followed() {
    let shop = Shop::new();
    shop.db.save_snapshot("before").unwrap();
    let mut page = shop.tail("", None);
    shop.put("a");
    assert_eq!(page.keys(1), ["a"]);
    shop.db.restore_snapshot("before").unwrap();
    assert!(page.notice().contains("restored"));
    shop.put("b");
    assert_eq!(page.keys(1), ["b"]);
    // To another lineage.
    shop.db.split_shards(&shop.arn, None).unwrap();
    shop.put("c");
    assert_eq!(page.keys(1), ["c"]);
    shop.db.restore_snapshot("before").unwrap();
    assert!(page.notice().contains("restored"));
    page.end();
}

#[test]
fn a_restore_while_the_connection_was_lost_is_told() {
    let shop = Shop::new();
    shop.db.save_snapshot("before").unwrap();
    let mut page = shop.tail("", None);
    shop.put("a");
    assert_eq!(page.keys(1), ["a"]);
    let id = page.id.clone();
    page.end();
    // A place at which nothing was read says nothing, even if it is a number that no record has.
    shop.db.restore_snapshot("before").unwrap();
    let place = id.rsplit_once('.').unwrap().0;
    let mut page = shop.tail("", Some(&format!("{place}.")));
    shop.put("b");
    assert_eq!(page.keys(1), ["b"]);
    page.end();
    let mut page = shop.tail("", Some(&id));
    let (first, second) = (page.message(), page.message());
    let mut kinds = [first.0, second.0];
    kinds.sort();
    assert_eq!(kinds, ["notice", "records"]);
    page.end();
}

#[test]
fn a_tail_of_an_empty_shard_has_nothing_to_tell() {
    let shop = Shop::new();
    shop.db.split_shards(&shop.arn, None).unwrap();
    let id = Walk::start(&shop.db, &shop.arn, StartPosition::Latest).unwrap().checkpoint().to_string();
    let mut page = shop.tail("", Some(&id));
    shop.put("a");
    assert_eq!(page.keys(1), ["a"]);
    page.end();
}

#[test]
fn a_page_that_receives_nothing_is_told_how_much_it_lost() {
    let shop = Shop::new();
    let mut page = shop.tail_with_room("", None, 1);
    let mut written = 0;
    let mut told = 0;
    // Each write is a batch, and the page takes none of them, until batches were lost for certain.
    while told == 0 {
        shop.put(&format!("n{written}"));
        written += 1;
        if written % 50 == 0 {
            while let Ok(text) = page.received.recv_timeout(Duration::from_millis(100)) {
                let data = text.lines().find_map(|line| line.strip_prefix("data: "));
                let data: Value = data.map(|data| serde_json::from_str(data).unwrap()).unwrap_or_default();
                told += data["skipped"].as_u64().unwrap_or_default();
            }
        }
    }
    // It goes on when the page receives again.
    loop {
        shop.put(&format!("again{written}"));
        written += 1;
        if page.message().1["html"].as_str().unwrap().contains("again") {
            break;
        }
    }
    page.end();
}

#[test]
fn a_tail_ends_when_the_browser_has_left() {
    let shop = Shop::new();
    let mut page = shop.tail("", None);
    drop(page.sender.lock().unwrap().take());
    shop.put("a");
    page.thread.take().unwrap().join().unwrap();
}

#[test]
fn a_tail_of_a_stream_that_is_gone_says_so_and_ends() {
    let shop = Shop::new();
    shop.db.delete_table(&orders()).unwrap();
    shop.db.advance(Duration::from_secs(25 * 3600)).unwrap();
    let mut page = shop.tail("", None);
    let (kind, data) = page.message();
    assert_eq!(
        (kind.as_str(), data["text"].as_str()),
        ("ended", Some("The stream does not exist any more."))
    );
    page.thread.take().unwrap().join().unwrap();
}

#[test]
fn a_tail_uses_up_no_rates_and_no_faults() {
    let shop = Shop::with(Pretender::builder().enforce_limits(true).open().unwrap());
    shop.db.faults().add(Fault::new(FaultKind::InternalError)).unwrap();
    let db = shop.db.without_faults();
    let mut page = shop.tail("", None);
    let write = |id: String| db.put_item(PutItemInput::new(orders(), Item::new().with("id", id))).unwrap();
    for n in 0..20 {
        write(format!("n{n}"));
        assert_eq!(page.keys(1), [format!("n{n}")]);
    }
    page.end();
}
