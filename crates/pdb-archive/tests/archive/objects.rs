//! A store of objects that fails on demand.

use pretender::objects::{MemoryObjects, Object, ObjectError, ObjectStore, ObjectWriter};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Without any effect.
    Before,
    /// After it had its effect: as if the process had died at this moment.
    After,
}

/// Objects in memory whose calls fail on demand.
#[derive(Clone, Debug)]
pub(crate) struct FlakyObjects {
    pub(crate) objects: MemoryObjects,
    plan: Arc<Mutex<Option<Failure>>>,
    /// How many calls succeed until then; negative while all fail.
    left: Arc<AtomicI64>,
    pub(crate) calls: Arc<AtomicU64>,
}

impl FlakyObjects {
    pub(crate) fn new() -> Self {
        let objects = MemoryObjects::new();
        objects.create_bucket("archive");
        Self { objects, plan: Arc::default(), left: Arc::default(), calls: Arc::default() }
    }

    /// All calls fail after this many have succeeded.
    pub(crate) fn fail_after(&self, calls: i64, how: Failure) {
        self.left.store(calls, Ordering::SeqCst);
        *self.plan.lock().unwrap() = Some(how);
    }

    pub(crate) fn mend(&self) {
        *self.plan.lock().unwrap() = None;
    }

    /// Returns how this call fails, if it does.
    fn failure(&self) -> Option<Failure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let plan = (*self.plan.lock().unwrap())?;
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            1.. => None,
            0 => Some(plan),
            // What fails after the first one is not even reached.
            _ => Some(Failure::Before),
        }
    }

    fn refuse<T>(&self, bucket: &str, key: &str) -> Result<T, ObjectError> {
        Err(ObjectError::from_io(bucket, key, io::Error::other("the network is down")))
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let each = &mut |object: Object| {
            keys.push(object.key);
            ControlFlow::Continue(())
        };
        self.objects.list("archive", "", each).unwrap();
        keys
    }
}

impl ObjectStore for FlakyObjects {
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        each: &mut dyn FnMut(Object) -> ControlFlow<()>,
    ) -> Result<(), ObjectError> {
        match self.failure() {
            Some(_) => self.refuse(bucket, prefix),
            None => self.objects.list(bucket, prefix, each),
        }
    }

    fn open(&self, bucket: &str, key: &str) -> Result<Box<dyn Read + Send>, ObjectError> {
        match self.failure() {
            Some(_) => self.refuse(bucket, key),
            None => self.objects.open(bucket, key),
        }
    }

    fn create(&self, bucket: &str, key: &str) -> Result<Box<dyn ObjectWriter>, ObjectError> {
        let inner = self.objects.create(bucket, key)?;
        Ok(Box::new(Writer { store: self.clone(), inner, bucket: bucket.into(), key: key.into() }))
    }

    fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectError> {
        self.objects.delete(bucket, key)
    }
}

struct Writer {
    store: FlakyObjects,
    inner: Box<dyn ObjectWriter>,
    bucket: String,
    key: String,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl ObjectWriter for Writer {
    fn finish(self: Box<Self>) -> Result<Option<String>, ObjectError> {
        let Self { store, inner, bucket, key } = *self;
        match store.failure() {
            Some(Failure::Before) => store.refuse(&bucket, &key),
            Some(Failure::After) => {
                inner.finish()?;
                store.refuse(&bucket, &key)
            }
            None => inner.finish(),
        }
    }
}
