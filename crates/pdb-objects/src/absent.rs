//! The store of objects of a database that was opened without one.

use std::io::Read;
use std::ops::ControlFlow;

use crate::{Object, ObjectError, ObjectStore, ObjectWriter};

/// A store without buckets: every call answers that the bucket does not exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObjects;

fn missing<T>(bucket: &str) -> Result<T, ObjectError> {
    Err(ObjectError::NoSuchBucket { bucket: bucket.to_owned() })
}

impl ObjectStore for NoObjects {
    fn list(
        &self,
        bucket: &str,
        _prefix: &str,
        _each: &mut dyn FnMut(Object) -> ControlFlow<()>,
    ) -> Result<(), ObjectError> {
        missing(bucket)
    }

    fn open(&self, bucket: &str, _key: &str) -> Result<Box<dyn Read + Send>, ObjectError> {
        missing(bucket)
    }

    fn create(&self, bucket: &str, _key: &str) -> Result<Box<dyn ObjectWriter>, ObjectError> {
        missing(bucket)
    }

    fn delete(&self, bucket: &str, _key: &str) -> Result<(), ObjectError> {
        missing(bucket)
    }
}
