//! From a search to the input of `Query` or `Scan`.

use pdb_model::{AttributeValue, Item};
use serde_json::{Map, Value, json};

use super::search::{Filter, Search, SortCondition};
use crate::placeholders::Placeholders;
use crate::schema::{KeyAttribute, Keys, Schema};

/// A call that reads items.
#[derive(Debug)]
pub(super) struct Read {
    /// `Query` or `Scan`.
    pub(super) operation: &'static str,
    /// Its input, as a person would write it.
    pub(super) input: Value,
}

impl Read {
    /// Returns the call of a search.
    ///
    /// # Errors
    ///
    /// A text for people, about what they have typed.
    pub(super) fn of(search: &Search, schema: &Schema) -> Result<Self, String> {
        let keys = if search.index.is_empty() {
            &schema.keys
        } else {
            let index = schema.index(&search.index);
            &index.ok_or_else(|| format!("The table has no index `{}`.", search.index))?.keys
        };
        let mut placeholders = Placeholders::with(
            placeholders("names", &search.names, names)?,
            placeholders("values", &search.values, values)?,
        );
        let mut input = json!({ "TableName": schema.table, "Limit": limit(&search.limit)? });
        if !search.index.is_empty() {
            input["IndexName"] = search.index.as_str().into();
        }
        let is_query = search.is_query();
        if is_query {
            input["KeyConditionExpression"] = key_condition(search, keys, &mut placeholders)?.into();
            if search.descending {
                input["ScanIndexForward"] = false.into();
            }
        } else if search.sort.iter().any(|condition| !condition.operator.is_empty()) {
            return Err("A condition on the sort key needs a value of the partition key.".to_owned());
        }
        if let Some(filter) = filter_expression(search, &mut placeholders)? {
            input["FilterExpression"] = filter.into();
        }
        if search.consistent {
            input["ConsistentRead"] = true.into();
        }
        if !search.start.is_empty() {
            let start = serde_json::from_str::<Value>(&search.start);
            input["ExclusiveStartKey"] =
                start.map_err(|error| format!("The start of the page is not JSON: {error}"))?;
        }
        placeholders.add_to(&mut input);
        Ok(Self { operation: if is_query { "Query" } else { "Scan" }, input })
    }
}

fn limit(limit: &str) -> Result<u32, String> {
    match limit.parse() {
        Ok(limit @ 1..=1000) => Ok(limit),
        _ => Err("The number of items on a page is between 1 and 1000.".to_owned()),
    }
}

fn key_condition(search: &Search, keys: &Keys, placeholders: &mut Placeholders) -> Result<String, String> {
    let mut conditions = Vec::new();
    for (index, key) in keys.partition.iter().enumerate() {
        let value = search.partition.get(index).map(String::as_str).unwrap_or_default();
        conditions.push(comparison(key, "=", value, placeholders));
    }
    for (index, key) in keys.sort.iter().enumerate() {
        match search.sort.get(index) {
            Some(condition) if !condition.operator.is_empty() => {
                conditions.push(sort_condition(key, condition, placeholders)?);
            }
            _ => {}
        }
    }
    Ok(conditions.join(" AND "))
}

fn comparison(key: &KeyAttribute, operator: &str, value: &str, placeholders: &mut Placeholders) -> String {
    format!("{} {operator} {}", placeholders.name(&key.name), placeholders.value(key.value(value)))
}

fn sort_condition(
    key: &KeyAttribute,
    condition: &SortCondition,
    placeholders: &mut Placeholders,
) -> Result<String, String> {
    match condition.operator.as_str() {
        operator @ ("=" | "<" | "<=" | ">" | ">=") => {
            Ok(comparison(key, operator, &condition.value, placeholders))
        }
        "begins_with" => {
            let name = placeholders.name(&key.name);
            Ok(format!("begins_with({name}, {})", placeholders.value(key.value(&condition.value))))
        }
        "between" => {
            let start = comparison(key, "BETWEEN", &condition.value, placeholders);
            Ok(format!("{start} AND {}", placeholders.value(key.value(&condition.end))))
        }
        other => Err(format!("There is no condition `{other}` for a sort key.")),
    }
}

/// Returns the conditions of the form and the expression together.
fn filter_expression(search: &Search, placeholders: &mut Placeholders) -> Result<Option<String>, String> {
    let mut conditions = Vec::new();
    for filter in &search.filters {
        conditions.push(filter_condition(filter, placeholders)?);
    }
    let expression = search.expression.trim();
    if !expression.is_empty() {
        conditions.push(if conditions.is_empty() {
            expression.to_owned()
        } else {
            format!("({expression})")
        });
    }
    Ok((!conditions.is_empty()).then(|| conditions.join(" AND ")))
}

fn filter_condition(filter: &Filter, placeholders: &mut Placeholders) -> Result<String, String> {
    let path = placeholders.path(&filter.attribute)?;
    let mut value = || Ok::<_, String>(placeholders.value(typed_value(filter)?));
    Ok(match filter.operator.as_str() {
        operator @ ("=" | "<>" | "<" | "<=" | ">" | ">=") => format!("{path} {operator} {}", value()?),
        function @ ("begins_with" | "contains") => format!("{function}({path}, {})", value()?),
        "not contains" => format!("NOT contains({path}, {})", value()?),
        "exists" => format!("attribute_exists({path})"),
        "not exists" => format!("attribute_not_exists({path})"),
        other => return Err(format!("There is no condition `{other}` for a filter.")),
    })
}

/// Returns the value of a filter in DynamoDB JSON.
fn typed_value(filter: &Filter) -> Result<Value, String> {
    let value = filter.value.as_str();
    match filter.value_type.as_str() {
        "S" => Ok(json!({ "S": value })),
        kind @ ("N" | "B") => Ok(json!({ kind: value.trim() })),
        "BOOL" => match value.trim() {
            "true" => Ok(json!({ "BOOL": true })),
            "false" => Ok(json!({ "BOOL": false })),
            _ => Err(format!("The value for `{}` is true or false.", filter.attribute)),
        },
        "NULL" => Ok(json!({ "NULL": true })),
        "JSON" => {
            plain_value(value).map_err(|error| format!("The value for `{}`: {error}", filter.attribute))
        }
        other => Err(format!("There is no type `{other}` for a value.")),
    }
}

fn plain_value(json: &str) -> Result<Value, String> {
    let value = AttributeValue::from_plain_json(json).map_err(|error| error.to_string())?;
    let item: Item = [("value".to_owned(), value)].into_iter().collect();
    let mut typed: Value = serde_json::from_str(&item.to_string()).map_err(|error| error.to_string())?;
    Ok(typed["value"].take())
}

/// Reads placeholders that a person has typed as a JSON object; none if nothing was typed.
fn placeholders(
    what: &str,
    json: &str,
    read: fn(&str) -> Result<Map<String, Value>, String>,
) -> Result<Map<String, Value>, String> {
    if json.trim().is_empty() {
        return Ok(Map::new());
    }
    read(json).map_err(|error| format!("The {what} of the filter expression: {error}"))
}

fn names(json: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

/// Reads values in DynamoDB JSON or in plain JSON.
fn values(json: &str) -> Result<Map<String, Value>, String> {
    let item = Item::from_any_json(json).map_err(|error| error.to_string())?;
    serde_json::from_str(&item.to_string()).map_err(|error| error.to_string())
}
