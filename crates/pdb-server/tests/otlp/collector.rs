//! A collector that keeps the spans that it is sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::protobuf::Message;

/// A collector, listening.
pub(crate) struct Collector {
    url: String,
    received: Receiver<Span>,
}

/// A span, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) state: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: u64,
    /// 2 means an error.
    pub(crate) status: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The ids of trace and span.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) nanos: std::ops::Range<u64>,
    /// Attributes of the program that sent it.
    pub(crate) resource: BTreeMap<String, String>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let sender = sender.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &sender));
            }
        });
        Self { url, received }
    }

    /// Its address, without the path for traces.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The spans that have come so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.received.try_iter().collect()
    }
}

/// Answers the requests of a connection, until the client closes it.
fn serve(stream: TcpStream, sender: &Sender<Span>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        spans(&body).into_iter().for_each(|span| sender.send(span).unwrap());
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

/// Reads an `ExportTraceServiceRequest`.
fn spans(body: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource_spans in Message::read(body).messages(1) {
        let resource = resource_spans.message(1).map(|resource| attributes(&resource, 1)).unwrap_or_default();
        for scope_spans in resource_spans.messages(2) {
            spans.extend(scope_spans.messages(2).iter().map(|message| span(message, &resource)));
        }
    }
    spans
}

fn span(message: &Message, resource: &BTreeMap<String, String>) -> Span {
    Span {
        trace: message.hex(1),
        id: message.hex(2),
        parent: message.hex(4),
        state: message.text(3),
        name: message.text(5).unwrap(),
        kind: message.number(6).unwrap(),
        status: message.message(15).and_then(|status| status.number(3)).unwrap_or(0),
        attributes: attributes(message, 9),
        links: message.messages(13).iter().map(|link| (link.hex(1), link.hex(2))).collect(),
        nanos: message.number(7).unwrap()..message.number(8).unwrap(),
        resource: resource.clone(),
    }
}

fn attributes(message: &Message, field: u64) -> BTreeMap<String, String> {
    let pairs = message.messages(field);
    pairs.iter().map(|pair| (pair.text(1).unwrap(), shown(&pair.message(2).unwrap()))).collect()
}

/// The value of an attribute as text; those of a list in brackets.
fn shown(value: &Message) -> String {
    if let Some(list) = value.message_of_list() {
        return format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(","));
    }
    value.text_or_number()
}

impl Message {
    fn message_of_list(&self) -> Option<Vec<Self>> {
        self.message(5).map(|list| list.messages(1))
    }

    fn text_or_number(&self) -> String {
        let boolean = || self.number(2).map(|value| (value == 1).to_string());
        let number = || self.number(3).map(|number| number.to_string());
        self.text(1).or_else(boolean).or_else(number).unwrap_or_else(|| panic!("{self:?}"))
    }
}
