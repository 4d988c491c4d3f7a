//! `pretender ls`.

use std::error::Error;

use clap::Args;
use serde_json::{Value, json};

use super::grid::Grid;
use super::output::{Format, Output, note, print};
use crate::client::{Api, Connection, Service};
use crate::quantity;
use crate::terminal;

/// List tables, with item counts, sizes, indexes and streams.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ls {
    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  pretender ls
  pretender ls --endpoint aws --region eu-west-1
  pretender ls --json | jq -r .TableName";

const NAMES: [&str; 6] = ["TABLE", "STATUS", "ITEMS", "SIZE", "INDEXES", "STREAM"];

impl Ls {
    /// Lists the tables.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api::<&str>(&[])?;
        let tables = tables(&api)?;
        let mut text = String::new();
        match self.output.format() {
            Format::Table if tables.is_empty() => {
                note(&format!("There are no tables at {}.", api.endpoint(Service::DynamoDb)));
            }
            Format::Table => {
                let rows: Vec<_> = tables.iter().map(row).collect();
                let grid = Grid::new(&NAMES.map(str::to_owned), &rows, terminal::width());
                text.push_str(&grid.header());
                rows.iter().for_each(|row| text.push_str(&grid.row(row)));
            }
            Format::Json | Format::Dynamodb => {
                tables.iter().for_each(|table| text.push_str(&format!("{table}\n")));
            }
        }
        print(&text).or_else(super::output::Closed::unless_gone)
    }
}

/// Returns the descriptions of all tables.
fn tables(api: &Api) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut tables = Vec::new();
    let mut input = json!({});
    loop {
        let page = api.call(Service::DynamoDb, "ListTables", &input)?;
        for name in page["TableNames"].as_array().into_iter().flatten() {
            match api.call(Service::DynamoDb, "DescribeTable", &json!({ "TableName": name })) {
                Ok(mut described) => tables.push(described["Table"].take()),
                // The table was deleted in the meantime.
                Err(failure) if failure.code() == Some("ResourceNotFoundException") => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        match page["LastEvaluatedTableName"].as_str() {
            Some(last) => input["ExclusiveStartTableName"] = last.into(),
            None => return Ok(tables),
        }
    }
}

fn row(table: &Value) -> Vec<String> {
    let count = |list: &str| table[list].as_array().map_or(0, Vec::len);
    let indexes = count("GlobalSecondaryIndexes") + count("LocalSecondaryIndexes") + count("VectorIndexes");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    vec![
        text(&table["TableName"]),
        text(&table["TableStatus"]),
        table["ItemCount"].to_string(),
        quantity::bytes(table["TableSizeBytes"].as_u64().unwrap_or_default()),
        if indexes == 0 { String::new() } else { indexes.to_string() },
        text(&table["StreamSpecification"]["StreamViewType"]),
    ]
}
