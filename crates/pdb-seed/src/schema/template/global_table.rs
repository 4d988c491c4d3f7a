//! `AWS::DynamoDB::GlobalTable`: the replica of this region becomes the table.

use pdb_exchange::node::Node;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::fields::{Fields, unresolved};
use crate::schema::plan::TablePlan;
use crate::schema::shapes::{self, Dialect, GlobalIndex, Request, put};

use super::Template;
use super::table::read_replica;

/// Properties that concern several regions.
const OF_REGIONS: &[&str] = &[
    "GlobalTableSettingsReplicationMode",
    "GlobalTableSourceArn",
    "GlobalTableWitnesses",
    "MultiRegionConsistency",
];

pub(super) fn read(template: &Template<'_>, id: &str, mut fields: Fields<'_>) -> Result<TablePlan, Fault> {
    let name = template.table_name(id, fields.text("TableName")?);
    let mut plan = TablePlan::new(id, &name);
    let mut notes = Vec::new();
    plan.put("AttributeDefinitions", shapes::attribute_definitions(&mut fields)?);
    plan.put("KeySchema", shapes::key_schema(&mut fields)?);
    plan.put("LocalSecondaryIndexes", shapes::local_indexes(&mut fields)?);
    let mut replica = replica(template, &mut fields, &mut notes)?;

    let mode = fields.text("BillingMode")?.unwrap_or("PROVISIONED");
    plan.put("BillingMode", Some(mode.into()));
    let capacity = Capacity::take(&mut fields, replica.as_mut(), mode)?;
    plan.put("ProvisionedThroughput", capacity.provisioned);
    plan.put("OnDemandThroughput", capacity.on_demand);
    plan.put("WarmThroughput", shapes::warm(&mut fields)?);

    let mut of_replica = match replica.as_mut() {
        Some(replica) => replica.maps("GlobalSecondaryIndexes")?,
        None => Vec::new(),
    };
    let mut indexes = Vec::new();
    for fields in fields.maps("GlobalSecondaryIndexes")? {
        indexes.push(index(fields, &mut of_replica, mode)?);
    }
    if let Some(mut left) = of_replica.pop() {
        let name = left.text("IndexName")?.unwrap_or_default();
        return Err(left.fault("IndexName", format!("is `{name}`, which is not an index of the table")));
    }
    plan.set_global_indexes(indexes);

    plan.put("StreamSpecification", shapes::stream(&mut fields, Dialect::Template, &mut notes)?);
    let encryption = shapes::encryption(&mut fields, Dialect::Template, &mut notes)?;
    plan.set_time_to_live(shapes::time_to_live(&mut fields)?);
    for name in OF_REGIONS {
        if fields.take(name).is_some() {
            notes.push(fields.fault(name, "is ignored: global tables are not replicated here"));
        }
    }
    plan.put("SSESpecification", encryption);
    if let Some(mut replica) = replica {
        plan.put("TableClass", replica.text("TableClass")?.map(Value::from));
        read_replica(&mut plan, &mut replica, &mut notes)?;
        // A KMS key of the replica, and a policy for its stream.
        if replica.take("SSESpecification").is_some() {
            notes.push(
                replica.fault("SSESpecification", "is ignored: nothing is encrypted with a key of KMS here"),
            );
        }
        if replica.take("ReplicaStreamSpecification").is_some() {
            notes.push(
                replica.fault("ReplicaStreamSpecification", "is ignored: policies of streams are not kept"),
            );
        }
        replica.finish()?;
    }
    fields.finish()?;
    plan.notes.extend(notes);
    Ok(plan)
}

/// Returns the replica in this region, or else the first one.
fn replica<'n>(
    template: &Template<'_>,
    fields: &mut Fields<'n>,
    notes: &mut Vec<Fault>,
) -> Result<Option<Fields<'n>>, Fault> {
    let replicas = fields.list("Replicas")?;
    let here = &template.surroundings.account.region;
    let mut found = Vec::new();
    for (node, place) in replicas {
        let region = match node.get("Region") {
            Some(Node::Unknown(reason)) => return Err(unresolved(&format!("{place}.Region"), reason)),
            region => region.and_then(Node::scalar).unwrap_or_default().to_owned(),
        };
        let mut fields = Fields::of(node, place)?;
        fields.ignore(&["Region"]);
        found.push((region, fields));
    }
    if found.is_empty() {
        return Ok(None);
    }
    let at = found.iter().position(|(region, _)| region == here).unwrap_or(0);
    let (region, replica) = found.swap_remove(at);
    if !found.is_empty() {
        let others: Vec<&str> = found.iter().map(|(region, _)| region.as_str()).collect();
        let text = format!(
            "the table is that of {region}; there are no replicas here, so those in {} are ignored",
            others.join(", ")
        );
        notes.push(fields.fault("Replicas", text));
    }
    Ok(Some(replica))
}

/// Reads a global index. `of_replica` contains the settings of the replica for it.
fn index(mut fields: Fields<'_>, of_replica: &mut Vec<Fields<'_>>, mode: &str) -> Result<GlobalIndex, Fault> {
    let name = fields.peek("IndexName").and_then(Node::scalar).map(str::to_owned);
    let at = of_replica.iter().position(|of| of.peek("IndexName").and_then(Node::scalar) == name.as_deref());
    let mut replica = at.map(|at| of_replica.swap_remove(at));
    let capacity = Capacity::take(&mut fields, replica.as_mut(), mode)?;
    let mut index = shapes::global_index(&mut fields)?;
    fields.finish()?;
    put(&mut index.request, "ProvisionedThroughput", capacity.provisioned);
    put(&mut index.request, "OnDemandThroughput", capacity.on_demand);
    if let Some(mut replica) = replica {
        replica.ignore(&["IndexName"]);
        index.has_insights |= shapes::insights(&mut replica)?;
        replica.finish()?;
    }
    Ok(index)
}

/// Reads the units of a table or an index. Write units are set for the table, read units for the replica.
#[derive(Default)]
struct Capacity {
    provisioned: Option<Value>,
    on_demand: Option<Value>,
}

impl Capacity {
    fn take(fields: &mut Fields<'_>, replica: Option<&mut Fields<'_>>, mode: &str) -> Result<Self, Fault> {
        let write = units(fields, "Write")?;
        let mut read = units(fields, "Read")?;
        let mut most_read = most(fields, "Read")?;
        let most_written = most(fields, "Write")?;
        if let Some(replica) = replica {
            read = units(replica, "Read")?.or(read);
            most_read = most(replica, "Read")?.or(most_read);
        }
        let mut caps = Request::new();
        put(&mut caps, "MaxReadRequestUnits", most_read.map(Value::from));
        put(&mut caps, "MaxWriteRequestUnits", most_written.map(Value::from));
        let provisioned =
            json!({ "ReadCapacityUnits": read.or(write), "WriteCapacityUnits": write.or(read) });
        let is_provisioned = mode == "PROVISIONED" && (read.is_some() || write.is_some());
        Ok(Self {
            provisioned: is_provisioned.then_some(provisioned),
            on_demand: (mode == "PAY_PER_REQUEST" && !caps.is_empty()).then(|| caps.into()),
        })
    }
}

/// Reads provisioned units: the given ones, or those with which AWS begins to scale.
fn units(fields: &mut Fields<'_>, side: &str) -> Result<Option<i64>, Fault> {
    let Some(mut settings) = fields.map(&format!("{side}ProvisionedThroughputSettings"))? else {
        return Ok(None);
    };
    let fixed = settings.integer(&format!("{side}CapacityUnits"))?;
    let mut scaled = None;
    if let Some(mut scaling) = settings.map(&format!("{side}CapacityAutoScalingSettings"))? {
        scaled = scaling.integer("SeedCapacity")?.or(scaling.integer("MinCapacity")?);
        // There is no automatic scaling here, so the settings of scaling have no effect.
        scaling.ignore(&["MinCapacity", "MaxCapacity", "TargetTrackingScalingPolicyConfiguration"]);
        scaling.finish()?;
    }
    settings.finish()?;
    Ok(fixed.or(scaled))
}

fn most(fields: &mut Fields<'_>, side: &str) -> Result<Option<i64>, Fault> {
    let Some(mut settings) = fields.map(&format!("{side}OnDemandThroughputSettings"))? else {
        return Ok(None);
    };
    let most = settings.integer(&format!("Max{side}RequestUnits"))?;
    settings.finish().map(|()| most.filter(|most| *most > 0))
}
