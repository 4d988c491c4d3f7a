//! A store of objects in memory, for tests.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Object, ObjectError, ObjectStore, ObjectWriter};

/// Objects in memory, for as long as a clone of the store is there.
#[derive(Clone, Debug, Default)]
pub struct MemoryObjects {
    buckets: Arc<Mutex<BTreeMap<String, Bucket>>>,
}

/// The contents of objects by key.
type Bucket = BTreeMap<String, Arc<[u8]>>;

impl MemoryObjects {
    /// Returns a store without buckets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a bucket, if it is not there.
    pub fn create_bucket(&self, bucket: &str) {
        self.buckets().entry(bucket.to_owned()).or_default();
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        // Each change is one insertion or removal, so a panic of another holder leaves nothing half done.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_bucket<T>(&self, bucket: &str, use_it: impl FnOnce(&mut Bucket) -> T) -> Result<T, ObjectError> {
        let mut buckets = self.buckets();
        let objects = buckets.get_mut(bucket);
        let objects = objects.ok_or_else(|| ObjectError::NoSuchBucket { bucket: bucket.to_owned() })?;
        Ok(use_it(objects))
    }
}

impl ObjectStore for MemoryObjects {
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        each: &mut dyn FnMut(Object) -> ControlFlow<()>,
    ) -> Result<(), ObjectError> {
        let found: Vec<Object> = self.in_bucket(bucket, |objects| {
            let from_prefix = objects.range(prefix.to_owned()..);
            from_prefix
                .take_while(|(key, _)| key.starts_with(prefix))
                .map(|(key, content)| Object { key: key.clone(), size: content.len() as u64 })
                .collect()
        })?;
        // The function is called without the lock, so that it may use the store.
        let _ = found.into_iter().try_for_each(each);
        Ok(())
    }

    fn open(&self, bucket: &str, key: &str) -> Result<Box<dyn Read + Send>, ObjectError> {
        let content = self.in_bucket(bucket, |objects| objects.get(key).cloned())?;
        let no_such_key = || ObjectError::NoSuchKey { bucket: bucket.to_owned(), key: key.to_owned() };
        Ok(Box::new(Cursor::new(content.ok_or_else(no_such_key)?)))
    }

    fn create(&self, bucket: &str, key: &str) -> Result<Box<dyn ObjectWriter>, ObjectError> {
        self.in_bucket(bucket, |_| ())?;
        let (store, bucket, key) = (self.clone(), bucket.to_owned(), key.to_owned());
        Ok(Box::new(Writer { store, bucket, key, content: Vec::new() }))
    }

    fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectError> {
        self.in_bucket(bucket, |objects| drop(objects.remove(key)))
    }
}

struct Writer {
    store: MemoryObjects,
    bucket: String,
    key: String,
    content: Vec<u8>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWriter for Writer {
    fn finish(self: Box<Self>) -> Result<Option<String>, ObjectError> {
        let Self { store, bucket, key, content } = *self;
        store.in_bucket(&bucket, |objects| drop(objects.insert(key, content.into())))?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(store: &MemoryObjects, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let each = &mut |object: Object| {
            keys.push(object.key);
            ControlFlow::Continue(())
        };
        store.list("b", prefix, each).unwrap();
        keys
    }

    #[test]
    fn an_object_is_there_when_its_writer_is_finished() {
        let store = MemoryObjects::new();
        store.create_bucket("b");
        let mut writer = store.create("b", "x/1").unwrap();
        writer.write_all(b"one").unwrap();
        assert!(matches!(store.open("b", "x/1"), Err(ObjectError::NoSuchKey { .. })));
        writer.finish().unwrap();
        assert_eq!(store.get("b", "x/1", 3).unwrap().unwrap(), b"one");
        assert!(store.get("b", "x/1", 2).is_err());
        let given_up = store.create("b", "x/2").unwrap();
        drop(given_up);
        assert_eq!(store.get("b", "x/2", 9).unwrap(), None);
    }

    #[test]
    fn a_list_has_the_keys_that_begin_with_the_prefix_in_byte_order() {
        let store = MemoryObjects::new();
        store.create_bucket("b");
        for key in ["a/2", "a/10", "b", "a", "a-"] {
            store.put("b", key, b"").unwrap();
        }
        assert_eq!(keys(&store, "a/"), ["a/10", "a/2"]);
        assert_eq!(keys(&store, ""), ["a", "a-", "a/10", "a/2", "b"]);
        store.delete("b", "a").unwrap();
        assert_eq!(keys(&store, "a"), ["a-", "a/10", "a/2"]);
        let each = &mut |_: Object| ControlFlow::Break(());
        assert!(matches!(store.list("c", "", each), Err(ObjectError::NoSuchBucket { .. })));
    }
}
