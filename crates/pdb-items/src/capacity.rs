//! Consumed capacity: what a request would have cost.
//!
//! Arithmetic only; the operations say what they read and wrote. Units are counted in halves, because an eventually
//! consistent read costs half a unit for each 4 KB.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use pdb_model::{IndexName, TableName};
use pdb_store::{ReadTx, Table, TableTraffic};

use crate::options::ReturnConsumedCapacity;

/// Bytes that one read unit covers.
const READ_UNIT_BYTES: u64 = 4096;
/// Bytes that one write unit covers.
const WRITE_UNIT_BYTES: u64 = 1024;

/// Bytes that a request to a vector index consumes at least.
const LEAST_VECTOR_BYTES: u64 = 1024;

/// A number of capacity units, exact to a half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapacityUnits {
    halves: u64,
}

impl CapacityUnits {
    /// Nothing.
    pub const ZERO: Self = Self { halves: 0 };

    /// So many whole units.
    pub const fn whole(units: u64) -> Self {
        Self { halves: units * 2 }
    }

    /// What a read of so many bytes costs: a unit for each 4 KB begun, at least one; half of it if eventually
    /// consistent, twice if transactional.
    pub fn of_read(size_bytes: u64, consistency: Consistency) -> Self {
        let blocks = size_bytes.div_ceil(READ_UNIT_BYTES).max(1);
        Self {
            halves: match consistency {
                Consistency::Eventual => blocks,
                Consistency::Strong => blocks * 2,
                Consistency::Transactional => blocks * 4,
            },
        }
    }

    /// What a write of so many bytes costs: a unit for each 1 KB begun, at least one.
    pub fn of_write(size_bytes: u64) -> Self {
        Self::whole(size_bytes.div_ceil(WRITE_UNIT_BYTES).max(1))
    }

    /// The same number twice, as transactional writes cost.
    #[must_use]
    pub fn doubled(self) -> Self {
        Self { halves: self.halves * 2 }
    }

    /// Returns whether this is zero.
    pub fn is_zero(self) -> bool {
        self.halves == 0
    }

    /// The number as DynamoDB's JSON has it.
    pub fn as_f64(self) -> f64 {
        // Halves are exact in binary, and no request consumes 2^53 of them.
        self.halves as f64 / 2.0
    }
}

impl Add for CapacityUnits {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { halves: self.halves + other.halves }
    }
}

impl AddAssign for CapacityUnits {
    fn add_assign(&mut self, other: Self) {
        self.halves += other.halves;
    }
}

impl Sum for CapacityUnits {
    fn sum<I: Iterator<Item = Self>>(units: I) -> Self {
        units.fold(Self::ZERO, Add::add)
    }
}

/// Always with one decimal, as in `0.5` and `2.0`.
impl fmt::Display for CapacityUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.halves / 2, if self.halves % 2 == 1 { 5 } else { 0 })
    }
}

/// How consistent a read is; it decides the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// Eventually consistent, the default of reads.
    Eventual,
    /// Strongly consistent.
    Strong,
    /// Part of a transaction.
    Transactional,
}

impl Consistency {
    /// The consistency that a request's `ConsistentRead` asks for.
    pub(crate) fn of(consistent_read: bool) -> Self {
        if consistent_read { Self::Strong } else { Self::Eventual }
    }
}

/// Units with the kind they count on, which only transactions tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// All units.
    pub capacity_units: CapacityUnits,
    /// The same, if a transaction read.
    pub read_capacity_units: Option<CapacityUnits>,
    /// The same, if a transaction wrote.
    pub write_capacity_units: Option<CapacityUnits>,
}

/// What a request consumed of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedCapacity {
    /// The table.
    pub table_name: TableName,
    /// The sum over the table and its indexes.
    pub total: Capacity,
    /// The table's own part: only with `INDEXES`.
    pub table: Option<Capacity>,
    /// The parts of local indexes that were touched: only with `INDEXES`.
    pub local_secondary_indexes: BTreeMap<IndexName, Capacity>,
    /// The parts of global indexes that were touched: only with `INDEXES`.
    pub global_secondary_indexes: BTreeMap<IndexName, Capacity>,
    /// What was written to vector indexes: only with `INDEXES`. It is not a part of the units.
    pub vector_indexes: BTreeMap<IndexName, VectorCapacity>,
}

/// What a request consumed of a vector index, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VectorCapacity {
    /// What a search looked at.
    pub vector_search_request_bytes: Option<u64>,
    /// What a write wrote.
    pub vector_write_request_bytes: Option<u64>,
}

impl VectorCapacity {
    /// What a search of entries of this size consumes.
    pub(crate) fn of_search(size_bytes: u64) -> Self {
        Self { vector_search_request_bytes: Some(size_bytes.max(LEAST_VECTOR_BYTES)), ..Self::default() }
    }

    fn of_write(size_bytes: u64) -> Self {
        Self { vector_write_request_bytes: Some(size_bytes), ..Self::default() }
    }
}

/// The kind of a request, which decides which member of the response repeats the units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// Not a transaction: no member repeats them.
    NonTransactional,
    /// A transaction that read.
    TransactionRead,
    /// A transaction that wrote.
    TransactionWrite,
}

/// Counts what one request consumes of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    table: CapacityUnits,
    local: BTreeMap<IndexName, CapacityUnits>,
    global: BTreeMap<IndexName, CapacityUnits>,
    /// Bytes.
    vectors: BTreeMap<IndexName, u64>,
}

impl Meter {
    /// Charges the table itself.
    pub(crate) fn charge_table(&mut self, units: CapacityUnits) {
        self.table += units;
    }

    /// Charges a local index; nothing is nothing.
    pub(crate) fn charge_local(&mut self, index: &IndexName, units: CapacityUnits) {
        charge(&mut self.local, index, units);
    }

    /// Charges a global index; nothing is nothing.
    pub(crate) fn charge_global(&mut self, index: &IndexName, units: CapacityUnits) {
        charge(&mut self.global, index, units);
    }

    /// Charges a vector index for the write of an entry of this size. Transactions do not double it.
    pub(crate) fn charge_vector(&mut self, index: &IndexName, size_bytes: u64) {
        *self.vectors.entry(index.clone()).or_default() += size_bytes.max(LEAST_VECTOR_BYTES);
    }

    /// Adds what another request consumed of the same table.
    pub(crate) fn add(&mut self, other: &Self) {
        self.table += other.table;
        other.local.iter().for_each(|(index, units)| charge(&mut self.local, index, *units));
        other.global.iter().for_each(|(index, units)| charge(&mut self.global, index, *units));
        for (index, bytes) in &other.vectors {
            *self.vectors.entry(index.clone()).or_default() += bytes;
        }
    }

    /// Doubles everything, as a transaction does.
    pub(crate) fn double(&mut self) {
        self.table = self.table.doubled();
        self.local.values_mut().chain(self.global.values_mut()).for_each(|units| *units = units.doubled());
    }

    /// Counts the units as read from a table, for those who watch the store.
    pub(crate) fn count_read(&self, tx: &mut ReadTx<'_>, table: &Table) {
        tx.count_traffic(table, self.read_traffic());
    }

    /// As [`Meter::count_read`], of a table that is not at hand.
    pub(crate) fn count_read_of(&self, tx: &mut ReadTx<'_>, table: &TableName) {
        tx.count_traffic_of(table, self.read_traffic());
    }

    /// Counts the units as written to a table, for those who watch the store.
    pub(crate) fn count_write(&self, tx: &mut ReadTx<'_>, table: &Table) {
        tx.count_traffic(table, self.write_traffic());
    }

    /// As [`Meter::count_write`], of a table that is not at hand.
    pub(crate) fn count_write_of(&self, tx: &mut ReadTx<'_>, table: &TableName) {
        tx.count_traffic_of(table, self.write_traffic());
    }

    fn read_traffic(&self) -> TableTraffic {
        TableTraffic { read_half_units: self.total().halves, ..TableTraffic::default() }
    }

    fn write_traffic(&self) -> TableTraffic {
        TableTraffic { write_half_units: self.total().halves, ..TableTraffic::default() }
    }

    fn total(&self) -> CapacityUnits {
        self.table + self.local.values().copied().sum() + self.global.values().copied().sum()
    }

    /// What the response says, if it says anything.
    pub(crate) fn report(
        &self,
        table_name: &TableName,
        detail: ReturnConsumedCapacity,
        kind: RequestKind,
    ) -> Option<ConsumedCapacity> {
        let itemised = match detail {
            ReturnConsumedCapacity::None => return None,
            ReturnConsumedCapacity::Total => false,
            ReturnConsumedCapacity::Indexes => true,
        };
        let parts = |indexes: &BTreeMap<IndexName, CapacityUnits>| {
            indexes
                .iter()
                .filter(|_| itemised)
                .map(|(index, units)| (index.clone(), kind.capacity(*units)))
                .collect()
        };
        Some(ConsumedCapacity {
            table_name: table_name.clone(),
            total: kind.capacity(self.total()),
            table: itemised.then(|| kind.capacity(self.table)),
            local_secondary_indexes: parts(&self.local),
            global_secondary_indexes: parts(&self.global),
            vector_indexes: self
                .vectors
                .iter()
                .filter(|_| itemised)
                .map(|(index, bytes)| (index.clone(), VectorCapacity::of_write(*bytes)))
                .collect(),
        })
    }
}

impl RequestKind {
    fn capacity(self, units: CapacityUnits) -> Capacity {
        Capacity {
            capacity_units: units,
            read_capacity_units: (self == Self::TransactionRead).then_some(units),
            write_capacity_units: (self == Self::TransactionWrite).then_some(units),
        }
    }
}

fn charge(indexes: &mut BTreeMap<IndexName, CapacityUnits>, index: &IndexName, units: CapacityUnits) {
    if !units.is_zero() {
        *indexes.entry(index.clone()).or_default() += units;
    }
}

#[cfg(test)]
mod tests;
