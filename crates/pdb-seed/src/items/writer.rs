//! Writing items in batches, through the same calls as clients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdb_model::{ApiError, ErrorCode, Item, TableName};
use pretender::Pretender;
use pretender::items::{BatchWriteItemInput, PutItemInput, ScanInput, WriteRequest};

use crate::SeedError;
use crate::report::SeededTable;

/// The most items of a batch, and the most bytes.
const BATCH: usize = 25;
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// Writes items into tables that were empty at the beginning.
pub(crate) struct Writer<'d> {
    database: &'d Pretender,
    file: PathBuf,
    tables: BTreeMap<TableName, bool>,
    batch: Vec<Waiting>,
    batch_bytes: u64,
    seeded: BTreeMap<(PathBuf, TableName), SeededTable>,
}

struct Waiting {
    table: TableName,
    item: Item,
    line: u64,
    hint: Option<&'static str>,
}

impl<'d> Writer<'d> {
    pub(crate) fn new(database: &'d Pretender) -> Self {
        Self {
            database,
            file: PathBuf::new(),
            tables: BTreeMap::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            seeded: BTreeMap::new(),
        }
    }

    /// Begins another file.
    pub(crate) fn begin(&mut self, file: &Path) {
        self.file = file.to_owned();
    }

    /// Returns how many items were written, by file and table.
    pub(crate) fn finish(self) -> Vec<SeededTable> {
        self.seeded.into_values().collect()
    }

    /// Adds an item to the batch, and writes the batch if it is full.
    pub(crate) fn put(
        &mut self,
        table: &TableName,
        item: Item,
        line: u64,
        hint: Option<&'static str>,
    ) -> Result<(), SeedError> {
        let takes_items = match self.tables.get(table) {
            Some(takes_items) => *takes_items,
            None => {
                let is_empty = self.is_empty(table, line)?;
                self.tables.insert(table.clone(), is_empty);
                is_empty
            }
        };
        let key = (self.file.clone(), table.clone());
        let seeded = self.seeded.entry(key).or_insert_with(|| SeededTable::new(&self.file, table));
        if !takes_items {
            seeded.items_skipped += 1;
            return Ok(());
        }
        seeded.items += 1;
        self.batch_bytes += item.size_bytes();
        self.batch.push(Waiting { table: table.clone(), item, line, hint });
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn is_empty(&self, table: &TableName, line: u64) -> Result<bool, SeedError> {
        let scan = ScanInput { limit: Some(1), ..ScanInput::new(table.clone()) };
        let page = self.database.scan(scan).map_err(|error| self.refused(line, table, &error, None))?;
        Ok(page.count == 0)
    }

    /// Writes the items of the batch.
    pub(crate) fn flush(&mut self) -> Result<(), SeedError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let mut input = BatchWriteItemInput::default();
        for waiting in &batch {
            let writes = input.request_items.entry(waiting.table.clone()).or_default();
            writes.push(WriteRequest::Put(waiting.item.clone()));
        }
        if batch.is_empty() || self.database.batch_write_item(input).is_ok() {
            return Ok(());
        }
        // A batch that is refused writes nothing, and does not tell which item is at fault. It is also refused if two items have the same
        // key, which is fine in a file. So write the items one by one.
        for Waiting { table, item, line, hint } in batch {
            let put = PutItemInput::new(table.clone(), item);
            self.database.put_item(put).map_err(|error| self.refused(line, &table, &error, hint))?;
        }
        Ok(())
    }

    fn refused(&self, line: u64, table: &TableName, error: &ApiError, hint: Option<&str>) -> SeedError {
        if error.code == ErrorCode::ResourceNotFoundException {
            return SeedError::of_line(&self.file, line, format!("there is no table `{table}`"));
        }
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        SeedError::of_line(
            &self.file,
            line,
            format!("the item cannot be put into `{table}`: {}{hint}", error.message),
        )
    }
}
