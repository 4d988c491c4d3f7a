//! The operations on items, bundled.

use pdb_model::Env;
use pdb_store::{Pending, Store, Tx};

use crate::ItemsError;
use crate::config::ItemsConfig;
use crate::options::MessageLayer;

/// A job that writes more may take many milliseconds: a batch may have 10 MB.
const MAX_BYTES_OF_SHORT_JOB: u64 = 512 * 1024;

/// A job that writes several items.
pub(crate) struct SeveralWrites<Job> {
    pub(crate) job: Job,
    /// The bytes of the request that the job carries out.
    pub(crate) bytes: u64,
}

/// The operations on items of one store. Cheap to clone.
///
/// Each operation comes in two forms. The plain name blocks the thread until a read is done or a write is committed; a write runs on
/// the calling thread if the writer is idle. The name with `_async` returns at once: its answer can be awaited in any runtime. A write
/// begins when its answer is first polled, waited for or dropped. Reads run on threads of the store, except `GetItem` of a database
/// that is not on a server, which takes less than handing it over.
#[derive(Clone)]
pub struct ItemManager {
    pub(crate) store: Store,
    pub(crate) env: Env,
    pub(crate) config: ItemsConfig,
}

impl ItemManager {
    /// Returns the operations on the items of `store`.
    #[must_use]
    pub fn new(store: Store, env: Env, config: ItemsConfig) -> Self {
        Self { store, env, config }
    }

    /// Runs a read on a thread of the store.
    pub(crate) fn read_async<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, ItemsError> + Send + 'static,
    ) -> Pending<Result<T, ItemsError>> {
        let items = self.clone();
        self.store.run_in_background(move || read(&items))
    }

    /// Submits a planned job to the writer.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        job: Result<impl FnMut(&mut Tx<'_>) -> Result<T, ItemsError> + Send + 'static, ItemsError>,
    ) -> Pending<Result<T, ItemsError>> {
        match job {
            Ok(job) => self.store.submit(job),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// As [`submit`](Self::submit), for a job that writes several items.
    pub(crate) fn submit_several<T, Job>(
        &self,
        writes: Result<SeveralWrites<Job>, ItemsError>,
    ) -> Pending<Result<T, ItemsError>>
    where
        T: Send + 'static,
        Job: FnMut(&mut Tx<'_>) -> Result<T, ItemsError> + Send + 'static,
    {
        match writes {
            Ok(writes) if writes.bytes > MAX_BYTES_OF_SHORT_JOB => self.store.submit_long(writes.job),
            Ok(writes) => self.store.submit(writes.job),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// Puts a refusal that needed neither table nor item into the envelope of the newer texts.
    pub(crate) fn enveloped<T>(&self, result: Result<T, ItemsError>) -> Result<T, ItemsError> {
        result.map_err(|error| match (self.config.message_layer, error) {
            (MessageLayer::Modern2026, ItemsError::Validation(text)) => {
                ItemsError::Validation(format!("1 validation error detected: {text}"))
            }
            (_, error) => error,
        })
    }
}
