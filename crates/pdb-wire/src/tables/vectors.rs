//! Vector indexes in requests and descriptions.

use pdb_model::{DistanceFunction, SearchRole, VectorIndex};
use pretender::tables::{SearchSchemaElement, VectorIndexDescription, VectorIndexInput};

use super::describe::write_projection;
use super::{input, shapes};
use crate::constraint::{Constraints, Path};
use crate::json::JsonWriter;

/// Checks vector indexes.
pub(crate) fn vector_indexes(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Vec<shapes::VectorIndex<'_>>>,
) -> Option<Vec<VectorIndexInput>> {
    let given = given?;
    let indexes =
        given.iter().enumerate().filter_map(|(n, index)| vector_index(check, &path.element(n), index));
    Some(indexes.collect())
}

/// Checks a vector index. The order of the checks is AWS's.
pub(crate) fn vector_index(
    check: &mut Constraints,
    path: &Path<'_>,
    given: &shapes::VectorIndex<'_>,
) -> Option<VectorIndexInput> {
    let index_name = input::index_name(check, path, given.index_name.as_ref());
    let at_attribute = path.member("VectorAttribute");
    check.required(&at_attribute, given.vector_attribute.as_ref());
    let attribute = given.vector_attribute.as_ref().and_then(|attribute| {
        input::key_attribute_name(check, &at_attribute, attribute.attribute_name.as_ref());
        attribute.attribute_name.as_ref()
    });
    let search_schema = search_schema(check, &path.member("SearchSchema"), given.search_schema.as_ref());
    let projection = input::projection(check, &path.member("Projection"), given.projection.as_ref());
    let at_dimensions = path.member("Dimensions");
    check.required(&at_dimensions, given.dimensions.as_ref());
    check.range(&at_dimensions, given.dimensions, 1..=i64::MAX);
    let at_function = path.member("DistanceFunction");
    check.required(&at_function, given.distance_function.as_ref());
    let function = check.one_of::<DistanceFunction>(&at_function, given.distance_function.as_ref());
    Some(VectorIndexInput {
        index_name: index_name?,
        vector_attribute: attribute?.to_string(),
        dimensions: u64::try_from(given.dimensions?).ok()?,
        distance_function: function?,
        search_schema,
        projection,
    })
}

fn search_schema(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&Vec<shapes::SearchSchemaElement<'_>>>,
) -> Option<Vec<SearchSchemaElement>> {
    check.list_length(path, given, 1..=usize::MAX);
    let mut schema = Vec::new();
    for (n, element) in given?.iter().enumerate() {
        let path = path.element(n);
        let at_name = path.member("AttributeName");
        check.required(&at_name, element.attribute_name.as_ref());
        // In the model it may be longer than the names of definitions, but it must be one of them.
        check.text_length(&at_name, element.attribute_name.as_ref(), 0..=65_535);
        let at_type = path.member("SearchSchemaElementType");
        let given = element.search_schema_element_type.as_ref();
        check.required(&at_type, given);
        let role = check.one_of::<SearchRole>(&at_type, given);
        if let (Some(name), Some(role)) = (&element.attribute_name, role) {
            schema.push(SearchSchemaElement { attribute_name: name.to_string(), role });
        }
    }
    Some(schema)
}

/// Writes a vector index of the description of a table.
pub(crate) fn write_vector_index(json: &mut JsonWriter, described: &VectorIndexDescription) {
    json.object(|json| {
        write_members(json, &described.index);
        json.name("IndexStatus").text(described.index_status.as_str());
        if let Some(backfilling) = described.backfilling {
            json.name("Backfilling").boolean(backfilling);
        }
        json.name("IndexSizeBytes").integer(described.index_size_bytes);
        json.name("ItemCount").integer(described.item_count);
        json.name("IndexArn").text(&described.index_arn);
    });
}

/// Writes a vector index of the description of a backup.
pub(crate) fn write_vector_index_info(json: &mut JsonWriter, described: &VectorIndexDescription) {
    json.object(|json| write_members(json, &described.index));
}

/// Writes what an index is.
fn write_members(json: &mut JsonWriter, index: &VectorIndex) {
    json.name("IndexName").text(index.name.as_str());
    if !index.search_schema.is_empty() {
        json.name("SearchSchema").list(&index.search_schema, |json, element| {
            json.object(|json| {
                json.name("AttributeName").text(&element.attribute.name);
                json.name("SearchSchemaElementType").text(element.role.as_str());
            });
        });
    }
    write_projection(json, &index.projection);
    json.name("VectorAttribute").object(|json| json.name("AttributeName").text(&index.vector_attribute));
    json.name("Dimensions").integer(index.dimensions);
    json.name("DistanceFunction").text(index.distance_function.as_str());
}
