//! `pretender get`, `put` and `delete`.

use std::error::Error;
use std::io::{IsTerminal, Read};

use clap::Args;
use pretender::model::Item;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::output::{Closed, Format, ItemPrinter, Output, print};
use super::schema::{Schema, read_item, typed};
use crate::client::{Api, Connection, Service};
use crate::quantity::counted;

/// The word for standard input.
const STANDARD_INPUT: &str = "-";

/// Get an item by its key.
///
/// The exit code is 1 if the item does not exist.
#[derive(Args, Debug)]
#[command(after_help = GET_EXAMPLES)]
pub(crate) struct Get {
    /// The table, by name or ARN
    table: String,

    /// The key: the value of the partition key and, if the table has one, of the sort key; or both as one JSON object
    #[arg(required = true, allow_negative_numbers = true)]
    key: Vec<String>,

    /// Print only these attributes or parts of them, as a projection expression: 'total, address.city'
    #[arg(long, value_name = "EXPRESSION")]
    projection: Option<String>,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    connection: Connection,
}

const GET_EXAMPLES: &str = "\
Examples:
  pretender get orders o1
  pretender get events sensor-7 1772356542
  pretender get orders '{\"id\": \"o1\"}' --format dynamodb";

/// Put one item, or many from standard input.
#[derive(Args, Debug)]
#[command(after_help = PUT_EXAMPLES)]
pub(crate) struct Put {
    /// The table, by name or ARN
    table: String,

    /// The item, as plain JSON or DynamoDB JSON; "-" reads items from standard input, one after the other or in an array
    item: String,

    /// Fail if an item with this key exists
    #[arg(long)]
    new: bool,

    #[command(flatten)]
    connection: Connection,
}

const PUT_EXAMPLES: &str = "\
Examples:
  pretender put orders '{\"id\": \"o1\", \"total\": 42}'
  pretender put orders '{\"id\": {\"S\": \"o1\"}, \"tags\": {\"SS\": [\"a\", \"b\"]}}'
  pretender scan orders --all --format dynamodb | pretender put copy -";

/// Delete an item by its key.
#[derive(Args, Debug)]
#[command(after_help = DELETE_EXAMPLES)]
pub(crate) struct Delete {
    /// The table, by name or ARN
    table: String,

    /// The key: the value of the partition key and, if the table has one, of the sort key; or both as one JSON object
    #[arg(required = true, allow_negative_numbers = true)]
    key: Vec<String>,

    #[command(flatten)]
    connection: Connection,
}

const DELETE_EXAMPLES: &str = "\
Examples:
  pretender delete orders o1
  pretender delete events '{\"sensor\": \"sensor-7\", \"at\": 1772356542}'";

impl Get {
    /// Gets.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api(&[&self.table])?;
        let schema = Schema::of(&api, &self.table)?;
        let mut input =
            json!({ "TableName": self.table, "Key": schema.read_key(&self.key)?, "ConsistentRead": true });
        if let Some(projection) = self.projection {
            input["ProjectionExpression"] = projection.into();
        }
        let answer = api.call(Service::DynamoDb, "GetItem", &input)?;
        let Some(item) = answer.get("Item") else {
            return Err(format!("`{}` has no item with the key {}", self.table, self.key.join(" ")).into());
        };
        let item = Item::from_json(&item.to_string())?;
        if self.output.format() == Format::Table {
            return print(&tree(&item)?).or_else(Closed::unless_gone);
        }
        ItemPrinter::new(self.output, Vec::new()).page(&[item]).or_else(Closed::unless_gone)
    }
}

/// Formats one item for people, as JSON over several lines.
fn tree(item: &Item) -> Result<String, serde_json::Error> {
    let mut lines = Vec::new();
    for (name, value) in item.iter() {
        let mut plain = String::new();
        value.write_plain_json(&mut plain);
        // Keep numbers as text: a JSON value would lose digits.
        let nested = plain.starts_with(['{', '[']) && plain.len() > 60;
        let shown = if nested { indented(&plain)? } else { plain };
        lines.push(format!("  {}: {shown}", serde_json::to_string(name)?));
    }
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}

/// Breaks an array or an object into lines, one for each element or member.
fn indented(json: &str) -> Result<String, serde_json::Error> {
    let mut lines = Vec::new();
    let (open, close) = if json.starts_with('[') { ('[', ']') } else { ('{', '}') };
    if open == '[' {
        let elements: Vec<&RawValue> = serde_json::from_str(json)?;
        lines.extend(elements.into_iter().map(|element| format!("    {}", element.get())));
    } else {
        let members: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
        for (name, value) in members {
            lines.push(format!("    {}: {}", serde_json::to_string(&name)?, value.get()));
        }
    }
    Ok(format!("{open}\n{}\n  {close}", lines.join(",\n")))
}

impl Put {
    /// Puts.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api(&[&self.table])?;
        let schema = Schema::of(&api, &self.table)?;
        let condition = self.new.then(|| schema.key().first().map(|part| part.name.clone())).flatten();
        if self.item != STANDARD_INPUT {
            self.put(&api, &read_item(&self.item)?, condition.as_deref())?;
            return print("Put 1 item.\n").or_else(Closed::unless_gone);
        }
        let mut stdin = std::io::stdin();
        if stdin.is_terminal() {
            super::output::note("Reading items from the terminal; Ctrl-D ends.");
        }
        let mut count = 0_u64;
        let put = |item: &Item| {
            self.put(&api, item, condition.as_deref())?;
            count += 1;
            Ok(())
        };
        let read = for_each_item(&mut stdin, put);
        read.map_err(|error| format!("item {}: {error} ({count} put before it)", count + 1))?;
        print(&format!("Put {}.\n", counted(count, "item"))).or_else(Closed::unless_gone)
    }

    fn put(&self, api: &Api, item: &Item, new_by: Option<&str>) -> Result<(), Box<dyn Error>> {
        let mut input = json!({ "TableName": self.table, "Item": typed(item)? });
        if let Some(attribute) = new_by {
            input["ConditionExpression"] = "attribute_not_exists(#key)".into();
            input["ExpressionAttributeNames"] = json!({ "#key": attribute });
        }
        // A retry is not safe: if the first answer was lost, the condition would find the item that this call has put.
        let put = if new_by.is_some() { Api::call_once } else { Api::call };
        match put(api, Service::DynamoDb, "PutItem", &input) {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == Some("ConditionalCheckFailedException") => {
                Err("an item with this key already exists".into())
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Reads items, one after the other or in arrays, and passes each on before reading the next value.
fn for_each_item(
    input: &mut dyn Read,
    mut each: impl FnMut(&Item) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let reader = std::io::BufReader::new(input);
    for value in serde_json::Deserializer::from_reader(reader).into_iter::<Box<RawValue>>() {
        let value = value.map_err(|error| format!("standard input: {error}"))?;
        if value.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(value.get())?;
            for item in items {
                each(&read_item(item.get())?)?;
            }
        } else {
            each(&read_item(value.get())?)?;
        }
    }
    Ok(())
}

impl Delete {
    /// Deletes.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api(&[&self.table])?;
        let schema = Schema::of(&api, &self.table)?;
        let key: Value = schema.read_key(&self.key)?;
        let input = json!({ "TableName": self.table, "Key": key, "ReturnValues": "ALL_OLD" });
        let answer = api.call_once(Service::DynamoDb, "DeleteItem", &input)?;
        let said = if answer.get("Attributes").is_some() {
            "Deleted 1 item.\n"
        } else {
            "There was no such item.\n"
        };
        print(said).or_else(Closed::unless_gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_one_after_the_other_and_from_arrays() {
        let mut input = r#"{"id": "a"} {"id": {"S": "b"}}
            [{"id": "c"}, {"id": "d", "n": 1.50}]"#
            .as_bytes();
        let mut seen = Vec::new();
        for_each_item(&mut input, |item| {
            seen.push(item.to_plain_json());
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [r#"{"id":"a"}"#, r#"{"id":"b"}"#, r#"{"id":"c"}"#, r#"{"id":"d","n":1.5}"#]);
    }

    #[test]
    fn an_item_stands_over_several_lines() {
        let long = "x".repeat(60);
        let item = Item::from_plain_json(&format!(
            r#"{{"id":"o1","n":12345678901234567890.5,"address":{{"city":"{long}","zip":1}},"tags":["a"]}}"#
        ));
        assert_eq!(
            tree(&item.unwrap()).unwrap(),
            format!(
                "{{\n  \"address\": {{\n    \"city\": \"{long}\",\n    \"zip\": 1\n  }},\n  \"id\": \"o1\",\n  \
                 \"n\": 12345678901234567890.5,\n  \"tags\": [\"a\"]\n}}\n"
            )
        );
    }
}
