//! What table operations are asked about vector indexes.

use pdb_model::{DistanceFunction, IndexName, SearchRole};

use super::input::{ProjectionInput, ProjectionType};

/// An element of a requested index's `SearchSchema`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SearchSchemaElement {
    /// The attribute's name.
    pub attribute_name: String,
    /// What searches do with it.
    pub role: SearchRole,
}

impl SearchSchemaElement {
    /// Returns an element that partitions the index: each search names a value of the attribute.
    pub fn hash(attribute_name: impl Into<String>) -> Self {
        Self { attribute_name: attribute_name.into(), role: SearchRole::Hash }
    }

    /// Returns an element that a search may name.
    pub fn inline_filter(attribute_name: impl Into<String>) -> Self {
        Self { attribute_name: attribute_name.into(), role: SearchRole::InlineFilter }
    }
}

/// A requested vector index.
///
/// # Examples
///
/// ```
/// use pdb_items::tables::{SearchSchemaElement, VectorIndexInput};
/// use pdb_model::{DistanceFunction, IndexName};
///
/// let index = VectorIndexInput {
///     search_schema: Some(vec![SearchSchemaElement::hash("tenant")]),
///     ..VectorIndexInput::new("by_meaning".parse::<IndexName>()?, "embedding", 384, DistanceFunction::Cosine)
/// };
/// # Ok::<(), pdb_model::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VectorIndexInput {
    /// The index's name.
    pub index_name: IndexName,
    /// The attribute with the vector: a list of numbers.
    pub vector_attribute: String,
    /// How many numbers a vector has: 1 to 4096.
    pub dimensions: u64,
    /// How distances are measured.
    pub distance_function: DistanceFunction,
    /// The attributes by which searches select items.
    pub search_schema: Option<Vec<SearchSchemaElement>>,
    /// What the index holds besides keys, the search schema and the vector.
    pub projection: ProjectionInput,
}

impl VectorIndexInput {
    /// Returns an index of everything, without a search schema.
    pub fn new(
        index_name: IndexName,
        vector_attribute: impl Into<String>,
        dimensions: u64,
        distance_function: DistanceFunction,
    ) -> Self {
        Self {
            index_name,
            vector_attribute: vector_attribute.into(),
            dimensions,
            distance_function,
            search_schema: None,
            projection: ProjectionInput::of(ProjectionType::All),
        }
    }

    /// Returns the elements of the search schema.
    pub(crate) fn schema(&self) -> &[SearchSchemaElement] {
        self.search_schema.as_deref().unwrap_or_default()
    }
}

/// One element of UpdateTable's `VectorIndexUpdates`: exactly one member is to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VectorIndexUpdate {
    /// Adds an index.
    pub create: Option<VectorIndexInput>,
    /// Removes an index.
    pub delete: Option<IndexName>,
}

impl VectorIndexUpdate {
    /// Returns the update that adds `index`.
    pub fn create(index: VectorIndexInput) -> Self {
        Self { create: Some(index), delete: None }
    }

    /// Returns the update that removes the index of this name.
    pub fn delete(index_name: IndexName) -> Self {
        Self { create: None, delete: Some(index_name) }
    }
}
