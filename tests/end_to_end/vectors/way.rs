//! The operations on vector indexes, through the typed library and over HTTP.

use std::collections::BTreeMap;

use pretender::Pretender;
use pretender::items::{
    ConsumedCapacity, PutItemInput, ReturnConsumedCapacity, SearchVectorsInput, SearchVectorsOutput,
    UpdateItemInput,
};
use pretender::model::{AttributeValue, Item, TableName};
use pretender::tables::{
    BillingMode, CreateTableInput, DistanceFunction, ProjectionInput, SearchSchemaElement, TableDescription,
    UpdateTableInput, VectorIndexInput,
};
use serde_json::{Value, json};

use crate::driver::{Failure, World};
use crate::http::Http;

pub(crate) const TABLE: &str = "Articles";

/// A way to the database.
pub(crate) enum Way {
    Library(Pretender),
    Http(Http),
}

/// Plays a scenario in a world of its own for each way to the database.
pub(crate) fn play(scenario: impl Fn(&Way)) {
    play_in(World::new, |_, way| scenario(way));
}

/// The same, in worlds made so.
pub(crate) fn play_in(make: impl Fn() -> World, scenario: impl Fn(&World, &Way)) {
    let world = make();
    scenario(&world, &Way::Library(world.db.clone()));
    let world = make();
    scenario(&world, &Way::Http(Http::new(world.db.clone())));
}

/// An index of three dimensions.
pub(crate) fn index(name: &str, function: DistanceFunction) -> VectorIndexInput {
    VectorIndexInput::new(name.parse().unwrap(), "embedding", 3, function)
}

/// The index `plain` of the specification's cases.
pub(crate) fn plain() -> VectorIndexInput {
    index("plain", DistanceFunction::Cosine)
}

/// The index `schema` of the specification's cases.
pub(crate) fn with_schema() -> VectorIndexInput {
    let search_schema =
        Some(vec![SearchSchemaElement::hash("tenant"), SearchSchemaElement::inline_filter("category")]);
    VectorIndexInput { search_schema, ..index("schema", DistanceFunction::Cosine) }
}

/// An on-demand table with these indexes, whose key is `pk`, and definitions of these texts beside it.
pub(crate) fn table(defined: &[&str], indexes: Vec<VectorIndexInput>) -> CreateTableInput {
    use pretender::model::ScalarType;
    use pretender::tables::AttributeDefinition;
    let mut input = CreateTableInput::new(TABLE.parse().unwrap(), ("pk", ScalarType::S), None);
    input.attribute_definitions.extend(
        defined
            .iter()
            .map(|name| AttributeDefinition { name: (*name).to_owned(), scalar_type: ScalarType::S }),
    );
    input.vector_indexes = Some(indexes);
    input
}

/// An input that changes nothing yet.
pub(crate) fn change() -> UpdateTableInput {
    UpdateTableInput::new(TABLE.parse().unwrap())
}

/// A list of numbers.
pub(crate) fn vector(elements: &[&str]) -> AttributeValue {
    AttributeValue::L(numbers(elements))
}

fn numbers(elements: &[&str]) -> Vec<AttributeValue> {
    elements.iter().map(|element| AttributeValue::N(element.parse().unwrap())).collect()
}

/// An item with a vector.
pub(crate) fn item(pk: &str, elements: &[&str]) -> Item {
    Item::new().with("pk", pk).with("embedding", vector(elements))
}

/// A search for a vector.
pub(crate) fn search(index: &str, elements: &[&str], top_k: u32) -> SearchVectorsInput {
    SearchVectorsInput::new(TABLE.parse().unwrap(), index.parse().unwrap(), numbers(elements), top_k)
}

/// The same with a condition, whose values are texts.
pub(crate) fn search_if(condition: &str, values: &[(&str, &str)]) -> SearchVectorsInput {
    SearchVectorsInput {
        search_condition_expression: Some(condition.to_owned()),
        expression_attribute_values: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect(),
        ..search("schema", &["1", "0", "0"], 10)
    }
}

/// The units that a write consumed, and the bytes of each vector index.
pub(crate) type Consumed = (f64, BTreeMap<String, f64>);

/// What came of a search: keys and scores, or the error.
pub(crate) type Found = Result<Vec<(String, f64)>, Failure>;

impl Way {
    pub(crate) fn create(&self, input: CreateTableInput) -> Result<(), Failure> {
        match self {
            Self::Library(db) => Ok(db.create_table(input).map(drop)?),
            Self::Http(http) => http.table("CreateTable", &create_json(&input)).map(drop),
        }
    }

    /// Changes the table; returns the members `TableStatus` and `VectorIndexes`.
    pub(crate) fn update(&self, input: UpdateTableInput) -> Result<Value, Failure> {
        match self {
            Self::Library(db) => Ok(description_json(&db.update_table(input)?)),
            Self::Http(http) => {
                Ok(members(&http.table("UpdateTable", &update_json(&input))?["TableDescription"]))
            }
        }
    }

    pub(crate) fn delete_table(&self) -> Result<(), Failure> {
        match self {
            Self::Library(db) => Ok(db.delete_table(&name()).map(drop)?),
            Self::Http(http) => http.table("DeleteTable", &json!({ "TableName": TABLE })).map(drop),
        }
    }

    /// Returns the members `TableStatus` and `VectorIndexes`.
    pub(crate) fn describe(&self, table: &str) -> Value {
        match self {
            Self::Library(db) => description_json(&db.describe_table(&table.parse().unwrap()).unwrap()),
            Self::Http(http) => {
                members(&http.table("DescribeTable", &json!({ "TableName": table })).unwrap()["Table"])
            }
        }
    }

    pub(crate) fn put(&self, item: Item) -> Result<(), Failure> {
        self.put_reporting(item, ReturnConsumedCapacity::None).map(drop)
    }

    /// Puts an item; returns the capacity that was consumed: the units, and the bytes of each vector index.
    pub(crate) fn put_reporting(
        &self,
        item: Item,
        detail: ReturnConsumedCapacity,
    ) -> Result<Option<Consumed>, Failure> {
        match self {
            Self::Library(db) => {
                let input =
                    PutItemInput { return_consumed_capacity: detail, ..PutItemInput::new(name(), item) };
                Ok(db.put_item(input)?.consumed_capacity.as_ref().map(of_capacity))
            }
            Self::Http(http) => {
                let body = json!({ "TableName": TABLE, "Item": json_of(&item), "ReturnConsumedCapacity": shown(detail) });
                Ok(http.table("PutItem", &body)?.get("ConsumedCapacity").map(of_capacity_json))
            }
        }
    }

    pub(crate) fn update_item(
        &self,
        pk: &str,
        expression: &str,
        value: AttributeValue,
    ) -> Result<(), Failure> {
        let key = Item::new().with("pk", pk);
        match self {
            Self::Library(db) => Ok(db
                .update_item(UpdateItemInput {
                    update_expression: Some(expression.to_owned()),
                    expression_attribute_values: [(":v".to_owned(), value)].into(),
                    ..UpdateItemInput::new(name(), key)
                })
                .map(drop)?),
            Self::Http(http) => {
                let body = json!({
                    "TableName": TABLE, "Key": json_of(&key), "UpdateExpression": expression,
                    "ExpressionAttributeValues": { ":v": parsed(&value.to_string()) },
                });
                http.table("UpdateItem", &body).map(drop)
            }
        }
    }

    /// Searches; returns the items as they are sent, and their scores.
    pub(crate) fn search_items(&self, input: SearchVectorsInput) -> Result<Vec<(Value, f64)>, Failure> {
        match self {
            Self::Library(db) => {
                let SearchVectorsOutput { search_results, .. } = db.search_vectors(input)?;
                Ok(search_results.iter().map(|found| (parsed(found.item.json()), found.score)).collect())
            }
            Self::Http(http) => {
                let answer = http.table("SearchVectors", &search_json(&input))?;
                let results = answer["SearchResults"].as_array().unwrap().iter();
                Ok(results.map(|found| (found["Item"].clone(), found["Score"].as_f64().unwrap())).collect())
            }
        }
    }

    /// Searches; returns the keys and their scores.
    pub(crate) fn search(&self, input: SearchVectorsInput) -> Found {
        let found = self.search_items(input)?;
        Ok(found
            .into_iter()
            .map(|(item, score)| (item["pk"]["S"].as_str().unwrap().to_owned(), score))
            .collect())
    }

    /// Searches; returns the keys, or the error.
    pub(crate) fn show(&self, input: SearchVectorsInput) -> String {
        match self.search(input) {
            Ok(found) => found.into_iter().map(|(key, _)| key).collect::<Vec<_>>().join(" "),
            Err(failure) => show(&failure),
        }
    }

    /// Searches; returns the member `ConsumedCapacity`.
    pub(crate) fn search_capacity(&self, input: SearchVectorsInput) -> Option<f64> {
        match self {
            Self::Library(db) => {
                let capacity = db.search_vectors(input).unwrap().consumed_capacity?;
                assert_eq!(capacity.vector_write_request_bytes, None);
                capacity.vector_search_request_bytes.map(|bytes| bytes as f64)
            }
            Self::Http(http) => {
                let answer = http.table("SearchVectors", &search_json(&input)).unwrap();
                let capacity = answer.get("ConsumedCapacity")?.as_object().unwrap().clone();
                assert_eq!(capacity.len(), 1, "{capacity:?}");
                capacity["VectorSearchRequestBytes"].as_f64()
            }
        }
    }
}

pub(crate) fn show(failure: &Failure) -> String {
    format!("{}: {}", failure.code, failure.message)
}

fn name() -> TableName {
    TABLE.parse().unwrap()
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn json_of(item: &Item) -> Value {
    parsed(&item.to_string())
}

fn shown(detail: ReturnConsumedCapacity) -> &'static str {
    match detail {
        ReturnConsumedCapacity::None => "NONE",
        ReturnConsumedCapacity::Total => "TOTAL",
        ReturnConsumedCapacity::Indexes => "INDEXES",
    }
}

fn of_capacity(capacity: &ConsumedCapacity) -> Consumed {
    let indexes = capacity.vector_indexes.iter();
    let bytes = indexes.map(|(name, of)| (name.to_string(), of.vector_write_request_bytes.unwrap() as f64));
    (capacity.total.capacity_units.as_f64(), bytes.collect())
}

fn of_capacity_json(capacity: &Value) -> Consumed {
    let indexes = capacity.get("VectorIndexes").and_then(Value::as_object).into_iter().flatten();
    let bytes = indexes.map(|(name, of)| (name.clone(), of["VectorWriteRequestBytes"].as_f64().unwrap()));
    (capacity["CapacityUnits"].as_f64().unwrap(), bytes.collect())
}

fn projection_json(projection: &ProjectionInput) -> Value {
    use pretender::tables::ProjectionType;
    let mut json = match projection.projection_type.unwrap() {
        ProjectionType::All => json!({ "ProjectionType": "ALL" }),
        ProjectionType::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
        ProjectionType::Include => json!({ "ProjectionType": "INCLUDE" }),
    };
    if let Some(names) = &projection.non_key_attributes {
        json["NonKeyAttributes"] = json!(names);
    }
    json
}

pub(crate) fn index_json(index: &VectorIndexInput) -> Value {
    let mut json = json!({
        "IndexName": index.index_name.as_str(),
        "VectorAttribute": { "AttributeName": index.vector_attribute },
        "Dimensions": index.dimensions,
        "DistanceFunction": index.distance_function.as_str(),
        "Projection": projection_json(&index.projection),
    });
    if let Some(schema) = &index.search_schema {
        let element = |element: &SearchSchemaElement| json!({ "AttributeName": element.attribute_name, "SearchSchemaElementType": element.role.as_str() });
        json["SearchSchema"] = schema.iter().map(element).collect();
    }
    json
}

fn definitions_json(input: &[pretender::tables::AttributeDefinition]) -> Value {
    input
        .iter()
        .map(|of| json!({ "AttributeName": of.name, "AttributeType": of.scalar_type.name() }))
        .collect()
}

fn key_json(elements: &[pretender::tables::KeySchemaElement]) -> Value {
    elements
        .iter()
        .map(|of| json!({ "AttributeName": of.attribute_name, "KeyType": of.key_type.as_str() }))
        .collect()
}

fn units_json(units: pretender::tables::ThroughputInput) -> Value {
    json!({ "ReadCapacityUnits": units.read_capacity_units, "WriteCapacityUnits": units.write_capacity_units })
}

fn global_json(index: &pretender::tables::GlobalIndexInput) -> Value {
    json!({
        "IndexName": index.index_name.as_str(),
        "KeySchema": key_json(&index.key_schema),
        "Projection": projection_json(&index.projection),
    })
}

fn create_json(input: &CreateTableInput) -> Value {
    let mut body = json!({
        "TableName": input.table_name.as_str(),
        "AttributeDefinitions": definitions_json(&input.attribute_definitions),
        "KeySchema": key_json(&input.key_schema),
        "BillingMode": input.billing_mode.unwrap_or(BillingMode::Provisioned).as_str(),
    });
    if let Some(indexes) = &input.vector_indexes {
        body["VectorIndexes"] = indexes.iter().map(index_json).collect();
    }
    if let Some(indexes) = &input.global_secondary_indexes {
        body["GlobalSecondaryIndexes"] = indexes.iter().map(global_json).collect();
    }
    if let Some(units) = input.provisioned_throughput {
        body["ProvisionedThroughput"] = units_json(units);
    }
    body
}

fn update_json(input: &UpdateTableInput) -> Value {
    let mut body = json!({ "TableName": TABLE });
    if let Some(definitions) = &input.attribute_definitions {
        body["AttributeDefinitions"] = definitions_json(definitions);
    }
    if let Some(mode) = input.billing_mode {
        body["BillingMode"] = mode.as_str().into();
    }
    if let Some(units) = input.provisioned_throughput {
        body["ProvisionedThroughput"] = units_json(units);
    }
    if let Some(updates) = &input.global_secondary_index_updates {
        let creates = updates.iter().flat_map(|update| &update.create);
        body["GlobalSecondaryIndexUpdates"] =
            creates.map(|create| json!({ "Create": global_json(create) })).collect();
    }
    if let Some(updates) = &input.vector_index_updates {
        let update_json = |update: &pretender::tables::VectorIndexUpdate| {
            let mut json = json!({});
            if let Some(create) = &update.create {
                json["Create"] = index_json(create);
            }
            if let Some(delete) = &update.delete {
                json["Delete"] = json!({ "IndexName": delete.as_str() });
            }
            json
        };
        body["VectorIndexUpdates"] = updates.iter().map(update_json).collect();
    }
    body
}

fn search_json(input: &SearchVectorsInput) -> Value {
    let mut body = json!({
        "TableName": input.table_name.as_str(),
        "IndexName": input.index_name.as_str(),
        "SearchVector": input.search_vector.iter().map(|of| parsed(&of.to_string())).collect::<Value>(),
        "TopK": input.top_k,
        "ReturnConsumedCapacity": shown(input.return_consumed_capacity),
    });
    if let Some(condition) = &input.search_condition_expression {
        body["SearchConditionExpression"] = condition.as_str().into();
    }
    if let Some(projection) = &input.projection_expression {
        body["ProjectionExpression"] = projection.as_str().into();
    }
    if !input.expression_attribute_names.is_empty() {
        body["ExpressionAttributeNames"] = json!(input.expression_attribute_names);
    }
    if !input.expression_attribute_values.is_empty() {
        let values = input.expression_attribute_values.iter();
        let values = values.map(|(name, value)| (name.clone(), parsed(&value.to_string())));
        body["ExpressionAttributeValues"] = Value::Object(values.collect());
    }
    body
}

/// What a description says of the table's state and its vector indexes.
fn members(description: &Value) -> Value {
    json!({
        "TableStatus": description["TableStatus"],
        "VectorIndexes": description.get("VectorIndexes").cloned().unwrap_or_else(|| json!([])),
    })
}

fn description_json(description: &TableDescription) -> Value {
    let index_json = |of: &pretender::tables::VectorIndexDescription| {
        let index = VectorIndexInput {
            index_name: of.index.name.clone(),
            vector_attribute: of.index.vector_attribute.clone(),
            dimensions: of.index.dimensions.into(),
            distance_function: of.index.distance_function,
            search_schema: (!of.index.search_schema.is_empty()).then(|| {
                let elements = of.index.search_schema.iter();
                let element = |element: &pretender::tables::SearchAttribute| SearchSchemaElement {
                    attribute_name: element.attribute.name.clone(),
                    role: element.role,
                };
                elements.map(element).collect()
            }),
            projection: projection_input(&of.index.projection),
        };
        let mut json = index_json(&index);
        json["IndexStatus"] = of.index_status.as_str().into();
        json["IndexSizeBytes"] = of.index_size_bytes.into();
        json["ItemCount"] = of.item_count.into();
        json["IndexArn"] = of.index_arn.as_str().into();
        if let Some(backfilling) = of.backfilling {
            json["Backfilling"] = backfilling.into();
        }
        json
    };
    json!({
        "TableStatus": description.table_status.as_str(),
        "VectorIndexes": description.vector_indexes.iter().map(index_json).collect::<Value>(),
    })
}

fn projection_input(projection: &pretender::tables::Projection) -> ProjectionInput {
    use pretender::tables::{Projection, ProjectionType};
    match projection {
        Projection::All => ProjectionInput::of(ProjectionType::All),
        Projection::KeysOnly => ProjectionInput::of(ProjectionType::KeysOnly),
        Projection::Include(names) => ProjectionInput::include(names.clone()),
    }
}
