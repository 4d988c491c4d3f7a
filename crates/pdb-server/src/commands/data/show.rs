//! `pretender show`.

use std::error::Error;

use clap::Args;
use serde_json::{Value, json};

use super::lineage;
use super::output::{Closed, Format, Output, print};
use super::schema::{KeyPart, Schema, shown};
use crate::client::{Api, ApiFailure, Connection, Service};
use crate::quantity::{bytes, counted};
use crate::terminal::{self, cut, visible};

/// Show a table: its key, indexes, settings, streams, and their shards as a tree.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Show {
    /// The table, by name or ARN
    table: String,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  pretender show orders
  pretender show orders --json | jq .Streams[0].Shards";

/// The details of a table.
struct TableDetails {
    schema: Schema,
    time_to_live: Value,
    /// The descriptions of its streams, with all shards, latest stream first.
    streams: Vec<Value>,
}

impl Show {
    /// Shows the table.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api(&[&self.table])?;
        let schema = Schema::of(&api, &self.table)?;
        let name = schema.description()["TableName"].as_str().unwrap_or(&self.table);
        let time_to_live =
            api.call(Service::DynamoDb, "DescribeTimeToLive", &json!({ "TableName": self.table }));
        let facts = TableDetails {
            time_to_live: time_to_live?["TimeToLiveDescription"].take(),
            streams: streams(&api, name)?,
            schema,
        };
        let text = match self.output.format() {
            Format::Table => facts.lines(terminal::width()),
            Format::Json | Format::Dynamodb => format!("{}\n", facts.json()),
        };
        print(&text).or_else(Closed::unless_gone)
    }
}

/// Returns the descriptions of the streams of a table, with all shards.
fn streams(api: &Api, table_name: &str) -> Result<Vec<Value>, ApiFailure> {
    let arns = api.list_streams(table_name)?;
    let mut streams = Vec::new();
    for arn in arns {
        match api.describe_stream(&arn) {
            Ok(described) => streams.push(described),
            // The stream has been trimmed in the meantime.
            Err(failure) if failure.code() == Some("ResourceNotFoundException") => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(streams)
}

impl TableDetails {
    fn json(&self) -> Value {
        json!({ "Table": self.schema.description(), "TimeToLive": self.time_to_live, "Streams": self.streams })
    }

    /// Formats the table for people. `width` is the width of the terminal; without it, nothing is cut.
    fn lines(&self, width: Option<usize>) -> String {
        let mut lines = Vec::new();
        let mut line = |label: &str, value: &str| lines.push(labelled(label, value, width));
        let table = self.schema.description();
        line("table", text_of(&table["TableName"]));
        line("status", &self.status());
        line("key", &shown(&self.schema.key()));
        for (place, index) in self.indexes().iter().enumerate() {
            line(if place == 0 { "indexes" } else { "" }, index);
        }
        if self.time_to_live["TimeToLiveStatus"] == "ENABLED" {
            line("expiry", &format!("by {}", text_of(&self.time_to_live["AttributeName"])));
        }
        if self.streams.is_empty() {
            line("streams", "none");
        }
        for (place, stream) in self.streams.iter().enumerate() {
            let label = if place == 0 { "streams" } else { "" };
            line(
                label,
                &format!("{} {}", text_of(&stream["StreamViewType"]), text_of(&stream["StreamStatus"])),
            );
            line("", text_of(&stream["StreamArn"]));
            let shards = stream["Shards"].as_array().map(Vec::as_slice).unwrap_or_default();
            lineage::lines(shards).iter().for_each(|shard| line("", &format!("  {shard}")));
        }
        lines.concat()
    }

    fn status(&self) -> String {
        let table = self.schema.description();
        let billing = match table["BillingModeSummary"]["BillingMode"].as_str() {
            Some("PAY_PER_REQUEST") => "on demand".to_owned(),
            _ => {
                let throughput = &table["ProvisionedThroughput"];
                format!(
                    "{} read and {} write units",
                    throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]
                )
            }
        };
        let size = bytes(table["TableSizeBytes"].as_u64().unwrap_or_default());
        let protected =
            if table["DeletionProtectionEnabled"] == true { ", protected from deletion" } else { "" };
        format!("{}, {}, {size}, {billing}{protected}", text_of(&table["TableStatus"]), item_count(table))
    }

    fn indexes(&self) -> Vec<String> {
        let table = self.schema.description();
        let mut lines = Vec::new();
        for (list, kind) in [("GlobalSecondaryIndexes", "global"), ("LocalSecondaryIndexes", "local")] {
            for index in table[list].as_array().into_iter().flatten() {
                let name = text_of(&index["IndexName"]);
                let key: Vec<KeyPart> = self.schema.key_of(Some(name)).unwrap_or_default();
                let projection = text_of(&index["Projection"]["ProjectionType"]);
                let status = index["IndexStatus"].as_str().filter(|status| *status != "ACTIVE");
                let status = status.map_or(String::new(), |status| format!(", {status}"));
                lines.push(format!(
                    "{name}: {kind}, key {}, {projection}, {}{status}",
                    shown(&key),
                    item_count(index)
                ));
            }
        }
        for index in table["VectorIndexes"].as_array().into_iter().flatten() {
            let status = index["IndexStatus"].as_str().filter(|status| *status != "ACTIVE");
            lines.push(format!(
                "{}: vector, {} of {} dimensions, {}, {}, {}{}",
                text_of(&index["IndexName"]),
                text_of(&index["VectorAttribute"]["AttributeName"]),
                index["Dimensions"],
                text_of(&index["DistanceFunction"]),
                text_of(&index["Projection"]["ProjectionType"]),
                item_count(index),
                status.map_or(String::new(), |status| format!(", {status}"))
            ));
        }
        lines
    }
}

/// Formats a line, cut to the width. An ARN is not cut, so that it can be copied.
fn labelled(label: &str, value: &str, width: Option<usize>) -> String {
    let line = format!("{label:<10}{}", visible(value));
    let line = match width {
        Some(width) if !value.starts_with("arn:") => cut(&line, width),
        _ => line.as_str().into(),
    };
    format!("{}\n", line.trim_end())
}

/// Returns the number of items that a table or an index has.
fn item_count(description: &Value) -> String {
    counted(description["ItemCount"].as_u64().unwrap_or_default(), "item")
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
