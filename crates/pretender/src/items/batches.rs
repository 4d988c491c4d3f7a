//! Batches, of which a fault may leave a part unprocessed.

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
    /// Returns up to 100 items by their keys.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text.
    pub fn batch_get_item(&self, mut input: BatchGetItemInput) -> Result<BatchGetItemOutput, ApiError> {
        let injection = self.inject(Operation::BatchGetItem, &input)?;
        let unprocessed = take_reads(injection.as_deref(), &mut input);
        let output = self.inner.items.batch_get_item(input).map_err(|error| self.api_error(error))?;
        Ok(with_unprocessed_keys(output, unprocessed))
    }

    /// Async variant of [`Pretender::batch_get_item`].
    ///
    /// # Errors
    ///
    /// As [`Pretender::batch_get_item`].
    pub async fn batch_get_item_async(
        &self,
        mut input: BatchGetItemInput,
    ) -> Result<BatchGetItemOutput, ApiError> {
        let injection = self.inject_async(Operation::BatchGetItem, &input).await?;
        let unprocessed = take_reads(injection.as_deref(), &mut input);
        let output = self.inner.items.batch_get_item_async(input).await;
        Ok(with_unprocessed_keys(output.map_err(|error| self.api_error(error))?, unprocessed))
    }

    /// Puts and deletes up to 25 items. A batch that succeeds has processed all of them, unless a fault leaves a part unprocessed.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's code and text. The call had no effect then.
    pub fn batch_write_item(&self, mut input: BatchWriteItemInput) -> Result<BatchWriteItemOutput, ApiError> {
        let injection = self.inject(Operation::BatchWriteItem, &input)?;
        let unprocessed = take_writes(injection.as_deref(), &mut input);
        let output = self.inner.items.batch_write_item(input).map_err(|error| self.api_error(error))?;
        Ok(with_unprocessed_items(output, unprocessed))
    }

    /// Async variant of [`Pretender::batch_write_item`].
    ///
    /// # Errors
    ///
    /// As [`Pretender::batch_write_item`].
    pub async fn batch_write_item_async(
        &self,
        mut input: BatchWriteItemInput,
    ) -> Result<BatchWriteItemOutput, ApiError> {
        let injection = self.inject_async(Operation::BatchWriteItem, &input).await?;
        let unprocessed = take_writes(injection.as_deref(), &mut input);
        let output = self.inner.items.batch_write_item_async(input).await;
        Ok(with_unprocessed_items(output.map_err(|error| self.api_error(error))?, unprocessed))
    }
}

fn with_unprocessed_keys(
    mut output: BatchGetItemOutput,
    unprocessed: BTreeMap<TableName, KeysAndAttributes>,
) -> BatchGetItemOutput {
    for (table, keys) in unprocessed {
        match output.unprocessed_keys.get_mut(&table) {
            Some(known) => known.keys.extend(keys.keys),
            None => drop(output.unprocessed_keys.insert(table, keys)),
        }
    }
    output
}

fn with_unprocessed_items(
    mut output: BatchWriteItemOutput,
    unprocessed: BTreeMap<TableName, Vec<WriteRequest>>,
) -> BatchWriteItemOutput {
    for (table, writes) in unprocessed {
        output.unprocessed_items.entry(table).or_default().extend(writes);
    }
    output
}

/// Removes the writes from the input that a fault leaves unprocessed, and returns them.
fn take_writes(
    injection: Option<&Injection>,
    input: &mut BatchWriteItemInput,
) -> BTreeMap<TableName, Vec<WriteRequest>> {
    let Some(unprocessed) = injection.and_then(Injection::unprocessed) else { return BTreeMap::new() };
    let mut is_unprocessed = unprocessed.choose(&tables_of(input)).into_iter();
    let mut taken = BTreeMap::new();
    input.request_items.retain(|table, writes| {
        let (left, kept) = separate(std::mem::take(writes), &mut is_unprocessed);
        *writes = kept;
        if !left.is_empty() {
            taken.insert(table.clone(), left);
        }
        !writes.is_empty()
    });
    taken
}

/// Removes the keys from the input that a fault leaves unprocessed, and returns them.
fn take_reads(
    injection: Option<&Injection>,
    input: &mut BatchGetItemInput,
) -> BTreeMap<TableName, KeysAndAttributes> {
    let Some(unprocessed) = injection.and_then(Injection::unprocessed) else { return BTreeMap::new() };
    let mut is_unprocessed = unprocessed.choose(&tables_of(input)).into_iter();
    let mut taken = BTreeMap::new();
    input.request_items.retain(|table, entry| {
        let (left, kept) = separate(std::mem::take(&mut entry.keys), &mut is_unprocessed);
        entry.keys = kept;
        if !left.is_empty() {
            taken.insert(table.clone(), KeysAndAttributes { keys: left, ..entry.clone() });
        }
        !entry.keys.is_empty()
    });
    taken
}

/// Separates the items that are unprocessed from the others.
fn separate<T>(all: Vec<T>, is_unprocessed: &mut impl Iterator<Item = bool>) -> (Vec<T>, Vec<T>) {
    let (mut left, mut kept) = (Vec::new(), Vec::new());
    for one in all {
        if is_unprocessed.next() == Some(true) { left.push(one) } else { kept.push(one) }
    }
    (left, kept)
}
