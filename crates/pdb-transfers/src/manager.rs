//! Which kinds of jobs there are.

use std::sync::Arc;

use pdb_items::tables::TableManager;
use pdb_model::{Account, Env};
use pdb_objects::ObjectStore;
use pdb_store::Store;

use crate::bulk_put::BulkPutJob;
use crate::export::ExportJob;
use crate::import::ImportJob;
use crate::runner::{Kind, TransferManager};

const KINDS: &[Kind] = &[Kind::of::<ImportJob>(), Kind::of::<BulkPutJob>(), Kind::of::<ExportJob>()];

impl TransferManager {
    /// Returns the operations on a store, with the buckets of `objects`.
    #[must_use]
    pub fn new(
        store: Store,
        env: Env,
        account: Account,
        tables: TableManager,
        objects: Arc<dyn ObjectStore>,
    ) -> Self {
        Self::with_kinds(store, env, account, tables, objects, KINDS)
    }
}
