//! `AWS::DynamoDB::Table`.

use serde_json::Value;

use crate::error::Fault;
use crate::fields::Fields;
use crate::schema::plan::TablePlan;
use crate::schema::shapes::{self, Dialect};

use super::Template;

pub(super) fn read(template: &Template<'_>, id: &str, mut fields: Fields<'_>) -> Result<TablePlan, Fault> {
    let name = template.table_name(id, fields.text("TableName")?);
    let mut plan = TablePlan::new(id, &name);
    let mut notes = Vec::new();
    plan.put("AttributeDefinitions", shapes::attribute_definitions(&mut fields)?);
    plan.put("KeySchema", shapes::key_schema(&mut fields)?);
    plan.put("LocalSecondaryIndexes", shapes::local_indexes(&mut fields)?);
    let indexes = fields.maps("GlobalSecondaryIndexes")?.into_iter().map(|mut fields| {
        let index = shapes::global_index(&mut fields)?;
        fields.finish().map(|()| index)
    });
    plan.set_global_indexes(indexes.collect::<Result<_, _>>()?);
    plan.put("BillingMode", fields.text("BillingMode")?.map(Value::from));
    plan.put("ProvisionedThroughput", shapes::throughput(&mut fields)?);
    plan.put("OnDemandThroughput", shapes::on_demand(&mut fields)?);
    plan.put("WarmThroughput", shapes::warm(&mut fields)?);
    plan.put("StreamSpecification", shapes::stream(&mut fields, Dialect::Template, &mut notes)?);
    plan.put("SSESpecification", shapes::encryption(&mut fields, Dialect::Template, &mut notes)?);
    plan.put("TableClass", fields.text("TableClass")?.map(Value::from));
    plan.set_time_to_live(shapes::time_to_live(&mut fields)?);
    if fields.take("ImportSourceSpecification").is_some() {
        notes.push(fields.fault("ImportSourceSpecification", "is ignored: nothing is imported from S3"));
    }
    read_replica(&mut plan, &mut fields, &mut notes)?;
    fields.finish()?;
    plan.notes.extend(notes);
    Ok(plan)
}

/// Reads the properties that a table and each replica of a global table have.
pub(super) fn read_replica(
    plan: &mut TablePlan,
    fields: &mut Fields<'_>,
    notes: &mut Vec<Fault>,
) -> Result<(), Fault> {
    plan.put("Tags", shapes::tags(fields, notes)?);
    plan.put("DeletionProtectionEnabled", fields.boolean("DeletionProtectionEnabled")?.map(Value::from));
    plan.set_point_in_time_recovery(shapes::point_in_time_recovery(fields)?);
    if shapes::insights(fields)? {
        plan.enable_insights(None);
    }
    if let Some(mut policy) = fields.map("ResourcePolicy")? {
        match policy.take("PolicyDocument") {
            Some(node) if node.unknown().is_some() => {
                notes.push(policy.fault(
                    "PolicyDocument",
                    "is ignored because it cannot be resolved; policies are not enforced",
                ));
            }
            document => plan.put("ResourcePolicy", document.map(|node| node.to_json().to_string().into())),
        }
        policy.finish()?;
    }
    if let Some(mut kinesis) = fields.map("KinesisStreamSpecification")? {
        let precision = kinesis.text("ApproximateCreationDateTimePrecision")?;
        match kinesis.text("StreamArn") {
            Ok(Some(arn)) => plan.set_kinesis(arn, precision),
            Ok(None) => {}
            Err(_) => {
                notes.push(kinesis.fault(
                    "StreamArn",
                    "is ignored because it cannot be resolved; nothing is sent to Kinesis",
                ))
            }
        }
        kinesis.finish()?;
    }
    Ok(())
}
