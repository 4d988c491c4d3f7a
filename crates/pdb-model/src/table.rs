//! Table definitions: schemas and settings.

use std::collections::BTreeMap;
use std::fmt;

use crate::{
    ContributorInsights, EpochMillis, IndexName, Item, KeyAttribute, KeySchema, KinesisDestination,
    PointInTimeRecovery, ResourcePolicy, RestoredFrom, ScalarType, StreamArn, StreamLabel, StreamViewType,
    TableChange, TableName, Transition, VectorIndex,
};

/// The schema and the settings of a table: all of it but its items.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableDefinition {
    /// The name.
    pub name: TableName,
    /// A UUID. A table that is deleted and created again gets a new one.
    pub table_id: String,
    /// When the table was created.
    pub created: EpochMillis,
    /// The types of the key attributes of the table and its indexes, and of the attributes by which searches select, sorted by name.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// The key.
    pub key_schema: KeySchema,
    /// Local and global secondary indexes, in the order in which they were created.
    #[serde(default)]
    pub indexes: Vec<SecondaryIndex>,
    /// Vector indexes, in the order in which they were created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vector_indexes: Vec<VectorIndex>,
    /// How the table is paid for.
    pub billing_mode: BillingMode,
    /// When billing was last set to `PAY_PER_REQUEST`, also at creation.
    #[serde(default)]
    pub last_update_to_pay_per_request: Option<EpochMillis>,
    /// Provisioned units. They are 0 for `PAY_PER_REQUEST`.
    #[serde(default)]
    pub provisioned_throughput: ProvisionedThroughput,
    /// The limits for `PAY_PER_REQUEST`.
    #[serde(default)]
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// The warm throughput, if it was ever set.
    #[serde(default)]
    pub warm_throughput: Option<WarmThroughput>,
    /// The table class, if it was ever set.
    #[serde(default)]
    pub table_class: Option<TableClass>,
    /// The encryption, if it is not the default.
    #[serde(default)]
    pub server_side_encryption: Option<ServerSideEncryption>,
    /// Whether `DeleteTable` is refused.
    #[serde(default)]
    pub deletion_protection: bool,
    /// The latest stream, enabled or disabled.
    #[serde(default)]
    pub stream: Option<StreamSettings>,
    /// The attribute that contains the time at which an item expires.
    #[serde(default)]
    pub time_to_live_attribute: Option<String>,
    /// Tags by key.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Tags of the table's streams, by ARN and key.
    #[serde(default)]
    pub stream_tags: BTreeMap<String, BTreeMap<String, String>>,
    /// The source of the table, if it was restored.
    #[serde(default)]
    pub restored_from: Option<RestoredFrom>,
    /// Point-in-time recovery, if it is enabled.
    #[serde(default)]
    pub point_in_time_recovery: Option<PointInTimeRecovery>,
    /// The Kinesis streams that were set as destinations of the table's changes.
    #[serde(default)]
    pub kinesis_destinations: Vec<KinesisDestination>,
    /// The contributor insights of the table and its indexes, where they were ever set.
    #[serde(default)]
    pub contributor_insights: Vec<ContributorInsights>,
    /// The change that the table reports as in progress.
    #[serde(default)]
    pub transition: Option<Transition>,
    /// Resource policies by the ARN of the table or of one of its streams.
    #[serde(default)]
    pub resource_policies: BTreeMap<String, ResourcePolicy>,
}

impl TableDefinition {
    /// Returns the index with this name.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&SecondaryIndex> {
        self.indexes.iter().find(|index| index.name.as_str() == name)
    }

    /// Returns all global or all local indexes.
    pub fn indexes_of(&self, kind: IndexKind) -> impl Iterator<Item = &SecondaryIndex> {
        self.indexes.iter().filter(move |index| index.kind == kind)
    }

    /// Returns the vector index with this name.
    #[must_use]
    pub fn vector_index(&self, name: &str) -> Option<&VectorIndex> {
        self.vector_indexes.iter().find(|index| index.name.as_str() == name)
    }

    /// Returns all indexes: global and local ones, then vector indexes.
    pub fn all_indexes(&self) -> impl Iterator<Item = AnyIndex<'_>> {
        let vectors = self.vector_indexes.iter().map(AnyIndex::Vector);
        self.indexes.iter().map(AnyIndex::Secondary).chain(vectors)
    }

    /// Returns the index of any kind with this name.
    #[must_use]
    pub fn any_index(&self, name: &str) -> Option<AnyIndex<'_>> {
        self.all_indexes().find(|index| index.name().as_str() == name)
    }

    /// Returns how many bytes a write of this item counts as; `size_bytes` is its size. A vector of an index counts as four bytes for each
    /// element, however long its numbers are.
    #[must_use]
    pub fn write_bytes(&self, item: &Item, size_bytes: u64) -> u64 {
        let mut bytes = size_bytes;
        for (at, index) in self.vector_indexes.iter().enumerate() {
            // All indexes of an attribute have the same dimensions.
            let is_first = self.vector_indexes[..at]
                .iter()
                .all(|other| other.vector_attribute != index.vector_attribute);
            if is_first
                && let Some(value) = item.get(&index.vector_attribute)
                && matches!(index.vector(item), Ok(Some(_)))
            {
                bytes = bytes - value.size_bytes() + 4 * u64::from(index.dimensions);
            }
        }
        bytes
    }

    /// Returns the change that the table reports as in progress at `now`.
    #[must_use]
    pub fn change_in_progress(&self, now: EpochMillis) -> Option<&TableChange> {
        self.transition
            .as_ref()
            .filter(|transition| now < transition.until)
            .map(|transition| &transition.change)
    }

    /// Returns the stream if it is enabled.
    #[must_use]
    pub fn enabled_stream(&self) -> Option<&StreamSettings> {
        self.stream.as_ref().filter(|stream| stream.enabled)
    }
}

/// The type of a key attribute of a table or of its indexes.
pub type AttributeDefinition = KeyAttribute;

/// The latest stream of a table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StreamSettings {
    /// The ARN.
    pub arn: StreamArn,
    /// The label, also the end of the ARN.
    pub label: StreamLabel,
    /// Which images records contain.
    pub view_type: StreamViewType,
    /// Whether writes are recorded.
    pub enabled: bool,
}

/// The kind of a secondary index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum IndexKind {
    /// Has its own partition key.
    Global,
    /// Has the table's partition key and its own sort key.
    Local,
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SecondaryIndex {
    /// The name.
    pub name: IndexName,
    /// Global or local.
    pub kind: IndexKind,
    /// The index key.
    pub key_schema: KeySchema,
    /// Which attributes its entries contain.
    pub projection: Projection,
    /// Provisioned units. They are 0 for `PAY_PER_REQUEST` and for local indexes.
    #[serde(default)]
    pub provisioned_throughput: ProvisionedThroughput,
    /// The limits for `PAY_PER_REQUEST`.
    #[serde(default)]
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// The warm throughput, if it was ever set.
    #[serde(default)]
    pub warm_throughput: Option<WarmThroughput>,
}

impl SecondaryIndex {
    /// Returns whether entries of this index contain the attribute.
    #[must_use]
    pub fn projects(&self, table_key: &KeySchema, attribute: &str) -> bool {
        match &self.projection {
            Projection::All => true,
            Projection::KeysOnly => self.key_schema.contains(attribute) || table_key.contains(attribute),
            Projection::Include(names) => {
                self.key_schema.contains(attribute)
                    || table_key.contains(attribute)
                    || names.iter().any(|name| name == attribute)
            }
        }
    }
}

/// An index of any kind.
#[derive(Clone, Copy, Debug)]
pub enum AnyIndex<'a> {
    /// A global or local secondary index.
    Secondary(&'a SecondaryIndex),
    /// A vector index.
    Vector(&'a VectorIndex),
}

impl<'a> AnyIndex<'a> {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'a IndexName {
        match self {
            Self::Secondary(index) => &index.name,
            Self::Vector(index) => &index.name,
        }
    }
}

/// Which attributes the entries of an index contain besides the keys of the index and the table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Projection {
    /// All attributes.
    All,
    /// No other attributes.
    KeysOnly,
    /// The attributes with these names.
    Include(Vec<String>),
}

impl Projection {
    /// Returns the names in [`Projection::Include`], which the API calls `NonKeyAttributes`. Empty for other projections.
    #[must_use]
    pub fn non_key_attributes(&self) -> &[String] {
        match self {
            Self::Include(names) => names,
            Self::All | Self::KeysOnly => &[],
        }
    }
}

/// How a table is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum BillingMode {
    /// By provisioned units.
    Provisioned,
    /// By request.
    PayPerRequest,
}

impl BillingMode {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioned => "PROVISIONED",
            Self::PayPerRequest => "PAY_PER_REQUEST",
        }
    }
}

impl fmt::Display for BillingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Provisioned units, and when they changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProvisionedThroughput {
    /// Read units.
    pub read_units: i64,
    /// Write units.
    pub write_units: i64,
    /// When a unit was last raised.
    #[serde(default)]
    pub last_increase: Option<EpochMillis>,
    /// When a unit was last lowered.
    #[serde(default)]
    pub last_decrease: Option<EpochMillis>,
    /// How many requests lowered a unit.
    #[serde(default)]
    pub decreases: u32,
}

/// The limits of an on-demand table or index. `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OnDemandThroughput {
    /// Read request units.
    pub max_read_units: Option<i64>,
    /// Write request units.
    pub max_write_units: Option<i64>,
}

/// The warm throughput of a table or index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WarmThroughput {
    /// Read units a second.
    pub read_units: i64,
    /// Write units a second.
    pub write_units: i64,
}

/// The class of a table, and when it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableClass {
    /// Whether the class is `STANDARD_INFREQUENT_ACCESS` and not `STANDARD`.
    pub infrequent_access: bool,
    /// When it last changed after the table was created.
    pub last_update: Option<EpochMillis>,
}

/// Encryption with a key of AWS KMS.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServerSideEncryption {
    /// The ARN of the key.
    pub kms_key_arn: String,
}

impl TableDefinition {
    /// Returns the minimal definition of a table: on-demand, without indexes, a stream or settings.
    #[must_use]
    pub fn minimal(name: TableName, table_id: String, created: EpochMillis, key_schema: KeySchema) -> Self {
        let mut attribute_definitions: Vec<_> = key_schema.attributes().cloned().collect();
        attribute_definitions.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            name,
            table_id,
            created,
            attribute_definitions,
            key_schema,
            indexes: Vec::new(),
            vector_indexes: Vec::new(),
            billing_mode: BillingMode::PayPerRequest,
            last_update_to_pay_per_request: Some(created),
            provisioned_throughput: ProvisionedThroughput::default(),
            on_demand_throughput: None,
            warm_throughput: None,
            table_class: None,
            server_side_encryption: None,
            deletion_protection: false,
            stream: None,
            time_to_live_attribute: None,
            tags: BTreeMap::new(),
            stream_tags: BTreeMap::new(),
            restored_from: None,
            point_in_time_recovery: None,
            kinesis_destinations: Vec::new(),
            contributor_insights: Vec::new(),
            transition: None,
            resource_policies: BTreeMap::new(),
        }
    }

    /// Returns the type of a key attribute of the table or of one of its indexes, or `None` if no key has this attribute.
    #[must_use]
    pub fn attribute_type(&self, name: &str) -> Option<ScalarType> {
        self.attribute_definitions.iter().find(|a| a.name == name).map(|a| a.scalar_type)
    }
}
