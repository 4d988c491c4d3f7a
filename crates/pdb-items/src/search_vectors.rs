//! `SearchVectors`.
//!
//! Every search compares all entries that its condition selects, so its answer is exact. AWS's may miss some.
//!
//! Evidence: `vector-search.md` 8.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::{Bound, ControlFlow};

use pdb_expr::{ProjectionExpression, SearchCondition};
use pdb_model::{
    AttributeValue, EpochMillis, IndexName, Item, KeyBytes, KeyError, ParseError, TableChange,
    TableDefinition, TableName, Vector, VectorIndex,
};
use pdb_store::{KeyRange, Pending, ReadTx, StoreError, Table, VectorRow};

use crate::ItemsError;
use crate::answer_size::MAX_ANSWER_JSON_BYTES;
use crate::capacity::VectorCapacity;
use crate::distance::Target;
use crate::expressions::Expressions;
use crate::found_item::FoundItem;
use crate::keys::{HASH_TOO_LONG, empty_key};
use crate::manager::ItemManager;
use crate::options::ReturnConsumedCapacity;
use crate::ready::ready_table;
use crate::select::no_index;

/// Results a search may ask for.
const MAX_RESULTS: u32 = 100;
/// Bytes of items that a search may return.
const MAX_RESULT_BYTES: u64 = 16 << 20;

/// The input of `SearchVectors`.
#[derive(Clone, Debug)]
pub struct SearchVectorsInput {
    /// The table.
    pub table_name: TableName,
    /// The vector index.
    pub index_name: IndexName,
    /// The vector that the results are to be near to: as many numbers as the index has dimensions.
    pub search_vector: Vec<AttributeValue>,
    /// How many results to return: 1 to 100.
    pub top_k: u32,
    /// Which attributes of the search schema must have which values.
    pub search_condition_expression: Option<String>,
    /// Which parts of the items to return; without it all but the vector.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

impl SearchVectorsInput {
    /// A search of a whole index.
    #[must_use]
    pub fn new(
        table_name: TableName,
        index_name: IndexName,
        search_vector: Vec<AttributeValue>,
        top_k: u32,
    ) -> Self {
        Self {
            table_name,
            index_name,
            search_vector,
            top_k,
            search_condition_expression: None,
            projection_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            return_consumed_capacity: ReturnConsumedCapacity::default(),
        }
    }
}

/// The output of `SearchVectors`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchVectorsOutput {
    /// The nearest items, the nearest first.
    pub search_results: Vec<SearchResult>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<VectorCapacity>,
}

/// An item that a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// What was asked for of the item.
    pub item: FoundItem,
    /// How near the item is. With `COSINE` and `EUCLIDEAN`, lower is nearer; with `DOT_PRODUCT`, greater is nearer.
    pub score: f64,
}

impl ItemManager {
    /// Returns the items of a vector index that are nearest to a vector.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`].
    pub fn search_vectors(&self, input: SearchVectorsInput) -> Result<SearchVectorsOutput, ItemsError> {
        let top_k = input.top_k;
        if !(1..=MAX_RESULTS).contains(&top_k) {
            return Err(ItemsError::Validation(format!(
                "Provided TopK value '{top_k}' is out of valid range. The value must be between 1 and {MAX_RESULTS} inclusive"
            )));
        }
        let expressions =
            Expressions::new(input.expression_attribute_names, input.expression_attribute_values);
        let condition = expressions.search(input.search_condition_expression.as_deref())?;
        let projection = expressions.projection(input.projection_expression.as_deref())?;
        expressions.finish()?;
        let condition = condition.unwrap_or_default();
        self.store.read(|tx| {
            let table = ready_table(&self.env, tx, &input.table_name)?;
            let index = searchable(&table.definition, &input.index_name, || self.env.clock.now())?;
            let target = target(index, &input.search_vector)?;
            let search = Search::new(&table, index, &condition)?;
            let found = search.nearest(tx, &target, top_k as usize)?;
            Ok(SearchVectorsOutput {
                search_results: found.results(tx, &search, &target, projection.as_ref())?,
                consumed_capacity: match input.return_consumed_capacity {
                    ReturnConsumedCapacity::None => None,
                    ReturnConsumedCapacity::Total | ReturnConsumedCapacity::Indexes => {
                        Some(VectorCapacity::of_search(found.size_bytes))
                    }
                },
            })
        })
    }

    /// Async variant of [`ItemManager::search_vectors`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::search_vectors`].
    pub fn search_vectors_async(
        &self,
        input: SearchVectorsInput,
    ) -> Pending<Result<SearchVectorsOutput, ItemsError>> {
        self.read_async(move |items| items.search_vectors(input))
    }
}

/// Finds the index that a search names. One that is shown as being created is not searched.
fn searchable<'t>(
    table: &'t TableDefinition,
    name: &IndexName,
    now: impl FnOnce() -> EpochMillis,
) -> Result<&'t VectorIndex, ItemsError> {
    let index = table.vector_index(name.as_str()).ok_or_else(|| no_index(name.as_str()))?;
    if table.transition.is_some() {
        let now = now();
        match table.change_in_progress(now) {
            Some(TableChange::VectorIndexCreation { index, backfills }) if index == name => {
                return Err(if now < *backfills {
                    no_index(name.as_str())
                } else {
                    ItemsError::Validation(format!("Cannot search backfilling vector index: {name}"))
                });
            }
            Some(_) | None => {}
        }
    }
    Ok(index)
}

fn target(index: &VectorIndex, elements: &[AttributeValue]) -> Result<Target, ItemsError> {
    let vector = Vector::of(elements).map_err(|_| {
        ItemsError::validation(
            "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number \
             attribute",
        )
    })?;
    if elements.len() != index.dimensions as usize {
        return Err(ItemsError::Validation(format!(
            "Input search vector dimension {} does not match vector index dimension {}",
            elements.len(),
            index.dimensions
        )));
    }
    Ok(Target::new(index.distance_function, &vector))
}

/// A search whose condition fits the index.
struct Search<'s> {
    table: &'s Table,
    index: &'s VectorIndex,
    /// The entries to look at.
    range: KeyRange,
    /// Where in the keys of these entries the key of the item begins.
    item_key_at: usize,
    /// The values that attributes of the entries must have.
    filters: Vec<(&'s str, &'s AttributeValue)>,
}

impl<'s> Search<'s> {
    fn new(
        table: &'s Table,
        index: &'s VectorIndex,
        condition: &'s SearchCondition,
    ) -> Result<Self, ItemsError> {
        if let Some((unknown, _)) = condition.terms().find(|(name, _)| index.search_attribute(name).is_none())
        {
            return Err(ItemsError::Validation(format!(
                "SearchConditionExpression must not contain any attributes that is not in SearchSchema. Invalid attribute: \
                 {unknown}"
            )));
        }
        let partition = match index.hash() {
            None => Vec::new(),
            Some(hash) => {
                let value = condition.value(&hash.name).ok_or_else(|| {
                    ItemsError::validation(
                        "SearchConditionExpression must be provided when SearchSchema has a HASH key",
                    )
                })?;
                let item = Item::from([(hash.name.as_str(), value.clone())]);
                index.partition(&item).map_err(unfit)?.unwrap_or_default()
            }
        };
        let prefix = KeyBytes::partition(&partition);
        // The whole index is read in another way than a part of it.
        let range = if index.hash().is_none() { KeyRange::all() } else { KeyRange::prefix(&prefix) };
        let is_hash = |name: &str| index.hash().is_some_and(|hash| hash.name == name);
        let filters: Vec<_> = condition.terms().filter(|(name, _)| !is_hash(name)).collect();
        for (name, value) in &filters {
            index.partition(&Item::from([(*name, (*value).clone())])).map_err(unfit)?;
        }
        Ok(Self { table, index, range, item_key_at: prefix.as_bytes().len(), filters })
    }

    /// Returns whether an entry is one to compare.
    fn selects(&self, row: VectorRow<'_>) -> Result<bool, ItemsError> {
        if row.vector.len() != 4 * self.index.dimensions as usize {
            return Err(damaged("its vector has another length than the index says"));
        }
        if self.filters.is_empty() {
            return Ok(true);
        }
        let is_filter = |name: &str| self.filters.iter().any(|(filter, _)| *filter == name);
        let item = Item::attributes_from_json(row.json, is_filter).map_err(corrupt)?;
        Ok(self.filters.iter().all(|(name, value)| item.get(*name) == Some(*value)))
    }

    /// Returns what the search shows of an entry, and its size.
    fn shown(
        &self,
        projection: Option<&ProjectionExpression>,
        row: VectorRow<'_>,
    ) -> Result<(FoundItem, u64), ItemsError> {
        let Some(projection) = projection else { return Ok((FoundItem::stored(row.json), row.size_bytes)) };
        let mut item = Item::from_json(row.json).map_err(corrupt)?;
        let attribute = &self.index.vector_attribute;
        let is_asked_for = projection.attribute_names().any(|name| name == attribute);
        if is_asked_for && self.index.projects(&self.table.definition.key_schema, attribute) {
            let vector = Vector::from_stored(row.vector.to_vec());
            item = item.with(attribute.clone(), vector.to_attribute());
        }
        let item = projection.apply(item);
        Ok((FoundItem::with_vector(&item, attribute), item.size_bytes()))
    }

    /// Finds the nearest entries, the nearest first.
    fn nearest(&self, tx: &mut ReadTx<'_>, target: &Target, count: usize) -> Result<Found, ItemsError> {
        let mut nearest: BinaryHeap<Candidate> = BinaryHeap::with_capacity(count + 1);
        let mut size_bytes = 0;
        let mut failed = None;
        tx.scan_vectors(self.table, &self.index.name, &self.range, &mut |row| {
            match self.selects(row) {
                Ok(true) => {}
                Ok(false) => return ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            size_bytes += row.size_bytes;
            let rank = target.rank(row.vector);
            let is_candidate = nearest.len() < count || nearest.peek().is_some_and(|last| rank <= last.rank);
            if is_candidate {
                nearest.push(Candidate { rank, key: row.key.to_vec(), item_key_at: self.item_key_at });
                if nearest.len() > count {
                    nearest.pop();
                }
            }
            ControlFlow::Continue(())
        })?;
        match failed {
            Some(error) => Err(error),
            None => Ok(Found { nearest: nearest.into_sorted_vec(), size_bytes }),
        }
    }
}

/// The text of an operand that is not of the type of its attribute, or empty.
fn unfit(error: KeyError) -> ItemsError {
    ItemsError::Validation(match error {
        KeyError::WrongType { name, expected, actual } => format!(
            "Type of '{name}' attribute in SearchConditionExpression ({actual}) does not match type in search schema ({expected})"
        ),
        KeyError::Empty { name, scalar_type } => empty_key(&name, scalar_type),
        KeyError::HashTooLong | KeyError::RangeTooLong => HASH_TOO_LONG.to_owned(),
        KeyError::Missing(_) | KeyError::ExtraAttributes => error.to_string(),
    })
}

fn corrupt(error: ParseError) -> ItemsError {
    ItemsError::Store(StoreError::corrupt("index entry", error))
}

fn damaged(why: &'static str) -> ItemsError {
    ItemsError::Store(StoreError::corrupt("index entry", why))
}

/// An entry that may be among the nearest. Lower is nearer; of equally near entries, the item with the lower key comes first.
struct Candidate {
    rank: f64,
    /// The key of the entry.
    key: Vec<u8>,
    item_key_at: usize,
}

impl Candidate {
    /// The values of the item's key, in their order.
    fn item_key(&self) -> &[u8] {
        KeyBytes::values_of(self.key.get(self.item_key_at..).unwrap_or_default())
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.total_cmp(&other.rank).then_with(|| self.item_key().cmp(other.item_key()))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// What a search found.
struct Found {
    nearest: Vec<Candidate>,
    /// The size of all entries that it compared.
    size_bytes: u64,
}

impl Found {
    fn results(
        &self,
        tx: &mut ReadTx<'_>,
        search: &Search<'_>,
        target: &Target,
        projection: Option<&ProjectionExpression>,
    ) -> Result<Vec<SearchResult>, ItemsError> {
        let mut results = Vec::with_capacity(self.nearest.len());
        let (mut size_bytes, mut json_bytes) = (0, 0);
        // A search keeps only the keys of its results until it knows all of them: an item may have 400 KB.
        for candidate in &self.nearest {
            let key = Bound::Included(candidate.key.clone());
            let range = KeyRange { lower: key.clone(), upper: key };
            let mut item = None;
            tx.scan_vectors(search.table, &search.index.name, &range, &mut |row| {
                item = Some(search.shown(projection, row));
                ControlFlow::Break(())
            })?;
            let (item, item_bytes) = item.ok_or_else(|| damaged("an entry is not there any more"))??;
            size_bytes += item_bytes;
            json_bytes += item.json().len();
            if size_bytes > MAX_RESULT_BYTES || json_bytes > MAX_ANSWER_JSON_BYTES {
                return Err(ItemsError::validation(
                    "The results of the search exceed the maximum size of 16 MB. Specify a lower TopK or a ProjectionExpression",
                ));
            }
            results.push(SearchResult { item, score: target.score(candidate.rank) });
        }
        Ok(results)
    }
}
