//! A small HTTP server that is a function, as one writes it in a few lines: it takes Lambda's invoke call.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the function answers.
pub(crate) struct Answer {
    status: u16,
    headers: &'static str,
    body: String,
}

impl Answer {
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self { status: 200, headers: "", body: body.into() }
    }

    /// As Lambda's runtime interface emulator tells that the function failed.
    pub(crate) fn error() -> Self {
        Self::json(r#"{"errorMessage":"boom","errorType":"ValueError","requestId":"","stackTrace":[]}"#)
    }

    /// As Lambda tells it.
    pub(crate) fn unhandled() -> Self {
        Self { headers: "X-Amz-Function-Error: Unhandled\r\n", ..Self::error() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: "", body: String::new() }
    }

    pub(crate) fn failed_at(record: &Value) -> Self {
        let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap();
        Self::json(format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{number}"}}]}}"#))
    }
}

/// Something that an invocation can wait for.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let (is_open, changed) = &*self.0;
        let mut is_open = is_open.lock().unwrap();
        while !*is_open {
            is_open = changed.wait(is_open).unwrap();
        }
    }
}

type Handler = Box<dyn Fn(&Value) -> Answer + Send + Sync>;

#[derive(Default)]
struct Seen {
    events: Mutex<Vec<Value>>,
    changed: Condvar,
}

/// The function: it remembers what it got, and answers as it is told.
pub(crate) struct FunctionServer {
    address: String,
    seen: Arc<Seen>,
}

impl FunctionServer {
    pub(crate) fn start(handler: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Seen::default());
        let (handler, shared) = (Arc::new(Box::new(handler) as Handler), seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, seen) = (handler.clone(), shared.clone());
                std::thread::spawn(move || serve(stream, &handler, &seen));
            }
        });
        Self { address, seen }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// What it has got so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.seen.events.lock().unwrap().clone()
    }

    /// Waits until the events are as they should be, and returns them.
    #[track_caller]
    pub(crate) fn wait_for(&self, is_enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let until = Instant::now() + PATIENCE;
        let mut events = self.seen.events.lock().unwrap();
        while !is_enough(&events) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "this is all that came: {events:?}");
            events = self.seen.changed.wait_timeout(events, left).unwrap().0;
        }
        events.clone()
    }
}

/// Answers one call. The event counts as seen before it is answered.
fn serve(stream: TcpStream, handler: &Handler, seen: &Seen) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let is_invoke = line.starts_with("POST /2015-03-31/functions/function/invocations HTTP/1.1")
        // Where messages about discarded batches go.
        || line.starts_with("POST /failed HTTP/1.1");
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = match serde_json::from_slice::<Value>(&body) {
        Ok(event) if is_invoke => {
            seen.events.lock().unwrap().push(event.clone());
            seen.changed.notify_all();
            handler(&event)
        }
        _ => Answer::status(404),
    };
    let text = format!(
        "HTTP/1.1 {} x\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        answer.status,
        answer.headers,
        answer.body.len(),
        answer.body
    );
    // Whoever asked may have been killed.
    let _ = reader.get_mut().write_all(text.as_bytes());
}

/// The records of an event: key and number of each new image.
pub(crate) fn batch(event: &Value) -> String {
    let records = event["Records"].as_array().unwrap().iter().map(|record| {
        let change = &record["dynamodb"];
        let key = change["Keys"]["pk"]["S"].as_str().unwrap();
        format!("{key}{}", change["NewImage"]["n"]["N"].as_str().unwrap_or("-"))
    });
    records.collect::<Vec<_>>().join(" ")
}
