//! What table operations are asked: the typed inputs shared by several operations.
//!
//! Members mirror the API's, with `Option` where the API tells absent from present. What cannot be represented by
//! these types (a missing key type, a view type that does not exist, a name that is too long) is refused before.

use pdb_model::{
    AttributeDefinition, BillingMode, IndexName, OnDemandThroughput, ScalarType, StreamViewType, TableName,
};

use super::vector_input::{VectorIndexInput, VectorIndexUpdate};

/// The part an attribute plays in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum KeyType {
    /// The partition key.
    Hash,
    /// The sort key.
    Range,
}

impl KeyType {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hash => "HASH",
            Self::Range => "RANGE",
        }
    }
}

/// One element of a key schema, as requested or described.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeySchemaElement {
    /// The attribute's name.
    pub attribute_name: String,
    /// Its part in the key.
    pub key_type: KeyType,
}

impl KeySchemaElement {
    /// Returns a partition key element.
    pub fn hash(attribute_name: impl Into<String>) -> Self {
        Self { attribute_name: attribute_name.into(), key_type: KeyType::Hash }
    }

    /// Returns a sort key element.
    pub fn range(attribute_name: impl Into<String>) -> Self {
        Self { attribute_name: attribute_name.into(), key_type: KeyType::Range }
    }
}

/// Which attributes a requested index is to hold besides keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ProjectionType {
    /// All.
    All,
    /// None.
    KeysOnly,
    /// Those it names.
    Include,
}

/// The projection of a requested index.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProjectionInput {
    /// What is projected; the API lets it be absent and refuses that later.
    pub projection_type: Option<ProjectionType>,
    /// The attributes named for `INCLUDE`.
    pub non_key_attributes: Option<Vec<String>>,
}

impl ProjectionInput {
    /// Returns a projection without named attributes.
    pub fn of(projection_type: ProjectionType) -> Self {
        Self { projection_type: Some(projection_type), non_key_attributes: None }
    }

    /// Returns a projection of the keys and `names`.
    pub fn include<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self {
            projection_type: Some(ProjectionType::Include),
            non_key_attributes: Some(names.into_iter().map(Into::into).collect()),
        }
    }
}

/// A requested local secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIndexInput {
    /// The index's name.
    pub index_name: IndexName,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it holds besides keys.
    pub projection: ProjectionInput,
}

/// A requested global secondary index.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GlobalIndexInput {
    /// The index's name.
    pub index_name: IndexName,
    /// Its key: up to four HASH and four RANGE attributes.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it holds besides keys.
    pub projection: ProjectionInput,
    /// Its provisioned units.
    pub provisioned_throughput: Option<ThroughputInput>,
    /// Its on-demand caps.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// Its warm throughput.
    pub warm_throughput: Option<WarmThroughputInput>,
}

impl GlobalIndexInput {
    /// Returns an index of everything, without throughput of its own.
    pub fn new(index_name: IndexName, key_schema: Vec<KeySchemaElement>) -> Self {
        Self {
            index_name,
            key_schema,
            projection: ProjectionInput::of(ProjectionType::All),
            provisioned_throughput: None,
            on_demand_throughput: None,
            warm_throughput: None,
        }
    }
}

/// Requested provisioned units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ThroughputInput {
    /// Reads a second; 1 or more.
    pub read_capacity_units: i64,
    /// Writes a second; 1 or more.
    pub write_capacity_units: i64,
}

/// A requested table class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableClassInput {
    /// The usual one.
    Standard,
    /// For tables that are seldom read.
    StandardInfrequentAccess,
}

impl TableClassInput {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::StandardInfrequentAccess => "STANDARD_INFREQUENT_ACCESS",
        }
    }
}

/// Requested warm throughput; absent members keep what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WarmThroughputInput {
    /// Reads a second.
    pub read_units_per_second: Option<i64>,
    /// Writes a second.
    pub write_units_per_second: Option<i64>,
}

/// A requested stream setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSpecification {
    /// Whether the stream is to be enabled or disabled.
    pub stream_enabled: bool,
    /// What its records are to hold: required to enable, forbidden to disable.
    pub stream_view_type: Option<StreamViewType>,
}

impl StreamSpecification {
    /// Returns the specification that enables a stream.
    pub fn enabled(view_type: StreamViewType) -> Self {
        Self { stream_enabled: true, stream_view_type: Some(view_type) }
    }

    /// Returns the specification that disables a stream.
    pub fn disabled() -> Self {
        Self { stream_enabled: false, stream_view_type: None }
    }
}

/// The kind of server-side encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SseType {
    /// The default encryption, which AWS refuses to be named.
    Aes256,
    /// A key of the key management service.
    Kms,
}

/// Requested server-side encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SseSpecification {
    /// Whether encryption with a KMS key is wanted.
    pub enabled: Option<bool>,
    /// The kind of key.
    pub sse_type: Option<SseType>,
    /// The key.
    pub kms_master_key_id: Option<String>,
}

impl SseSpecification {
    /// Returns whether a KMS key is wanted; the specification has been checked.
    pub(crate) fn asks_for_kms(&self) -> bool {
        self.enabled.unwrap_or(self.sse_type == Some(SseType::Kms))
    }
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// The tag's key.
    pub key: String,
    /// Its value; the API lets it be absent and refuses that later.
    pub value: Option<String>,
}

impl Tag {
    /// Returns a tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: Some(value.into()) }
    }
}

impl Tag {
    /// Returns key and value of a checked tag.
    pub(crate) fn into_pair(self) -> Option<(String, String)> {
        self.value.map(|value| (self.key, value))
    }
}

/// The input of CreateTable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTableInput {
    /// The table's name.
    pub table_name: TableName,
    /// The types of all key attributes.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// The table's key: one HASH, perhaps one RANGE attribute.
    pub key_schema: Vec<KeySchemaElement>,
    /// How capacity is paid; provisioned when absent.
    pub billing_mode: Option<BillingMode>,
    /// Provisioned units, for that billing mode only.
    pub provisioned_throughput: Option<ThroughputInput>,
    /// Local secondary indexes.
    pub local_secondary_indexes: Option<Vec<LocalIndexInput>>,
    /// Global secondary indexes.
    pub global_secondary_indexes: Option<Vec<GlobalIndexInput>>,
    /// Vector indexes.
    pub vector_indexes: Option<Vec<VectorIndexInput>>,
    /// Whether the table is created with a stream.
    pub stream_specification: Option<StreamSpecification>,
    /// Server-side encryption.
    pub sse_specification: Option<SseSpecification>,
    /// Tags.
    pub tags: Option<Vec<Tag>>,
    /// The table class.
    pub table_class: Option<TableClassInput>,
    /// Whether DeleteTable is refused.
    pub deletion_protection_enabled: Option<bool>,
    /// Warm throughput.
    pub warm_throughput: Option<WarmThroughputInput>,
    /// Caps for on-demand tables.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// A policy of the table, as JSON text.
    pub resource_policy: Option<String>,
    /// The table that this one would replicate. Refused, because global tables are not supported.
    pub global_table_source_arn: Option<String>,
}

impl CreateTableInput {
    /// Returns the input of an on-demand table with this key and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_items::tables::{CreateTableInput, StreamSpecification};
    /// use pdb_model::{ScalarType, StreamViewType, TableName};
    ///
    /// let orders = CreateTableInput {
    ///     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
    ///     ..CreateTableInput::new("Orders".parse::<TableName>()?, ("pk", ScalarType::S), Some(("sk", ScalarType::N)))
    /// };
    /// assert_eq!(orders.key_schema.len(), 2);
    /// # Ok::<(), pdb_model::ParseError>(())
    /// ```
    pub fn new(table_name: TableName, hash: (&str, ScalarType), range: Option<(&str, ScalarType)>) -> Self {
        let attribute = |(name, scalar_type): (&str, ScalarType)| AttributeDefinition {
            name: name.to_owned(),
            scalar_type,
        };
        let mut key_schema = vec![KeySchemaElement::hash(hash.0)];
        key_schema.extend(range.map(|(name, _)| KeySchemaElement::range(name)));
        Self {
            table_name,
            attribute_definitions: [Some(hash), range].into_iter().flatten().map(attribute).collect(),
            key_schema,
            billing_mode: Some(BillingMode::PayPerRequest),
            provisioned_throughput: None,
            local_secondary_indexes: None,
            global_secondary_indexes: None,
            vector_indexes: None,
            stream_specification: None,
            sse_specification: None,
            tags: None,
            table_class: None,
            deletion_protection_enabled: None,
            warm_throughput: None,
            on_demand_throughput: None,
            resource_policy: None,
            global_table_source_arn: None,
        }
    }
}

/// One element of UpdateTable's `GlobalSecondaryIndexUpdates`: exactly one member is to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalIndexUpdate {
    /// Adds an index.
    pub create: Option<GlobalIndexInput>,
    /// Changes an index's throughput.
    pub update: Option<GlobalIndexThroughputUpdate>,
    /// Removes an index.
    pub delete: Option<IndexName>,
}

impl GlobalIndexUpdate {
    /// Returns the update that adds `index`.
    pub fn create(index: GlobalIndexInput) -> Self {
        Self { create: Some(index), ..Self::default() }
    }

    /// Returns the update that removes the index of this name.
    pub fn delete(index_name: IndexName) -> Self {
        Self { delete: Some(index_name), ..Self::default() }
    }

    /// Returns the update that changes an index's throughput.
    pub fn update(update: GlobalIndexThroughputUpdate) -> Self {
        Self { update: Some(update), ..Self::default() }
    }
}

/// A change of an index's throughput.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalIndexThroughputUpdate {
    /// The index's name.
    pub index_name: IndexName,
    /// New provisioned units.
    pub provisioned_throughput: Option<ThroughputInput>,
    /// New on-demand caps.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// New warm throughput.
    pub warm_throughput: Option<WarmThroughputInput>,
}

/// The input of UpdateTable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateTableInput {
    /// The table.
    pub table_name: TableName,
    /// The types of the key attributes of a new index.
    pub attribute_definitions: Option<Vec<AttributeDefinition>>,
    /// The new billing mode.
    pub billing_mode: Option<BillingMode>,
    /// New provisioned units.
    pub provisioned_throughput: Option<ThroughputInput>,
    /// Indexes to create, change, delete.
    pub global_secondary_index_updates: Option<Vec<GlobalIndexUpdate>>,
    /// Vector indexes to create or delete.
    pub vector_index_updates: Option<Vec<VectorIndexUpdate>>,
    /// Enables or disables the stream.
    pub stream_specification: Option<StreamSpecification>,
    /// Changes server-side encryption.
    pub sse_specification: Option<SseSpecification>,
    /// Whether the request changes replicas. Refused, because global tables are not supported.
    pub changes_replicas: bool,
    /// The new table class.
    pub table_class: Option<TableClassInput>,
    /// Switches deletion protection.
    pub deletion_protection_enabled: Option<bool>,
    /// New warm throughput.
    pub warm_throughput: Option<WarmThroughputInput>,
    /// New on-demand caps; -1 clears one.
    pub on_demand_throughput: Option<OnDemandThroughput>,
}

impl UpdateTableInput {
    /// Returns an input that changes nothing yet.
    pub fn new(table_name: TableName) -> Self {
        Self {
            table_name,
            attribute_definitions: None,
            billing_mode: None,
            provisioned_throughput: None,
            global_secondary_index_updates: None,
            vector_index_updates: None,
            stream_specification: None,
            sse_specification: None,
            changes_replicas: false,
            table_class: None,
            deletion_protection_enabled: None,
            warm_throughput: None,
            on_demand_throughput: None,
        }
    }

    /// Returns whether the input creates or deletes an index.
    pub(crate) fn changes_indexes(&self) -> bool {
        let mut updates = self.global_secondary_index_updates.iter().flatten();
        self.changes_vector_indexes()
            || updates.any(|update| update.create.is_some() || update.delete.is_some())
    }

    /// Returns whether the input creates or deletes a vector index.
    pub(crate) fn changes_vector_indexes(&self) -> bool {
        self.vector_index_updates.as_ref().is_some_and(|updates| !updates.is_empty())
    }

    /// Returns whether the input asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.billing_mode.is_none()
            && self.provisioned_throughput.is_none()
            && self.global_secondary_index_updates.as_ref().is_none_or(Vec::is_empty)
            && self.vector_index_updates.as_ref().is_none_or(Vec::is_empty)
            && self.stream_specification.is_none()
            && self.sse_specification.is_none()
            && !self.changes_replicas
            && self.table_class.is_none()
            && self.deletion_protection_enabled.is_none()
            && self.warm_throughput.is_none()
            && self.on_demand_throughput.is_none()
    }
}
