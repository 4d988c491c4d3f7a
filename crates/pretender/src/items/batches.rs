//! The batches, of which a fault may leave a part unprocessed.

use std::collections::BTreeMap;

use pdb_items::{
    BatchGetItemInput, BatchGetItemOutput, BatchWriteItemInput, BatchWriteItemOutput, KeysAndAttributes,
    WriteRequest,
};
use pdb_model::{ApiError, Operation, TableName};

use pdb_faults::Injection;

use crate::Pretender;
use crate::faults::named_tables::tables_of;

impl Pretender {
    /// Reads up to 100 items by their keys.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn batch_get_item(&self, mut input: BatchGetItemInput) -> Result<BatchGetItemOutput, ApiError> {
        let injection = self.pass(Operation::BatchGetItem, &input)?;
        let left_out = injection.map(|injection| take_reads(&injection, &mut input)).unwrap_or_default();
        let mut output = self.inner.items.batch_get_item(input).map_err(|error| self.told(error))?;
        for (table, keys) in left_out {
            match output.unprocessed_keys.get_mut(&table) {
                Some(unprocessed) => unprocessed.keys.extend(keys.keys),
                None => drop(output.unprocessed_keys.insert(table, keys)),
            }
        }
        Ok(output)
    }

    /// Puts and deletes up to 25 items, each for itself.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text. Nothing was written then.
    pub fn batch_write_item(&self, mut input: BatchWriteItemInput) -> Result<BatchWriteItemOutput, ApiError> {
        let injection = self.pass(Operation::BatchWriteItem, &input)?;
        let left_out = injection.map(|injection| take_writes(&injection, &mut input)).unwrap_or_default();
        let output = self.inner.items.batch_write_item_blocking(input).map_err(|error| self.told(error))?;
        Ok(with_unprocessed(output, left_out))
    }

    /// Does as [`Pretender::batch_write_item`], without a thread that waits.
    ///
    /// # Errors
    ///
    /// As the plain call.
    pub async fn batch_write_item_async(
        &self,
        mut input: BatchWriteItemInput,
    ) -> Result<BatchWriteItemOutput, ApiError> {
        let injection = self.pass_async(Operation::BatchWriteItem, &input).await?;
        let left_out = injection.map(|injection| take_writes(&injection, &mut input)).unwrap_or_default();
        let output = self.inner.items.batch_write_item(input).await.map_err(|error| self.told(error))?;
        Ok(with_unprocessed(output, left_out))
    }
}

fn with_unprocessed(
    mut output: BatchWriteItemOutput,
    left_out: BTreeMap<TableName, Vec<WriteRequest>>,
) -> BatchWriteItemOutput {
    for (table, writes) in left_out {
        output.unprocessed_items.entry(table).or_default().extend(writes);
    }
    output
}

/// Takes the writes that are to be left out, from the input.
fn take_writes(
    injection: &Injection,
    input: &mut BatchWriteItemInput,
) -> BTreeMap<TableName, Vec<WriteRequest>> {
    let Some(unprocessed) = injection.unprocessed() else { return BTreeMap::new() };
    let mut is_left_out = unprocessed.choose(&tables_of(input)).into_iter();
    let mut taken = BTreeMap::new();
    input.request_items.retain(|table, writes| {
        let (left, kept) = part(std::mem::take(writes), &mut is_left_out);
        *writes = kept;
        if !left.is_empty() {
            taken.insert(table.clone(), left);
        }
        !writes.is_empty()
    });
    taken
}

/// Takes the keys that are to be left out, from the input.
fn take_reads(
    injection: &Injection,
    input: &mut BatchGetItemInput,
) -> BTreeMap<TableName, KeysAndAttributes> {
    let Some(unprocessed) = injection.unprocessed() else { return BTreeMap::new() };
    let mut is_left_out = unprocessed.choose(&tables_of(input)).into_iter();
    let mut taken = BTreeMap::new();
    input.request_items.retain(|table, entry| {
        let (left, kept) = part(std::mem::take(&mut entry.keys), &mut is_left_out);
        entry.keys = kept;
        if !left.is_empty() {
            taken.insert(table.clone(), KeysAndAttributes { keys: left, ..entry.clone() });
        }
        !entry.keys.is_empty()
    });
    taken
}

/// Parts those that are left out from the others.
fn part<T>(all: Vec<T>, is_left_out: &mut impl Iterator<Item = bool>) -> (Vec<T>, Vec<T>) {
    let (mut left, mut kept) = (Vec::new(), Vec::new());
    for one in all {
        if is_left_out.next() == Some(true) { left.push(one) } else { kept.push(one) }
    }
    (left, kept)
}
