//! The first page: tables and streams, and what is special about this server now.

use maud::{Markup, html};
use serde_json::{Value, json};

use crate::layout::{self, Section};
use crate::shown::format_bytes;
use crate::{Answer, Context, call};

pub(crate) fn answer(context: &Context<'_>) -> Answer {
    let names = layout::table_names(context);
    let content = html! {
        h1 { "Tables" }
        @if names.is_empty() {
            p.empty {
                "There is no table yet. Make one: "
                code { "aws dynamodb create-table --endpoint-url http://" (context.wire().endpoint()) " --table-name orders \
                        --key-schema AttributeName=id,KeyType=HASH --attribute-definitions AttributeName=id,AttributeType=S \
                        --billing-mode PAY_PER_REQUEST --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES" }
            }
        } @else {
            (tables(context, &names))
        }
    };
    Answer::page(context, Section::Overview, content)
}

fn tables(context: &Context<'_>, names: &[String]) -> Markup {
    html! {
        table.sortable {
            thead { tr { th { "Table" } th { "Status" } th.number { "Items" } th.number { "Size" } th { "Stream" } } }
            tbody {
                @for name in names {
                    @let described = call::dynamodb(context.wire(), "DescribeTable", &json!({ "TableName": name }));
                    @let described = described.unwrap_or_default();
                    @let table = &described["Table"];
                    tr {
                        th scope="row" { a href=(context.link("table", &[("name", name)])) { (name) } }
                        td { (table["TableStatus"].as_str().unwrap_or_default()) }
                        td.number { (table["ItemCount"].as_u64().unwrap_or(0)) }
                        td.number { (format_bytes(table["TableSizeBytes"].as_u64().unwrap_or(0))) }
                        td { (stream(context, name, table)) }
                    }
                }
            }
        }
    }
}

fn stream(context: &Context<'_>, name: &str, table: &Value) -> Markup {
    let specification = &table["StreamSpecification"];
    match (specification["StreamEnabled"].as_bool(), table["LatestStreamArn"].as_str()) {
        (Some(true), Some(_)) => html! {
            a href=(context.link("stream", &[("table", name)])) { (specification["StreamViewType"].as_str().unwrap_or_default()) }
        },
        (_, Some(_)) => html! { a href=(context.link("stream", &[("table", name)])) { "disabled" } },
        _ => html! { span.hint { "off" } },
    }
}
