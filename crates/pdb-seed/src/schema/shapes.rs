//! The parts of table definitions, converted to the input of `CreateTable`.

use pdb_exchange::node::Node;
use serde_json::{Map, Value, json};

use crate::error::Fault;
use crate::fields::Fields;

/// The vocabulary of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The input of `CreateTable`, or a description, which has more members.
    Api,
    /// A resource of CloudFormation.
    Template,
}

/// A request, or a part of one.
pub(crate) type Request = Map<String, Value>;

/// Sets a member of a request, if it has a value.
pub(crate) fn put(request: &mut Request, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        request.insert(name.to_owned(), value);
    }
}

/// The members in descriptions of an index that an input does not have.
const DESCRIBED_OF_INDEXES: &[&str] =
    &["IndexStatus", "Backfilling", "IndexSizeBytes", "ItemCount", "IndexArn"];

/// Reads attribute definitions.
pub(crate) fn attribute_definitions(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let read = |mut fields: Fields<'_>| {
        let definition = json!({
            "AttributeName": fields.required_text("AttributeName")?,
            "AttributeType": fields.required_text("AttributeType")?,
        });
        fields.finish().map(|()| definition)
    };
    listed(fields.maps("AttributeDefinitions")?, read)
}

/// Reads a key.
pub(crate) fn key_schema(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let read = |mut fields: Fields<'_>| {
        let element = json!({
            "AttributeName": fields.required_text("AttributeName")?,
            "KeyType": fields.required_text("KeyType")?,
        });
        fields.finish().map(|()| element)
    };
    listed(fields.maps("KeySchema")?, read)
}

fn listed<'n>(
    maps: Vec<Fields<'n>>,
    read: impl Fn(Fields<'n>) -> Result<Value, Fault>,
) -> Result<Option<Value>, Fault> {
    let elements: Vec<Value> = maps.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok((!elements.is_empty()).then_some(Value::Array(elements)))
}

/// Reads the projection of an index.
pub(crate) fn projection(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("Projection")? else { return Ok(None) };
    let mut projection = Request::new();
    put(&mut projection, "ProjectionType", fields.text("ProjectionType")?.map(Value::from));
    let names = fields.texts("NonKeyAttributes")?;
    put(&mut projection, "NonKeyAttributes", (!names.is_empty()).then(|| names.into()));
    fields.finish().map(|()| Some(projection.into()))
}

/// Reads provisioned units. Zeros, as in descriptions of on-demand tables, count as absent.
pub(crate) fn throughput(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("ProvisionedThroughput")? else { return Ok(None) };
    fields.ignore(&["LastIncreaseDateTime", "LastDecreaseDateTime", "NumberOfDecreasesToday"]);
    let (read, write) = (fields.integer("ReadCapacityUnits")?, fields.integer("WriteCapacityUnits")?);
    fields.finish()?;
    if read.unwrap_or(0) == 0 && write.unwrap_or(0) == 0 {
        return Ok(None);
    }
    Ok(Some(json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write })))
}

/// Reads the limits of an on-demand table. For a limit that is not set, descriptions have -1 and skeletons 0.
pub(crate) fn on_demand(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("OnDemandThroughput")? else { return Ok(None) };
    let mut caps = Request::new();
    for name in ["MaxReadRequestUnits", "MaxWriteRequestUnits"] {
        let cap = fields.integer(name)?.filter(|cap| ![-1, 0].contains(cap));
        put(&mut caps, name, cap.map(Value::from));
    }
    fields.finish()?;
    Ok((!caps.is_empty()).then(|| caps.into()))
}

/// Reads warm throughput.
pub(crate) fn warm(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("WarmThroughput")? else { return Ok(None) };
    fields.ignore(&["Status"]);
    let mut warm = Request::new();
    for name in ["ReadUnitsPerSecond", "WriteUnitsPerSecond"] {
        put(&mut warm, name, fields.integer(name)?.filter(|units| *units != 0).map(Value::from));
    }
    fields.finish()?;
    Ok((!warm.is_empty()).then(|| warm.into()))
}

/// Reads the settings of a stream. In a template, their presence enables the stream.
pub(crate) fn stream(
    fields: &mut Fields<'_>,
    dialect: Dialect,
    notes: &mut Vec<Fault>,
) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("StreamSpecification")? else { return Ok(None) };
    let enabled = fields.boolean("StreamEnabled")?.unwrap_or(dialect == Dialect::Template);
    let view_type = fields.text("StreamViewType")?;
    if fields.take("ResourcePolicy").is_some() {
        notes.push(fields.fault("ResourcePolicy", "is ignored: policies of streams are not kept"));
    }
    fields.finish()?;
    Ok(enabled.then(|| json!({ "StreamEnabled": true, "StreamViewType": view_type })))
}

/// Reads tags. Elements of a list without a key are placeholders of a skeleton.
pub(crate) fn tags(fields: &mut Fields<'_>, notes: &mut Vec<Fault>) -> Result<Option<Value>, Fault> {
    let mut tags = Vec::new();
    for (node, place) in fields.list("Tags")? {
        if let Some(reason) = node.unknown() {
            notes.push(Fault::new(
                place,
                format!("the tag is ignored because it cannot be resolved: {reason}"),
            ));
            continue;
        }
        let mut fields = Fields::of(node, place)?;
        let (key, value) = (fields.text("Key")?, fields.text("Value")?);
        fields.finish()?;
        tags.extend(key.map(|key| json!({ "Key": key, "Value": value.unwrap_or_default() })));
    }
    Ok((!tags.is_empty()).then_some(Value::Array(tags)))
}

/// Converts tags in the form of a map. A value that cannot be resolved is ignored, because tags have no effect here.
pub(crate) fn map_tags(
    node: Option<&Node>,
    place: &str,
    notes: &mut Vec<Fault>,
) -> Result<Option<Value>, Fault> {
    let members = match node {
        None => return Ok(None),
        Some(Node::Map(members)) => members,
        Some(other) => return Err(Fault::new(place, format!("is {}, but must be a map", other.kind()))),
    };
    let mut tags = Vec::new();
    for (key, value) in members {
        match value.scalar() {
            Some(value) => tags.push(json!({ "Key": key, "Value": value })),
            None => {
                notes.push(Fault::new(format!("{place}.{key}"), "is ignored because it cannot be resolved"))
            }
        }
    }
    Ok((!tags.is_empty()).then(|| tags.into()))
}

/// Reads local indexes.
pub(crate) fn local_indexes(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let read = |mut fields: Fields<'_>| {
        let mut index = Request::new();
        put(&mut index, "IndexName", fields.text("IndexName")?.map(Value::from));
        put(&mut index, "KeySchema", key_schema(&mut fields)?);
        put(&mut index, "Projection", projection(&mut fields)?);
        fields.ignore(DESCRIBED_OF_INDEXES);
        fields.finish().map(|()| index.into())
    };
    listed(fields.maps("LocalSecondaryIndexes")?, read)
}

/// Reads vector indexes.
pub(crate) fn vector_indexes(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let read_element = |mut fields: Fields<'_>| {
        let mut element = Request::new();
        for name in ["AttributeName", "SearchSchemaElementType"] {
            put(&mut element, name, fields.text(name)?.map(Value::from));
        }
        fields.finish().map(|()| element.into())
    };
    let read = |mut fields: Fields<'_>| {
        let mut index = Request::new();
        put(&mut index, "IndexName", fields.text("IndexName")?.map(Value::from));
        if let Some(mut attribute) = fields.map("VectorAttribute")? {
            let name = attribute.text("AttributeName")?;
            attribute.finish()?;
            put(&mut index, "VectorAttribute", Some(json!({ "AttributeName": name })));
        }
        put(&mut index, "Dimensions", fields.integer("Dimensions")?.map(Value::from));
        put(&mut index, "DistanceFunction", fields.text("DistanceFunction")?.map(Value::from));
        put(&mut index, "SearchSchema", listed(fields.maps("SearchSchema")?, read_element)?);
        put(&mut index, "Projection", projection(&mut fields)?);
        fields.ignore(DESCRIBED_OF_INDEXES);
        fields.finish().map(|()| index.into())
    };
    listed(fields.maps("VectorIndexes")?, read)
}

/// An index, and whether its contributor insights are enabled.
pub(crate) struct GlobalIndex {
    pub(crate) request: Request,
    pub(crate) has_insights: bool,
}

/// Reads the members of a global index that all formats have.
pub(crate) fn global_index(fields: &mut Fields<'_>) -> Result<GlobalIndex, Fault> {
    let mut index = Request::new();
    put(&mut index, "IndexName", fields.text("IndexName")?.map(Value::from));
    put(&mut index, "KeySchema", key_schema(fields)?);
    put(&mut index, "Projection", projection(fields)?);
    put(&mut index, "ProvisionedThroughput", throughput(fields)?);
    put(&mut index, "OnDemandThroughput", on_demand(fields)?);
    put(&mut index, "WarmThroughput", warm(fields)?);
    let has_insights = insights(fields)?;
    fields.ignore(DESCRIBED_OF_INDEXES);
    Ok(GlobalIndex { request: index, has_insights })
}

/// Reads whether contributor insights are enabled.
pub(crate) fn insights(fields: &mut Fields<'_>) -> Result<bool, Fault> {
    let Some(mut fields) = fields.map("ContributorInsightsSpecification")? else { return Ok(false) };
    let enabled = fields.boolean("Enabled")?.unwrap_or(false);
    fields.ignore(&["Mode"]);
    fields.finish().map(|()| enabled)
}

/// Reads time to live: the attribute, if it is enabled.
pub(crate) fn time_to_live(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("TimeToLiveSpecification")? else { return Ok(None) };
    let enabled = fields.boolean("Enabled")?.unwrap_or(false);
    let attribute = fields.text("AttributeName")?;
    fields.finish()?;
    Ok(enabled.then(|| json!({ "AttributeName": attribute, "Enabled": true })))
}

/// Reads whether point-in-time recovery is enabled.
pub(crate) fn point_in_time_recovery(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("PointInTimeRecoverySpecification")? else { return Ok(None) };
    let enabled = fields.boolean("PointInTimeRecoveryEnabled")?.unwrap_or(false);
    let days = fields.integer("RecoveryPeriodInDays")?;
    fields.finish()?;
    let mut specification = Request::new();
    put(&mut specification, "PointInTimeRecoveryEnabled", Some(true.into()));
    put(&mut specification, "RecoveryPeriodInDays", days.map(Value::from));
    Ok(enabled.then(|| specification.into()))
}

/// Reads encryption. A key that cannot be resolved is ignored, because nothing is encrypted with it here.
pub(crate) fn encryption(
    fields: &mut Fields<'_>,
    dialect: Dialect,
    notes: &mut Vec<Fault>,
) -> Result<Option<Value>, Fault> {
    let Some(mut fields) = fields.map("SSESpecification")? else { return Ok(None) };
    let member = if dialect == Dialect::Template { "SSEEnabled" } else { "Enabled" };
    let mut encryption = Request::new();
    let enabled = fields.boolean(member)?;
    put(&mut encryption, "Enabled", enabled.map(Value::from));
    put(&mut encryption, "SSEType", fields.text("SSEType")?.map(Value::from));
    let key = kms_key(&mut fields, "KMSMasterKeyId", notes);
    put(&mut encryption, "KMSMasterKeyId", key);
    fields.finish()?;
    Ok((enabled == Some(true)).then(|| encryption.into()))
}

/// Reads the key of encryption.
pub(crate) fn kms_key(fields: &mut Fields<'_>, name: &str, notes: &mut Vec<Fault>) -> Option<Value> {
    match fields.text(name) {
        Ok(key) => key.map(Value::from),
        Err(fault) => {
            notes.push(Fault::new(fault.place, format!("is ignored: it {}", fault.reason)));
            None
        }
    }
}
