//! A bucket as the place of an export.

use std::io;
use std::sync::Arc;

use pdb_exchange::ExportTarget;
use pdb_objects::{ObjectError, ObjectStore, ObjectWriter};

use crate::failure::Failure;

pub(super) struct Bucket {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) name: String,
}

impl ExportTarget for Bucket {
    type Error = Failure;
    type File = Box<dyn ObjectWriter>;

    fn create(&mut self, key: &str) -> Result<Self::File, Failure> {
        self.objects.create(&self.name, key).map_err(|error| Failure::of_object(&error))
    }

    fn finish(&mut self, _key: &str, file: Self::File) -> Result<Option<String>, Failure> {
        file.finish().map_err(|error| Failure::of_object(&error))
    }

    fn failed(&self, key: &str, error: io::Error) -> Failure {
        Failure::of_object(&ObjectError::from_io(&self.name, key, error))
    }
}
