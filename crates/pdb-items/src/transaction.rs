//! Several writes that happen together or not at all, whichever operation asked for them.
//!
//! Evidence: `dynamodb.md`, section 10; `validation.md` 10.9.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::sync::Arc;

use pdb_model::{CancellationReason, EncodedItem, Env, EpochMillis, Item, KeyBytes, PrimaryKey, TableName};
use pdb_store::{StoreError, Table, TokenRow, Tx};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::ItemsError;
use crate::answer_size::MAX_ANSWER_JSON_BYTES;
use crate::capacity::{CapacityUnits, Consistency, ConsumedCapacity, Meter, RequestKind};
use crate::metrics::{ItemCollectionMetrics, MetricsByTable};
use crate::options::{ReturnConsumedCapacity, ReturnItemCollectionMetrics};
use crate::ready::ready_table;
use crate::write::{PlannedWrite, PreparedWrite, Refusal};

/// How many bytes of items and values a transaction may have.
pub(crate) const MAX_TRANSACTION_BYTES: u64 = 4 * 1024 * 1024;
/// The text of two actions on one item.
pub(crate) const SAME_ITEM: &str = "Transaction request cannot include multiple operations on one item";
/// What prepared writes may keep in memory between the look at all items and the first change.
const MAX_PREPARED_BYTES: u64 = 4 * 1024 * 1024;
/// How long a client's token is remembered.
const TOKEN_LIFE_MILLIS: i64 = 10 * 60 * 1000;

/// A client's token, and what tells the requests that carry it apart.
#[derive(Clone, Debug)]
pub(crate) struct RequestToken {
    pub(crate) token: String,
    pub(crate) fingerprint: Vec<u8>,
}

/// What a transaction did.
#[derive(Debug, Default)]
pub(crate) struct TransactionReport {
    meters: BTreeMap<TableName, Meter>,
    pub(crate) metrics: MetricsByTable,
    /// The token was used before: nothing was done.
    replayed: bool,
}

impl TransactionReport {
    /// What the response says about capacity.
    pub(crate) fn consumed_capacity(&self, detail: ReturnConsumedCapacity) -> Vec<ConsumedCapacity> {
        let kind = if self.replayed { RequestKind::TransactionRead } else { RequestKind::TransactionWrite };
        self.meters.iter().filter_map(|(table_name, meter)| meter.report(table_name, detail, kind)).collect()
    }
}

/// Carries all writes out, in their order, or none.
pub(crate) fn transact(
    env: &Env,
    tx: &mut Tx<'_>,
    writes: &[PlannedWrite],
    token: Option<&RequestToken>,
    metrics: ReturnItemCollectionMetrics,
) -> Result<TransactionReport, ItemsError> {
    let now = env.clock.now();
    let replayed = token.map_or(Ok(false), |token| was_used(tx, token, now))?;
    let tables = writes.iter().map(|write| ready_table(env, tx, &write.table_name)).collect::<Vec<_>>();
    check_distinct(writes, &tables)?;
    let tables = tables.into_iter().collect::<Result<Vec<Arc<Table>>, StoreError>>()?;
    let keys = checked_keys(writes, &tables)?;
    let mut report = TransactionReport::default();
    for (write, table) in writes.iter().zip(&tables) {
        if let Some(metrics) = ItemCollectionMetrics::of(&table.definition, write.target(), metrics) {
            let known = report.metrics.entry(write.table_name.clone()).or_default();
            if !known.contains(&metrics) {
                known.push(metrics);
            }
        }
    }
    if replayed {
        return replay(tx, writes, &tables, &keys, report);
    }
    let prepared = prepare_all(tx, writes, &tables, &keys);
    if let (Err(ItemsError::TransactionCanceled(_)), Some(token)) = (&prepared, token)
        && tx.has_rivals()
        && was_used(tx, token, now)?
    {
        // The same request was carried out while this one waited for its items, and what it did is what failed the conditions.
        return replay(tx, writes, &tables, &keys, report);
    }
    let (prepared, order) = prepared?;
    let mut prepared: Vec<_> = prepared.into_iter().map(Some).collect();
    // Where others write too, an item that is new is locked by being written.
    let order = if tx.has_rivals() { order } else { (0..writes.len()).collect() };
    for position in order {
        let prepared = match prepared[position].take() {
            Some(Prepared::Kept(prepared)) => prepared,
            Some(Prepared::Again) => writes[position]
                .prepare(tx, &tables[position], &keys[position])
                .map_err(Refusal::into_error)?,
            None => continue,
        };
        tx.order_records_as(position);
        let written = prepared.carry_out(env, tx, &tables[position]);
        let mut meter = written.map_err(Refusal::into_error)?.meter;
        meter.double();
        report.meters.entry(writes[position].table_name.clone()).or_default().add(&meter);
    }
    if let Some(RequestToken { token, fingerprint }) = token {
        let expires = EpochMillis(now.0 + TOKEN_LIFE_MILLIS);
        tx.remember_token(
            token,
            now,
            &TokenRow { fingerprint: fingerprint.clone(), answer: String::new(), expires },
        )?;
    }
    report.meters.iter().for_each(|(table_name, meter)| meter.count_write_of(tx, table_name));
    Ok(report)
}

/// Reports a request that was carried out before: it counts as a read of its items.
fn replay(
    tx: &mut Tx<'_>,
    writes: &[PlannedWrite],
    tables: &[Arc<Table>],
    keys: &[PrimaryKey],
    mut report: TransactionReport,
) -> Result<TransactionReport, ItemsError> {
    report.replayed = true;
    for ((write, table), key) in writes.iter().zip(tables).zip(keys) {
        let size_bytes = tx.get_item(table, &key.encode())?.map_or(0, |item| item.size_bytes());
        let units = CapacityUnits::of_read(size_bytes, Consistency::Transactional);
        report.meters.entry(write.table_name.clone()).or_default().charge_table(units);
    }
    report.meters.iter().for_each(|(table_name, meter)| meter.count_read_of(tx, table_name));
    Ok(report)
}

/// Returns whether the same request has succeeded under the token before.
fn was_used(tx: &mut Tx<'_>, token: &RequestToken, now: EpochMillis) -> Result<bool, ItemsError> {
    match tx.token(&token.token, now)? {
        None => Ok(false),
        Some(row) if row.fingerprint == token.fingerprint => Ok(true),
        Some(_) => Err(ItemsError::IdempotentParameterMismatch),
    }
}

/// Checks that no two writes are to one item, as far as tables are there and keys can be read.
fn check_distinct(
    writes: &[PlannedWrite],
    tables: &[Result<Arc<Table>, StoreError>],
) -> Result<(), ItemsError> {
    let mut seen: Vec<(&TableName, PrimaryKey)> = Vec::with_capacity(writes.len());
    for (write, table) in writes.iter().zip(tables) {
        let Ok(table) = table else { continue };
        let Ok(key) = table.definition.key_schema.extract(write.target()) else { continue };
        let item = (&write.table_name, key);
        if seen.contains(&item) {
            return Err(ItemsError::validation(SAME_ITEM));
        }
        seen.push(item);
    }
    Ok(())
}

/// Returns the keys of the writes. An empty value fails the request; the first that does not fit cancels it.
fn checked_keys(writes: &[PlannedWrite], tables: &[Arc<Table>]) -> Result<Vec<PrimaryKey>, ItemsError> {
    let mut keys = Vec::with_capacity(writes.len());
    let mut unfit = None;
    for (position, (write, table)) in writes.iter().zip(tables).enumerate() {
        match write.key(&table.definition) {
            Ok(key) => keys.push(key),
            Err(refusal) => {
                let reason = refusal.into_reason()?;
                unfit.get_or_insert((position, reason));
            }
        }
    }
    match unfit {
        None => Ok(keys),
        Some((position, reason)) => {
            let mut reasons = vec![CancellationReason::none(); writes.len()];
            reasons[position] = reason;
            Err(ItemsError::TransactionCanceled(reasons))
        }
    }
}

/// A write that can be carried out.
enum Prepared<'a> {
    Kept(PreparedWrite<'a>),
    /// Its items were too large to keep beside others. The old one is there and locked, so preparing the write again gives the same.
    Again,
}

/// Locks all items, always in the order of their keys so that no two transactions wait for each other, and works out what
/// becomes of them. Returns that in the order of the request, and the order of the keys: positions in the request.
fn prepare_all<'a>(
    tx: &mut Tx<'_>,
    writes: &'a [PlannedWrite],
    tables: &[Arc<Table>],
    keys: &[PrimaryKey],
) -> Result<(Vec<Prepared<'a>>, Vec<usize>), ItemsError> {
    let mut order: Vec<(&TableName, KeyBytes, usize)> = writes
        .iter()
        .zip(keys)
        .enumerate()
        .map(|(position, (write, key))| (&write.table_name, key.encode(), position))
        .collect();
    order.sort();
    let order: Vec<usize> = order.into_iter().map(|(_, _, position)| position).collect();
    let mut prepared: Vec<Option<Prepared<'_>>> = writes.iter().map(|_| None).collect();
    let mut kept_bytes = 0;
    let mut reasons = vec![CancellationReason::none(); writes.len()];
    let mut unfit = Vec::new();
    for &position in &order {
        match writes[position].prepare(tx, &tables[position], &keys[position]) {
            Ok(write) => {
                // All actions are carried out at one moment, so no other transaction may create the item before the commit.
                if let Some(key) = write.relied_on_absence()
                    && writes.len() > 1
                {
                    tx.lock_absence(&tables[position], key)?;
                }
                kept_bytes += write.kept_bytes();
                prepared[position] = Some(if kept_bytes > MAX_PREPARED_BYTES && write.has_old_item() {
                    Prepared::Again
                } else {
                    Prepared::Kept(write)
                });
            }
            Err(refusal) => {
                match refusal {
                    Refusal::Unfit(_) => unfit.push(position),
                    // The reasons of a transaction show one moment too.
                    Refusal::Condition { was_absent: true, .. } if writes.len() > 1 => {
                        tx.lock_absence(&tables[position], &keys[position].encode())?;
                    }
                    _ => {}
                }
                reasons[position] = refusal.into_reason()?;
            }
        }
    }
    // AWS reports every failed condition, but of values that do not fit only that of the first action.
    unfit.sort_unstable();
    unfit.iter().skip(1).for_each(|position| reasons[*position] = CancellationReason::none());
    match prepared.into_iter().collect() {
        Some(prepared) => Ok((prepared, order)),
        None => Err(ItemsError::TransactionCanceled(reasons)),
    }
}

/// The items that a transaction has read, as far as their number of bytes is allowed.
#[derive(Debug, Default)]
pub(crate) struct ReadItems {
    items: Vec<Option<EncodedItem>>,
    size_bytes: u64,
    json_bytes: usize,
}

impl ReadItems {
    /// Adds an item. Once there are too many bytes nothing is kept: other faults may still be found, which come first.
    pub(crate) fn push(&mut self, item: Option<EncodedItem>) {
        self.size_bytes += item.as_ref().map_or(0, EncodedItem::size_bytes);
        self.json_bytes += item.as_ref().map_or(0, |item| item.json().len());
        if self.is_too_large() {
            self.items = Vec::new();
        } else {
            self.items.push(item);
        }
    }

    /// Returns the items.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`] if they are too large together.
    pub(crate) fn finish(self) -> Result<Vec<Option<EncodedItem>>, ItemsError> {
        if self.is_too_large() {
            return Err(ItemsError::Validation(format!(
                "Transaction response size cannot exceed {MAX_TRANSACTION_BYTES} bytes"
            )));
        }
        Ok(self.items)
    }

    fn is_too_large(&self) -> bool {
        self.size_bytes > MAX_TRANSACTION_BYTES || self.json_bytes > MAX_ANSWER_JSON_BYTES
    }
}

/// Checks that a request is not too large.
pub(crate) fn check_request_size(size_bytes: u64) -> Result<(), ItemsError> {
    if size_bytes > MAX_TRANSACTION_BYTES {
        return Err(ItemsError::Validation(format!(
            "Transaction request payload size cannot exceed {MAX_TRANSACTION_BYTES} bytes"
        )));
    }
    Ok(())
}

/// Tells requests apart: 128 bits of a hash over their parts.
///
/// The keys of the hash are constants, because fingerprints are stored and outlive the process.
pub(crate) struct Fingerprint(SipHasher13);

impl Fingerprint {
    /// Begins with the name of the operation.
    pub(crate) fn new(operation: &str) -> Self {
        let mut fingerprint = Self(SipHasher13::new_with_keys(0x6964_656d_706f_7465, 0x6e74_2077_7269_7465));
        fingerprint.text(operation);
        fingerprint
    }

    /// Adds a text, told apart from the next by its length.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.write_u64(text.len() as u64);
        self.0.write(text.as_bytes());
    }

    /// Adds a text that may be missing.
    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        self.0.write_u8(u8::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    /// Adds an item.
    pub(crate) fn item(&mut self, item: &Item) {
        self.text(&item.to_string());
    }

    /// Returns the fingerprint.
    pub(crate) fn finish(&self) -> Vec<u8> {
        self.0.finish128().as_u128().to_be_bytes().to_vec()
    }
}
