//! `AWS::Serverless::SimpleTable`: a table with only a partition key.

use serde_json::json;

use crate::error::Fault;
use crate::fields::Fields;
use crate::schema::plan::TablePlan;
use crate::schema::shapes::{self, Dialect};

use super::Template;

pub(super) fn read(template: &Template<'_>, id: &str, mut fields: Fields<'_>) -> Result<TablePlan, Fault> {
    let name = template.table_name(id, fields.text("TableName")?);
    let mut plan = TablePlan::new(id, &name);
    let mut notes = Vec::new();
    let (key, scalar_type) = match fields.map("PrimaryKey")? {
        None => ("id", "S"),
        Some(mut key) => {
            let name = key.required_text("Name")?;
            let scalar_type = match key.text("Type")?.unwrap_or("String") {
                "String" => "S",
                "Number" => "N",
                "Binary" => "B",
                other => {
                    return Err(
                        key.fault("Type", format!("is `{other}`, but must be String, Number or Binary"))
                    );
                }
            };
            key.finish()?;
            (name, scalar_type)
        }
    };
    plan.put("AttributeDefinitions", Some(json!([{ "AttributeName": key, "AttributeType": scalar_type }])));
    plan.put("KeySchema", Some(json!([{ "AttributeName": key, "KeyType": "HASH" }])));
    let throughput = shapes::throughput(&mut fields)?;
    let mode = if throughput.is_some() { "PROVISIONED" } else { "PAY_PER_REQUEST" };
    plan.put("BillingMode", Some(mode.into()));
    plan.put("ProvisionedThroughput", throughput);
    plan.put("SSESpecification", shapes::encryption(&mut fields, Dialect::Template, &mut notes)?);
    plan.set_point_in_time_recovery(shapes::point_in_time_recovery(&mut fields)?);
    let place = fields.place_of("Tags");
    plan.put("Tags", shapes::map_tags(fields.take("Tags"), &place, &mut notes)?);
    fields.finish()?;
    plan.notes.extend(notes);
    Ok(plan)
}
