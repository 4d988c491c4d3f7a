//! Shapes of the service model that several operations on tables take.

use crate::decode::{Text, shape};

shape! {
    /// One attribute of a key.
    pub(crate) struct KeySchemaElement<'a> {
        attribute_name: Text<'a> = "AttributeName",
        key_type: Text<'a> = "KeyType",
    }

    /// The type of a key attribute.
    pub(crate) struct AttributeDefinition<'a> {
        attribute_name: Text<'a> = "AttributeName",
        attribute_type: Text<'a> = "AttributeType",
    }

    /// Provisioned units.
    pub(crate) struct ProvisionedThroughput {
        read_capacity_units: i64 = "ReadCapacityUnits",
        write_capacity_units: i64 = "WriteCapacityUnits",
    }

    /// On-demand caps.
    pub(crate) struct OnDemandThroughput {
        max_read_request_units: i64 = "MaxReadRequestUnits",
        max_write_request_units: i64 = "MaxWriteRequestUnits",
    }

    /// Pre-warmed units.
    pub(crate) struct WarmThroughput {
        read_units_per_second: i64 = "ReadUnitsPerSecond",
        write_units_per_second: i64 = "WriteUnitsPerSecond",
    }

    /// What an index holds besides keys.
    pub(crate) struct Projection<'a> {
        projection_type: Text<'a> = "ProjectionType",
        non_key_attributes: Vec<Text<'a>> = "NonKeyAttributes",
    }

    /// A local index.
    pub(crate) struct LocalSecondaryIndex<'a> {
        index_name: Text<'a> = "IndexName",
        key_schema: Vec<KeySchemaElement<'a>> = "KeySchema",
        projection: Projection<'a> = "Projection",
    }

    /// A global index.
    pub(crate) struct GlobalSecondaryIndex<'a> {
        index_name: Text<'a> = "IndexName",
        key_schema: Vec<KeySchemaElement<'a>> = "KeySchema",
        projection: Projection<'a> = "Projection",
        provisioned_throughput: ProvisionedThroughput = "ProvisionedThroughput",
        on_demand_throughput: OnDemandThroughput = "OnDemandThroughput",
        warm_throughput: WarmThroughput = "WarmThroughput",
    }

    /// A vector index.
    pub(crate) struct VectorIndex<'a> {
        index_name: Text<'a> = "IndexName",
        vector_attribute: VectorAttributeDefinition<'a> = "VectorAttribute",
        search_schema: Vec<SearchSchemaElement<'a>> = "SearchSchema",
        projection: Projection<'a> = "Projection",
        dimensions: i64 = "Dimensions",
        distance_function: Text<'a> = "DistanceFunction",
    }

    /// The attribute with a vector.
    pub(crate) struct VectorAttributeDefinition<'a> {
        attribute_name: Text<'a> = "AttributeName",
    }

    /// One attribute by which searches select.
    pub(crate) struct SearchSchemaElement<'a> {
        attribute_name: Text<'a> = "AttributeName",
        search_schema_element_type: Text<'a> = "SearchSchemaElementType",
    }

    /// A stream's switch.
    pub(crate) struct StreamSpecification<'a> {
        stream_enabled: bool = "StreamEnabled",
        stream_view_type: Text<'a> = "StreamViewType",
    }

    /// Server-side encryption.
    pub(crate) struct SSESpecification<'a> {
        enabled: bool = "Enabled",
        sse_type: Text<'a> = "SSEType",
        kms_master_key_id: Text<'a> = "KMSMasterKeyId",
    }

    /// A tag.
    pub(crate) struct Tag<'a> {
        key: Text<'a> = "Key",
        value: Text<'a> = "Value",
    }
}
