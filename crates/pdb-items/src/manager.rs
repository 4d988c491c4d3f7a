//! The operations on items, bundled.

use pdb_model::Env;
use pdb_store::{Pending, Store, Tx};

use crate::ItemsError;
use crate::config::ItemsConfig;
use crate::options::MessageLayer;

/// The operations on items of one store. Cheap to clone.
///
/// Reads answer at once. Writes are given to the store's writer and answer when they are committed: the result is a
/// future, and may also be waited for. Each write also comes as `…_blocking`, which does the work on the calling thread if
/// the writer is idle.
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

    /// Gives planned work to the writer.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        work: Result<impl FnMut(&mut Tx<'_>) -> Result<T, ItemsError> + Send + 'static, ItemsError>,
    ) -> Pending<Result<T, ItemsError>> {
        match work {
            Ok(work) => self.store.submit(work),
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
