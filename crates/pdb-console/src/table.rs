//! The page of a table: its schema, its indexes, its settings, and the ways to its items and its stream.

use maud::{Markup, html};
use pretender::time::EpochMillis;
use serde_json::{Value, json};

use crate::layout::Section;
use crate::schema::{Keys, Schema, elements, text};
use crate::shown::{format_bytes, format_time, plural};
use crate::{Answer, Context, Request, call};

/// The most tags that are shown.
const MAX_TAGS: usize = 50;

pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let query = request.query();
    let schema = match Schema::or_answer(context, query.get("name")) {
        Ok(schema) => schema,
        Err(answer) => return answer,
    };
    let table = &schema.description;
    let content = html! {
        h1 { (schema.table) }
        (ways(context, &schema))
        p {
            (plural(table["ItemCount"].as_u64().unwrap_or(0), "item")) ", "
            (format_bytes(table["TableSizeBytes"].as_u64().unwrap_or(0))) ", "
            (text(&table["TableStatus"]))
        }
        h2 { "Keys and indexes" }
        (indexes(context, &schema))
        (vector_indexes(table))
        h2 { "Settings" }
        (settings(context, &schema))
    };
    Answer::page(context, Section::Table(&schema.table), content)
}

/// Returns the links to the other pages of a table.
pub(crate) fn ways(context: &Context<'_>, schema: &Schema) -> Markup {
    let name = schema.table.as_str();
    html! {
        p.ways {
            a href=(context.link("table", &[("name", name)])) { "Table" }
            a href=(context.link("items", &[("table", name)])) { "Items" }
            a href=(context.link("new-item", &[("table", name)])) { "New item" }
            @if schema.description.get("LatestStreamArn").is_some() {
                a href=(context.link("stream", &[("table", name)])) { "Stream" }
            }
            a href=(context.link("partiql", &[("table", name)])) { "PartiQL" }
        }
    }
}

fn indexes(context: &Context<'_>, schema: &Schema) -> Markup {
    let table = &schema.description;
    html! {
        div.scroll { table {
            thead { tr {
                th scope="col" { "Index" } th scope="col" { "Kind" } th scope="col" { "Partition key" }
                th scope="col" { "Sort key" } th scope="col" { "Attributes" }
                th.number scope="col" { "Items" } th.number scope="col" { "Size" } th scope="col" { "Status" }
            } }
            tbody {
                tr {
                    th scope="row" { a href=(context.link("items", &[("table", &schema.table)])) { (schema.table) } }
                    td { "the table" }
                    (keys(&schema.keys))
                    td { "all" }
                    td.number { (table["ItemCount"].as_u64().unwrap_or(0)) }
                    td.number { (format_bytes(table["TableSizeBytes"].as_u64().unwrap_or(0))) }
                    td { (text(&table["TableStatus"])) }
                }
                @for index in &schema.indexes {
                    @let described = description(table, &index.name);
                    tr {
                        th scope="row" {
                            a href=(context.link("items", &[("table", &schema.table), ("index", &index.name)])) { (index.name) }
                        }
                        td { @if index.is_global { "global (GSI)" } @else { "local (LSI)" } }
                        (keys(&index.keys))
                        td { (projection(&described["Projection"])) }
                        td.number { (described["ItemCount"].as_u64().unwrap_or(0)) }
                        td.number { (format_bytes(described["IndexSizeBytes"].as_u64().unwrap_or(0))) }
                        // A local index has no status of its own.
                        td { (described["IndexStatus"].as_str().unwrap_or(text(&table["TableStatus"]))) }
                    }
                }
            }
        } }
    }
}

/// Returns the description of an index of either kind.
fn description<'t>(table: &'t Value, name: &str) -> &'t Value {
    let lists = ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"];
    let mut described = lists.iter().flat_map(|list| elements(&table[*list]));
    described.find(|index| index["IndexName"] == name).unwrap_or(&Value::Null)
}

fn keys(keys: &Keys) -> Markup {
    html! {
        @for attributes in [&keys.partition, &keys.sort] {
            td {
                @for (index, key) in attributes.iter().enumerate() {
                    @if index > 0 { ", " }
                    code { (key.name) } " " span.hint { (key.scalar_type) }
                }
                @if attributes.is_empty() { span.hint { "none" } }
            }
        }
    }
}

fn projection(projection: &Value) -> Markup {
    match text(&projection["ProjectionType"]) {
        "ALL" => html! { "all" },
        "KEYS_ONLY" => html! { "keys" },
        _ => html! {
            "keys"
            @for name in elements(&projection["NonKeyAttributes"]) { ", " code { (text(name)) } }
        },
    }
}

fn vector_indexes(table: &Value) -> Markup {
    let mut indexes = elements(&table["VectorIndexes"]).peekable();
    if indexes.peek().is_none() {
        return html! {};
    }
    html! {
        h3 { "Vector indexes" }
        div.scroll { table {
            thead { tr {
                th scope="col" { "Index" } th scope="col" { "Vector" } th.number scope="col" { "Dimensions" }
                th scope="col" { "Distance" } th scope="col" { "Search schema" } th scope="col" { "Attributes" }
                th.number scope="col" { "Items" } th.number scope="col" { "Size" } th scope="col" { "Status" }
            } }
            tbody { @for index in indexes { tr {
                th scope="row" { (text(&index["IndexName"])) }
                td { code { (text(&index["VectorAttribute"]["AttributeName"])) } }
                td.number { (index["Dimensions"]) }
                td { (text(&index["DistanceFunction"])) }
                td {
                    @for element in elements(&index["SearchSchema"]) {
                        div { code { (text(&element["AttributeName"])) } " " span.hint { (text(&element["SearchSchemaElementType"])) } }
                    }
                }
                td { (projection(&index["Projection"])) }
                td.number { (index["ItemCount"].as_u64().unwrap_or(0)) }
                td.number { (format_bytes(index["IndexSizeBytes"].as_u64().unwrap_or(0))) }
                td { (text(&index["IndexStatus"])) }
            } } }
        } }
    }
}

fn settings(context: &Context<'_>, schema: &Schema) -> Markup {
    let table = &schema.description;
    let ask =
        |operation: &str, input: &Value| call::dynamodb(context.wire(), operation, input).unwrap_or_default();
    let by_name = json!({ "TableName": schema.table });
    let ttl = ask("DescribeTimeToLive", &by_name);
    let backups = ask("DescribeContinuousBackups", &by_name);
    let tags = ask("ListTagsOfResource", &json!({ "ResourceArn": table["TableArn"] }));
    html! {
        dl.settings {
            dt { "Billing" } dd { (billing(table)) }
            dt { "Time to live" } dd { (time_to_live(&ttl["TimeToLiveDescription"])) }
            dt { "Stream" } dd { (stream(context, schema)) }
            dt { "Point-in-time recovery" } dd { (recovery(&backups["ContinuousBackupsDescription"])) }
            dt { "Deletion protection" }
            dd { @if table["DeletionProtectionEnabled"] == true { "on" } @else { "off" } }
            @if let Some(class) = table["TableClassSummary"]["TableClass"].as_str() { dt { "Table class" } dd { (class) } }
            @if let Some(status) = table["SSEDescription"]["Status"].as_str() {
                dt { "Encryption" } dd { (status) " " (text(&table["SSEDescription"]["SSEType"])) }
            }
            dt { "Tags" } dd { (tag_list(&tags)) }
            dt { "Created" } dd { (time_of(&table["CreationDateTime"])) }
            dt { "ARN" } dd { code { (text(&table["TableArn"])) } }
        }
    }
}

fn billing(table: &Value) -> Markup {
    if table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" {
        return html! { "on demand" };
    }
    let throughput = &table["ProvisionedThroughput"];
    html! {
        "provisioned: " (throughput["ReadCapacityUnits"]) " read and " (throughput["WriteCapacityUnits"]) " write capacity units"
    }
}

fn time_to_live(described: &Value) -> Markup {
    match described["AttributeName"].as_str() {
        Some(name) => html! { code { (name) } " " span.hint { (text(&described["TimeToLiveStatus"])) } },
        None => html! { "off" },
    }
}

fn stream(context: &Context<'_>, schema: &Schema) -> Markup {
    let table = &schema.description;
    let specification = &table["StreamSpecification"];
    if table.get("LatestStreamArn").is_none() {
        return html! {
            "off. Enable it: "
            code { "aws dynamodb update-table --endpoint-url " (context.endpoint_url()) " --table-name " (schema.table)
                " --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES" }
        };
    }
    let state = match specification["StreamEnabled"].as_bool() {
        Some(true) => text(&specification["StreamViewType"]),
        _ => "disabled",
    };
    html! {
        a href=(context.link("stream", &[("table", &schema.table)])) { (state) }
        " " span.hint { "since " (text(&table["LatestStreamLabel"])) }
    }
}

fn recovery(described: &Value) -> Markup {
    let recovery = &described["PointInTimeRecoveryDescription"];
    if recovery["PointInTimeRecoveryStatus"] != "ENABLED" {
        return html! { "off" };
    }
    html! {
        "on"
        @if recovery.get("EarliestRestorableDateTime").is_some() {
            ", from " (time_of(&recovery["EarliestRestorableDateTime"])) " to " (time_of(&recovery["LatestRestorableDateTime"]))
        }
    }
}

fn tag_list(tags: &Value) -> Markup {
    let tags: Vec<_> = elements(&tags["Tags"]).take(MAX_TAGS).collect();
    html! {
        @if tags.is_empty() { "none" }
        @for tag in tags { div { code { (text(&tag["Key"])) } " = " (text(&tag["Value"])) } }
    }
}

/// Shows a time that AWS gives in seconds.
fn time_of(seconds: &Value) -> Markup {
    let millis = seconds.as_f64().map(|seconds| (seconds * 1000.0).round() as i64);
    html! { @if let Some(millis) = millis { time { (format_time(EpochMillis(millis))) } } }
}
