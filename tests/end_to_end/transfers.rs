//! Imports, exports and bulk operations, on both engines: what they write and report, and that interruptions neither lose nor repeat anything.

mod bulk_put;
mod export;
mod import;
mod interrupted;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use pretender::Pretender;
use pretender::items::ScanInput;
use pretender::model::{Item, ScalarType, TableName};
use pretender::objects::{MemoryObjects, Object, ObjectError, ObjectStore, ObjectWriter};
use pretender::tables::CreateTableInput;
use pretender::transfers::{
    ImportDescription, ImportTableInput, InputFormat, S3Source, TableCreationParameters,
};

use crate::place::Place;

const LONG: Duration = Duration::from_secs(120);

fn table(name: &str) -> TableName {
    name.parse().unwrap()
}

fn orders() -> CreateTableInput {
    CreateTableInput::new(table("Orders"), ("id", ScalarType::S), None)
}

/// Buckets whose objects can be slow, and can fail.
#[derive(Clone, Debug, Default)]
struct Objects {
    memory: MemoryObjects,
    /// Reading pauses after each so many bytes for a millisecond; not at all if it is 0.
    pause_every: Arc<AtomicU64>,
    /// After so many more bytes, reading fails; never if it is negative.
    fail_after: Arc<AtomicI64>,
    /// How many milliseconds each write takes.
    pause_writes: Arc<AtomicU64>,
    /// After so many more bytes, writing fails; never if it is negative.
    fail_writes_after: Arc<AtomicI64>,
    /// How many bytes were written.
    written: Arc<AtomicU64>,
}

impl Objects {
    fn new() -> Self {
        let never = || Arc::new(AtomicI64::new(-1));
        let this = Self { fail_after: never(), fail_writes_after: never(), ..Self::default() };
        for bucket in ["in", "out"] {
            this.memory.create_bucket(bucket);
        }
        this
    }

    /// Waits until so many more bytes have been written.
    fn wait_for_bytes(&self, bytes: u64) {
        let end = self.written.load(Ordering::Relaxed) + bytes;
        while self.written.load(Ordering::Relaxed) < end {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    fn put_text(&self, key: &str, text: &str) {
        self.memory.put("in", key, text.as_bytes()).unwrap();
    }

    /// Returns the objects of the output bucket, unpacked if they are packed.
    fn report(&self) -> BTreeMap<String, String> {
        let mut keys = Vec::new();
        let mut each = |object: Object| {
            keys.push(object.key);
            ControlFlow::Continue(())
        };
        self.memory.list("out", "", &mut each).unwrap();
        keys.into_iter()
            .map(|key| {
                let content = self.memory.get("out", &key, 1 << 30).unwrap().unwrap();
                let mut text = String::new();
                if key.ends_with(".gz") {
                    flate2::read::MultiGzDecoder::new(&*content).read_to_string(&mut text).unwrap();
                } else {
                    text = String::from_utf8(content).unwrap();
                }
                (key, text)
            })
            .collect()
    }
}

impl ObjectStore for Objects {
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        each: &mut dyn FnMut(Object) -> ControlFlow<()>,
    ) -> Result<(), ObjectError> {
        self.memory.list(bucket, prefix, each)
    }

    fn open(&self, bucket: &str, key: &str) -> Result<Box<dyn Read + Send>, ObjectError> {
        Ok(Box::new(Reader { objects: self.clone(), inner: self.memory.open(bucket, key)? }))
    }

    fn create(&self, bucket: &str, key: &str) -> Result<Box<dyn ObjectWriter>, ObjectError> {
        Ok(Box::new(Writer { objects: self.clone(), inner: self.memory.create(bucket, key)? }))
    }

    fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectError> {
        self.memory.delete(bucket, key)
    }
}

struct Writer {
    objects: Objects,
    inner: Box<dyn ObjectWriter>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.objects.fail_writes_after.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other("the disk is full"));
        }
        std::thread::park_timeout(Duration::from_millis(self.objects.pause_writes.load(Ordering::Relaxed)));
        self.objects.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if left > 0 {
            let rest = left.saturating_sub(bytes.len() as i64).max(0);
            self.objects.fail_writes_after.store(rest, Ordering::Relaxed);
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl ObjectWriter for Writer {
    fn finish(self: Box<Self>) -> Result<Option<String>, ObjectError> {
        self.inner.finish()
    }
}

struct Reader {
    objects: Objects,
    inner: Box<dyn Read + Send>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.objects.fail_after.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other("the network is gone"));
        }
        let pause = self.objects.pause_every.load(Ordering::Relaxed) as usize;
        let most = if pause == 0 { buffer.len() } else { pause.min(buffer.len()) };
        let most = if left > 0 { most.min(left as usize) } else { most };
        if pause > 0 {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let length = self.inner.read(&mut buffer[..most])?;
        if left > 0 {
            self.objects.fail_after.fetch_sub(length as i64, Ordering::Relaxed);
        }
        Ok(length)
    }
}

fn open(place: &Place, objects: &Objects) -> Pretender {
    place.builder().objects(Arc::new(objects.clone())).sweep_interval(None).open().unwrap()
}

fn import_of(prefix: &str, format: InputFormat, table: CreateTableInput) -> ImportTableInput {
    ImportTableInput::new(
        S3Source::new("in").with_prefix(prefix),
        format,
        TableCreationParameters::from(table),
    )
}

/// Begins an import and waits for its end.
fn imported(db: &Pretender, input: ImportTableInput) -> ImportDescription {
    let import = db.import_table(input).unwrap();
    assert!(db.wait_for_transfers(LONG));
    db.describe_import(&import.import_arn).unwrap()
}

/// Returns the items of a table, sorted.
fn items(db: &Pretender, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut input = ScanInput::new(table(name));
    loop {
        let page = db.scan(input.clone()).unwrap();
        found.extend(page.items.unwrap().iter().map(|item| item.json().to_owned()));
        let Some(last) = page.last_evaluated_key else { break };
        input.exclusive_start_key = Some(last);
    }
    found.sort();
    found
}

/// Lines of DynamoDB JSON.
fn lines(items: impl IntoIterator<Item = Item>) -> String {
    items.into_iter().map(|item| format!("{{\"Item\":{item}}}\n")).collect()
}
