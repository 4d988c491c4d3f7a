//! The stores that are tested.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pdb_objects::{
    FolderObjects, MemoryObjects, ObjectStore, S3Credentials, S3Objects, S3Settings, S3Timeouts,
};
use pdb_testkit::MotoServer;
use tempfile::TempDir;

/// A store with an empty bucket `bkt`, and what keeps it.
pub(crate) struct Stored {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn ObjectStore>,
    _folder: Option<TempDir>,
    _moto: Option<MotoServer>,
}

impl Stored {
    /// Returns whether keys are names of files.
    pub(crate) fn is_folder(&self) -> bool {
        self.name == "folder"
    }
}

/// Returns one store of each kind; without moto, and only then, none of S3.
pub(crate) fn all() -> Vec<Stored> {
    let memory = MemoryObjects::new();
    memory.create_bucket("bkt");
    let folder = tempfile::tempdir().unwrap();
    let mut stores = vec![
        Stored { name: "memory", store: Arc::new(memory), _folder: None, _moto: None },
        Stored {
            name: "folder",
            store: Arc::new(in_folder(folder.path())),
            _folder: Some(folder),
            _moto: None,
        },
    ];
    if let Some(moto) = MotoServer::start() {
        moto.create_bucket("bkt");
        stores.push(Stored {
            name: "s3",
            store: Arc::new(s3(&moto.url())),
            _folder: None,
            _moto: Some(moto),
        });
    }
    stores
}

/// Returns the store in a folder, after it has made the bucket `bkt` there.
pub(crate) fn in_folder(folder: &Path) -> FolderObjects {
    std::fs::create_dir_all(folder.join("bkt")).unwrap();
    FolderObjects::open(folder).unwrap()
}

/// Returns the store of a service that answers sooner or later.
pub(crate) fn s3(url: &str) -> S3Objects {
    s3_within(url, Duration::from_secs(20), Duration::from_secs(30))
}

/// Returns the store of a service, and waits so long for it.
pub(crate) fn s3_within(url: &str, attempt: Duration, retries: Duration) -> S3Objects {
    let credentials = S3Credentials::new("test", "secret");
    let settings =
        S3Settings::new("us-east-1", credentials).endpoint(url).timeouts(S3Timeouts { attempt, retries });
    S3Objects::new(settings).unwrap()
}
