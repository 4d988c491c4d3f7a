//! Checks of the constraint stage for shapes that several operations take, and what they become.
//!
//! A check notes what is wrong and returns what the facade takes, or nothing where something was wrong: after
//! [`Constraints::finish`] only what is optional is absent.

use pdb_model::{
    ApiError, AttributeDefinition, BillingMode, ErrorCode, IndexName, OnDemandThroughput, ScalarType,
    TableName,
};
use pretender::tables::{
    GlobalIndexInput, KeySchemaElement, KeyType, LocalIndexInput, ProjectionInput, ProjectionType,
    SseSpecification, SseType, StreamSpecification, TableClassInput, Tag, ThroughputInput,
    WarmThroughputInput,
};

use super::shapes;
use crate::Wire;
use crate::constraint::{Constraints, Path, at, is_name};
use crate::decode::Text;
use crate::items::table;
use crate::layer::Texts;

/// Keys of a table or a local index have one or two attributes.
pub(crate) const TABLE_KEY: usize = 2;
/// Keys of a global index have up to four attributes of each part.
pub(crate) const GLOBAL_KEY: usize = 8;

/// Reads the table of an operation on tables: by name or ARN, before everything else.
///
/// # Errors
///
/// `ValidationException` for an absent or malformed name, and for a malformed ARN; `ResourceNotFoundException` for an ARN of another
/// region, if regions are kept apart.
pub(crate) fn table_name(wire: &Wire, given: Option<&Text<'_>>) -> Result<TableName, ApiError> {
    let missing = |name: &TableName| {
        let text = format!("Requested resource not found: Table: {name} not found");
        ApiError::new(ErrorCode::ResourceNotFoundException, text)
    };
    table_or(wire, given, missing)
}

/// The same, for an operation on backups.
///
/// # Errors
///
/// As [`table_name`], but `TableNotFoundException`.
pub(crate) fn table_name_of_backups(wire: &Wire, given: Option<&Text<'_>>) -> Result<TableName, ApiError> {
    table_or(wire, given, no_table_of_backups)
}

/// What operations on backups answer about a table that is not there.
pub(crate) fn no_table_of_backups(name: &TableName) -> ApiError {
    ApiError::new(ErrorCode::TableNotFoundException, format!("Table not found: {name}"))
}

fn table_or(
    wire: &Wire,
    given: Option<&Text<'_>>,
    missing: impl Fn(&TableName) -> ApiError,
) -> Result<TableName, ApiError> {
    let given = required_parameter(given, "TableName")?;
    if !given.starts_with("arn:") {
        return plain_name(given, "TableName");
    }
    table::check_arn(Some(given))?;
    let name = given.rsplit('/').next().unwrap_or_default();
    let name = plain_name(&Text::Borrowed(name), "TableName")?;
    if table::is_elsewhere(given, wire.only_region()) { Err(missing(&name)) } else { Ok(name) }
}

/// Reads a name that may not be an ARN.
///
/// # Errors
///
/// `ValidationException` for a malformed name.
pub(crate) fn plain_name(given: &Text<'_>, member: &str) -> Result<TableName, ApiError> {
    let mut check = Constraints::new(Texts::CLASSIC);
    name_constraints(&mut check, &at(member), Some(given));
    check.finish()?;
    TableName::new(given).map_err(|error| ApiError::validation(error.to_string()))
}

/// A name of 3 to 255 characters; what is too short is not checked for its characters too.
pub(crate) fn name_constraints(check: &mut Constraints, path: &Path<'_>, given: Option<&Text<'_>>) {
    let Some(given) = given else { return };
    check.text_length(path, Some(given), 3..=255);
    if !given.is_empty() && !is_name(given) {
        check.name_pattern(path, Some(given));
    }
}

/// Returns a member that AWS asks for before it looks at constraints.
///
/// # Errors
///
/// `ValidationException` if it is absent.
pub(crate) fn required_parameter<'i, T>(given: Option<&'i T>, member: &str) -> Result<&'i T, ApiError> {
    given.ok_or_else(|| {
        ApiError::validation(format!(
            "The parameter '{member}' is required but was not present in the request"
        ))
    })
}

/// Returns a member that the constraint stage has found to be there.
///
/// # Errors
///
/// `ValidationException` if it is absent all the same.
pub(crate) fn checked<T>(value: Option<T>, member: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| {
        ApiError::validation(format!(
            "The parameter '{member}' is required but was not present in the request"
        ))
    })
}

/// Checks a table class, which has a text of its own.
///
/// # Errors
///
/// `ValidationException` for an unknown class.
pub(crate) fn table_class(given: Option<&Text<'_>>) -> Result<Option<TableClassInput>, ApiError> {
    let Some(given) = given else { return Ok(None) };
    let classes = [TableClassInput::Standard, TableClassInput::StandardInfrequentAccess];
    classes.into_iter().find(|class| class.as_str() == given).map(Some).ok_or_else(|| {
        ApiError::validation(
            "Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, \
             STANDARD_INFREQUENT_ACCESS].",
        )
    })
}

/// Checks that a key has 1 to `most` attributes; what they are is checked by [`key_schema`].
pub(crate) fn key_schema_length(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Vec<shapes::KeySchemaElement<'_>>>,
    most: usize,
) {
    check.required(path, given);
    check.list_length(path, given, 1..=most);
}

/// Checks the attributes of a key.
pub(crate) fn key_schema(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Vec<shapes::KeySchemaElement<'_>>>,
) -> Vec<KeySchemaElement> {
    let mut schema = Vec::new();
    for (n, element) in given.into_iter().flatten().enumerate() {
        let path = path.element(n);
        key_attribute_name(check, &path, element.attribute_name.as_ref());
        let at_type = path.member("KeyType");
        check.required(&at_type, element.key_type.as_ref());
        let key_type = check.one_of::<KeyType>(&at_type, element.key_type.as_ref());
        if let (Some(name), Some(key_type)) = (&element.attribute_name, key_type) {
            schema.push(KeySchemaElement { attribute_name: name.to_string(), key_type });
        }
    }
    schema
}

/// Checks attribute definitions.
pub(crate) fn attribute_definitions(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Vec<shapes::AttributeDefinition<'_>>>,
) -> Vec<AttributeDefinition> {
    let mut definitions = Vec::new();
    for (n, definition) in given.into_iter().flatten().enumerate() {
        let path = path.element(n);
        key_attribute_name(check, &path, definition.attribute_name.as_ref());
        let at_type = path.member("AttributeType");
        check.required(&at_type, definition.attribute_type.as_ref());
        let scalar_type = check.one_of::<ScalarType>(&at_type, definition.attribute_type.as_ref());
        if let (Some(name), Some(scalar_type)) = (&definition.attribute_name, scalar_type) {
            definitions.push(AttributeDefinition { name: name.to_string(), scalar_type });
        }
    }
    definitions
}

/// Checks an attribute's name.
pub(crate) fn key_attribute_name(check: &mut Constraints, path: &Path<'_>, name: Option<&Text<'_>>) {
    let path = path.member("AttributeName");
    check.required(&path, name);
    check.text_length(&path, name, 1..=255);
}

/// Checks provisioned units.
pub(crate) fn throughput(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&shapes::ProvisionedThroughput>,
) -> Option<ThroughputInput> {
    let given = given?;
    for (value, name) in
        [(given.write_capacity_units, "WriteCapacityUnits"), (given.read_capacity_units, "ReadCapacityUnits")]
    {
        let path = path.member(name);
        check.required(&path, value.as_ref());
        check.range(&path, value, 1..=i64::MAX);
    }
    Some(ThroughputInput {
        read_capacity_units: given.read_capacity_units?,
        write_capacity_units: given.write_capacity_units?,
    })
}

/// Returns on-demand caps, which have no constraints of this stage. AWS takes a structure without caps as none.
pub(crate) fn on_demand(given: Option<&shapes::OnDemandThroughput>) -> Option<OnDemandThroughput> {
    let caps = given.map(|given| OnDemandThroughput {
        max_read_units: given.max_read_request_units,
        max_write_units: given.max_write_request_units,
    });
    caps.filter(|caps| *caps != OnDemandThroughput::default())
}

/// Checks warm throughput. AWS takes a structure without members as none, except where an index is updated.
pub(crate) fn warm(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&shapes::WarmThroughput>,
) -> Option<WarmThroughputInput> {
    changed_warm(check, path, given).filter(|asked| *asked != WarmThroughputInput::default())
}

/// Checks the warm throughput of an index that is updated.
pub(crate) fn changed_warm(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&shapes::WarmThroughput>,
) -> Option<WarmThroughputInput> {
    let given = given?;
    check.range(&path.member("ReadUnitsPerSecond"), given.read_units_per_second, 1..=i64::MAX);
    check.range(&path.member("WriteUnitsPerSecond"), given.write_units_per_second, 1..=i64::MAX);
    Some(WarmThroughputInput {
        read_units_per_second: given.read_units_per_second,
        write_units_per_second: given.write_units_per_second,
    })
}

/// Checks a projection.
pub(crate) fn projection(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&shapes::Projection<'_>>,
) -> ProjectionInput {
    check.required(path, given);
    let Some(given) = given else { return ProjectionInput::default() };
    let at_names = path.member("NonKeyAttributes");
    let names = given.non_key_attributes.as_ref();
    check.list_length(&at_names, names, 1..=20);
    for (n, name) in names.into_iter().flatten().enumerate() {
        check.text_length(&at_names.element(n), Some(name), 1..=255);
    }
    ProjectionInput {
        projection_type: check
            .one_of::<ProjectionType>(&path.member("ProjectionType"), given.projection_type.as_ref()),
        non_key_attributes: names.map(|names| names.iter().map(ToString::to_string).collect()),
    }
}

/// Checks an index's name.
pub(crate) fn index_name(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Text<'_>>,
) -> Option<IndexName> {
    let path = path.member("IndexName");
    check.required(&path, given);
    name_constraints(check, &path, given);
    IndexName::new(given?).ok()
}

/// Checks a global index.
pub(crate) fn global_index(
    check: &mut Constraints,
    path: &Path<'_>,
    given: &shapes::GlobalSecondaryIndex<'_>,
) -> Option<GlobalIndexInput> {
    let name = index_name(check, path, given.index_name.as_ref());
    let at_key = path.member("KeySchema");
    key_schema_length(check, &at_key, given.key_schema.as_ref(), GLOBAL_KEY);
    let key_schema = key_schema(check, &at_key, given.key_schema.as_ref());
    let projection = projection(check, &path.member("Projection"), given.projection.as_ref());
    let provisioned_throughput =
        throughput(check, &path.member("ProvisionedThroughput"), given.provisioned_throughput.as_ref());
    let warm_throughput = warm(check, &path.member("WarmThroughput"), given.warm_throughput.as_ref());
    Some(GlobalIndexInput {
        index_name: name?,
        key_schema,
        projection,
        provisioned_throughput,
        on_demand_throughput: on_demand(given.on_demand_throughput.as_ref()),
        warm_throughput,
    })
}

/// Checks global indexes.
pub(crate) fn global_indexes(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Vec<shapes::GlobalSecondaryIndex<'_>>>,
) -> Option<Vec<GlobalIndexInput>> {
    let given = given?;
    let indexes =
        given.iter().enumerate().filter_map(|(n, index)| global_index(check, &path.element(n), index));
    Some(indexes.collect())
}

/// Checks local indexes.
pub(crate) fn local_indexes(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Vec<shapes::LocalSecondaryIndex<'_>>>,
) -> Option<Vec<LocalIndexInput>> {
    let mut indexes = Vec::new();
    for (n, given) in given?.iter().enumerate() {
        let path = path.element(n);
        let index_name = index_name(check, &path, given.index_name.as_ref());
        let at_key = path.member("KeySchema");
        key_schema_length(check, &at_key, given.key_schema.as_ref(), TABLE_KEY);
        let key_schema = key_schema(check, &at_key, given.key_schema.as_ref());
        let projection = projection(check, &path.member("Projection"), given.projection.as_ref());
        indexes.extend(index_name.map(|index_name| LocalIndexInput { index_name, key_schema, projection }));
    }
    Some(indexes)
}

/// Checks a billing mode.
pub(crate) fn billing_mode(
    check: &mut Constraints,
    member: &str,
    given: Option<&Text<'_>>,
) -> Option<BillingMode> {
    check.one_of::<BillingMode>(&at(member), given)
}

/// Checks the billing mode by its two names. `BillingMode` decides, but a malformed `TableThroughputMode` is refused
/// beside it, too.
///
/// The second name is in no service model. That AWS takes it was published as measured on 2026-08-21.
pub(crate) fn throughput_mode(
    check: &mut Constraints,
    billing_mode: Option<&Text<'_>>,
    table_throughput_mode: Option<&Text<'_>>,
) -> Option<BillingMode> {
    let decisive = self::billing_mode(check, "BillingMode", billing_mode);
    let other = self::billing_mode(check, "TableThroughputMode", table_throughput_mode);
    decisive.or(other)
}

/// Checks a stream's switch.
pub(crate) fn stream(
    check: &mut Constraints,
    given: Option<&shapes::StreamSpecification<'_>>,
) -> Option<StreamSpecification> {
    let given = given?;
    let path = at("StreamSpecification");
    check.required(&path.member("StreamEnabled"), given.stream_enabled.as_ref());
    let stream_view_type = check.one_of(&path.member("StreamViewType"), given.stream_view_type.as_ref());
    Some(StreamSpecification { stream_enabled: given.stream_enabled?, stream_view_type })
}

/// Checks server-side encryption.
pub(crate) fn encryption(
    check: &mut Constraints,
    member: &str,
    given: Option<&shapes::SSESpecification<'_>>,
) -> Option<SseSpecification> {
    let given = given?;
    let path = at(member);
    Some(SseSpecification {
        enabled: given.enabled,
        sse_type: check.one_of::<SseType>(&path.member("SSEType"), given.sse_type.as_ref()),
        kms_master_key_id: given.kms_master_key_id.as_ref().map(ToString::to_string),
    })
}

/// Returns tags; an absent key is as bad as an empty one.
pub(crate) fn tags(given: Vec<shapes::Tag<'_>>) -> Vec<Tag> {
    let tag = |tag: shapes::Tag<'_>| Tag {
        key: tag.key.map(Text::into_owned).unwrap_or_default(),
        value: tag.value.map(Text::into_owned),
    };
    given.into_iter().map(tag).collect()
}
