//! `pretender query` and `scan`.

use std::error::Error;

use clap::Args;
use pretender::model::AttributeValue;
use serde_json::{Map, Value, json};

use super::output::{Limit, LimitedPrinter, Output, items_of};
use super::schema::{KeyPart, Schema};
use crate::client::{Api, Connection, Service};

/// Find the items with a partition key, in the order of their sort keys.
#[derive(Args, Debug)]
#[command(after_help = QUERY_EXAMPLES)]
pub(crate) struct Query {
    /// The table, by name or ARN
    table: String,

    /// Value of the partition key of the table, or of the index
    #[arg(allow_negative_numbers = true)]
    partition: String,

    #[command(flatten)]
    sort: SortKey,

    /// Print items in descending order of the sort key
    #[arg(long, short)]
    reverse: bool,

    #[command(flatten)]
    read: Read,

    #[command(flatten)]
    connection: Connection,
}

const QUERY_EXAMPLES: &str = "\
Examples:
  pretender query events sensor-7 --ge 1772356542 --reverse --limit 5
  pretender query orders paid --index by-state
  pretender query orders c7 --filter 'price > :p' --value ':p=10'";

/// Print the items of a table.
#[derive(Args, Debug)]
#[command(after_help = SCAN_EXAMPLES)]
pub(crate) struct Scan {
    /// The table, by name or ARN
    table: String,

    #[command(flatten)]
    read: Read,

    #[command(flatten)]
    connection: Connection,
}

const SCAN_EXAMPLES: &str = "\
Examples:
  pretender scan orders
  pretender scan orders --filter '#s = :s' --name '#s=state' --value ':s=paid'
  pretender scan orders --all --format dynamodb > orders.jsonl";

/// The condition on the sort key.
#[derive(Args, Debug)]
#[group(multiple = false)]
struct SortKey {
    /// Value of the sort key
    #[arg(allow_negative_numbers = true, value_name = "SORT")]
    equals: Option<String>,
    /// The sort key begins with this string
    #[arg(long, value_name = "TEXT")]
    begins_with: Option<String>,
    /// The sort key is between these two values, inclusive
    #[arg(long, num_args = 2, value_names = ["LOW", "HIGH"], allow_negative_numbers = true)]
    between: Option<Vec<String>>,
    /// The sort key is less than this
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    lt: Option<String>,
    /// The sort key is at most this
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    le: Option<String>,
    /// The sort key is greater than this
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    gt: Option<String>,
    /// The sort key is at least this
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    ge: Option<String>,
}

/// The options that both commands share.
#[derive(Args, Debug)]
struct Read {
    /// Read this index instead of the table
    #[arg(long, short, value_name = "NAME")]
    index: Option<String>,

    /// Print only items for which this filter expression is true
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,

    /// A name that the filter uses, such as '#s=state'; can be repeated
    #[arg(long, value_name = "#NAME=ATTRIBUTE", value_parser = parse_pair)]
    name: Vec<(String, String)>,

    /// A value that the filter uses, such as ':p=10' or ':p="10"'; can be repeated
    ///
    /// The value is read as plain JSON or DynamoDB JSON; anything else is taken as a string.
    #[arg(long, value_name = ":NAME=VALUE", value_parser = parse_pair)]
    value: Vec<(String, String)>,

    #[command(flatten)]
    limit: Limit,

    #[command(flatten)]
    output: Output,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Query {
    /// Runs the query.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api(&[&self.table])?;
        let schema = Schema::of(&api, &self.table)?;
        let key = schema.key_of(self.read.index.as_deref())?;
        let mut input = json!({ "TableName": self.table, "ScanIndexForward": !self.reverse });
        let [partition, rest @ ..] = key.as_slice() else { return Err("the description has no key".into()) };
        let mut names = Map::from_iter([("#partition".to_owned(), Value::from(partition.name.as_str()))]);
        let mut values = Map::from_iter([(":partition".to_owned(), partition.value(&self.partition))]);
        let mut condition = "#partition = :partition".to_owned();
        if let Some((text, given)) = self.sort.condition() {
            let Some(sort) = rest.first() else {
                let of = self.read.index.as_deref().unwrap_or(&self.table);
                return Err(format!("`{of}` has no sort key").into());
            };
            condition.push_str(&format!(" AND {text}"));
            names.insert("#sort".to_owned(), sort.name.as_str().into());
            for (place, given) in given.iter().enumerate() {
                values.insert(format!(":sort{place}"), sort.value(given));
            }
        }
        input["KeyConditionExpression"] = condition.into();
        self.read.run(&api, "Query", input, (names, values), &schema, &key)
    }
}

impl SortKey {
    /// Returns the condition as an expression on `#sort`, with its values as `:sort0` and `:sort1`.
    fn condition(&self) -> Option<(&'static str, Vec<&String>)> {
        if let Some(pair) = &self.between {
            return Some(("#sort BETWEEN :sort0 AND :sort1", pair.iter().collect()));
        }
        [
            (&self.equals, "#sort = :sort0"),
            (&self.begins_with, "begins_with(#sort, :sort0)"),
            (&self.lt, "#sort < :sort0"),
            (&self.le, "#sort <= :sort0"),
            (&self.gt, "#sort > :sort0"),
            (&self.ge, "#sort >= :sort0"),
        ]
        .into_iter()
        .find_map(|(given, text)| Some((text, vec![given.as_ref()?])))
    }
}

impl Scan {
    /// Runs the scan.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api(&[&self.table])?;
        let schema = Schema::of(&api, &self.table)?;
        let key = schema.key_of(self.read.index.as_deref())?;
        let input = json!({ "TableName": self.table });
        self.read.run(&api, "Scan", input, (Map::new(), Map::new()), &schema, &key)
    }
}

impl Read {
    /// Reads and prints page by page. `names` and `values` are those of the key condition.
    fn run(
        &self,
        api: &Api,
        operation: &str,
        mut input: Value,
        (mut names, mut values): (Map<String, Value>, Map<String, Value>),
        schema: &Schema,
        key: &[KeyPart],
    ) -> Result<(), Box<dyn Error>> {
        if let Some(index) = &self.index {
            input["IndexName"] = index.as_str().into();
        }
        if let Some(filter) = &self.filter {
            input["FilterExpression"] = filter.as_str().into();
        }
        for (name, attribute) in &self.name {
            insert_new(&mut names, name, attribute.as_str().into())?;
        }
        for (name, text) in &self.value {
            insert_new(&mut values, name, value_of(text)?)?;
        }
        if !names.is_empty() {
            input["ExpressionAttributeNames"] = names.into();
        }
        if !values.is_empty() {
            input["ExpressionAttributeValues"] = values.into();
        }
        let mut columns: Vec<String> = key.iter().map(|part| part.name.clone()).collect();
        columns.extend(
            schema
                .key()
                .into_iter()
                .map(|part| part.name)
                .filter(|name| !key.iter().any(|part| part.name == *name)),
        );
        self.print_pages(api, operation, input, LimitedPrinter::new(self.output, self.limit, columns))
    }

    fn print_pages(
        &self,
        api: &Api,
        operation: &str,
        mut input: Value,
        mut printer: LimitedPrinter,
    ) -> Result<(), Box<dyn Error>> {
        loop {
            // One item more than needed shows whether the output is cut. With a filter, a page of that many items may contain
            // none that matches.
            if self.filter.is_none()
                && let Some(left) = printer.left()
            {
                input["Limit"] = left.saturating_add(1).into();
            }
            let answer = api.call(Service::DynamoDb, operation, &input)?;
            let last = answer.get("LastEvaluatedKey");
            match printer.page(items_of(&answer)?, last.is_some()) {
                Ok(true) => {}
                Ok(false) => break,
                Err(closed) => return closed.unless_gone(),
            }
            input["ExclusiveStartKey"] = last.cloned().unwrap_or_default();
        }
        printer.end();
        Ok(())
    }
}

/// Adds a name or value of an expression. Each may be given only once, and the key condition has some of its own.
fn insert_new(map: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), String> {
    if map.insert(name.to_owned(), value).is_some() {
        return Err(format!("`{name}` is given twice, or is used for the key: choose another name"));
    }
    Ok(())
}

/// Reads a value of an expression: plain JSON, DynamoDB JSON, or otherwise a string.
pub(super) fn value_of(text: &str) -> Result<Value, Box<dyn Error>> {
    let value = match AttributeValue::from_json(text).or_else(|_| AttributeValue::from_plain_json(text)) {
        Ok(value) => value,
        Err(_) => AttributeValue::S(text.to_owned()),
    };
    Ok(serde_json::from_str(&value.to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_or_texts() {
        for (text, expected) in [
            ("10", json!({ "N": "10" })),
            ("\"10\"", json!({ "S": "10" })),
            ("paid", json!({ "S": "paid" })),
            ("o-1 x", json!({ "S": "o-1 x" })),
            ("true", json!({ "BOOL": true })),
            (r#"{"SS":["a"]}"#, json!({ "SS": ["a"] })),
            (r#"{"city":"x"}"#, json!({ "M": { "city": { "S": "x" } } })),
        ] {
            assert_eq!(value_of(text).unwrap(), expected, "{text}");
        }
        assert_eq!(parse_pair(":a=b=c"), Ok((":a".to_owned(), "b=c".to_owned())));
        assert!(parse_pair(":a").is_err());
    }
}
