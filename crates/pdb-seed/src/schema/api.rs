//! The input of `CreateTable`, and its answer and that of `DescribeTable`.

use pdb_exchange::node::Node;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::fields::Fields;

use super::plan::TablePlan;
use super::shapes::{self, Dialect, put};

/// The members of descriptions that the input of `CreateTable` does not have.
const DESCRIBED: &[&str] = &[
    "TableStatus",
    "CreationDateTime",
    "TableSizeBytes",
    "ItemCount",
    "TableArn",
    "TableId",
    "LatestStreamLabel",
    "LatestStreamArn",
    "GlobalTableVersion",
    "TableThroughputModeSummary",
];

/// The members of descriptions about the history of a table, or about other regions.
const NOT_CARRIED: &[(&str, &str)] = &[
    ("Replicas", "global tables are not replicated here"),
    ("GlobalTableWitnesses", "global tables are not replicated here"),
    ("MultiRegionConsistency", "global tables are not replicated here"),
    ("GlobalTableSettingsReplicationMode", "global tables are not replicated here"),
    ("RestoreSummary", "a new table is created"),
    ("ArchivalSummary", "a new table is created"),
];

/// Returns the tables of a file in the format of the API, or `None` if the file has another format.
pub(crate) fn read(document: &Node) -> Result<Option<Vec<TablePlan>>, Fault> {
    match document {
        Node::List(elements)
            if !elements.is_empty() && elements.iter().all(|node| definition(node).is_some()) =>
        {
            let tables = elements.iter().enumerate().map(|(n, node)| table_of(node, &format!("[{n}]")));
            tables.collect::<Result<_, _>>().map(Some)
        }
        node if definition(node).is_some() => Ok(Some(vec![table_of(node, "")?])),
        _ => Ok(None),
    }
}

/// Returns the definition in a document: the document itself, or a part of an operation's answer.
fn definition(node: &Node) -> Option<(&'static str, &Node)> {
    if node.get("KeySchema").is_some() && node.get("TableName").is_some() {
        return Some(("", node));
    }
    let (name, inner) =
        ["Table", "TableDescription"].iter().find_map(|name| Some((*name, node.get(name)?)))?;
    inner.get("KeySchema").map(|_| (name, inner))
}

fn table_of(node: &Node, place: &str) -> Result<TablePlan, Fault> {
    let (member, inner) =
        definition(node).ok_or_else(|| Fault::new(place, "is not the definition of a table"))?;
    let place = [place, member].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(".");
    if !member.is_empty() {
        let mut around = Fields::of(node, "")?;
        around.ignore(&[member, "ResponseMetadata"]);
        around.finish()?;
    }
    table(Fields::of(inner, place.clone())?, &place)
}

fn table(mut fields: Fields<'_>, place: &str) -> Result<TablePlan, Fault> {
    let name = fields.required_text("TableName")?;
    let shown = if place.is_empty() { name.to_owned() } else { place.to_owned() };
    let mut plan = TablePlan::new(&shown, name);
    plan.put("AttributeDefinitions", shapes::attribute_definitions(&mut fields)?);
    plan.put("KeySchema", shapes::key_schema(&mut fields)?);
    plan.put("LocalSecondaryIndexes", shapes::local_indexes(&mut fields)?);
    let indexes = fields.maps("GlobalSecondaryIndexes")?.into_iter().map(|mut fields| {
        let index = shapes::global_index(&mut fields)?;
        fields.finish().map(|()| index)
    });
    plan.set_global_indexes(indexes.collect::<Result<_, _>>()?);
    plan.put("VectorIndexes", shapes::vector_indexes(&mut fields)?);
    plan.put("BillingMode", billing_mode(&mut fields)?);
    plan.put("ProvisionedThroughput", shapes::throughput(&mut fields)?);
    plan.put("OnDemandThroughput", shapes::on_demand(&mut fields)?);
    plan.put("WarmThroughput", shapes::warm(&mut fields)?);
    let mut notes = Vec::new();
    plan.put("StreamSpecification", shapes::stream(&mut fields, Dialect::Api, &mut notes)?);
    let encryption = shapes::encryption(&mut fields, Dialect::Api, &mut notes)?;
    plan.put("SSESpecification", described_encryption(&mut fields)?.or(encryption));
    plan.put("Tags", shapes::tags(&mut fields, &mut notes)?);
    plan.put("TableClass", table_class(&mut fields)?);
    plan.put("DeletionProtectionEnabled", fields.boolean("DeletionProtectionEnabled")?.map(Value::from));
    plan.put("ResourcePolicy", fields.text("ResourcePolicy")?.map(Value::from));
    plan.put("GlobalTableSourceArn", fields.text("GlobalTableSourceArn")?.map(Value::from));
    // `CreateTable` does not accept these members, but a file of tables is the natural place for them.
    plan.set_time_to_live(shapes::time_to_live(&mut fields)?);
    plan.set_point_in_time_recovery(shapes::point_in_time_recovery(&mut fields)?);
    for (name, reason) in NOT_CARRIED {
        if fields.take(name).is_some_and(|node| !matches!(node, Node::List(elements) if elements.is_empty()))
        {
            notes.push(fields.fault(name, format!("is ignored: {reason}")));
        }
    }
    fields.ignore(DESCRIBED);
    fields.finish()?;
    plan.notes.extend(notes);
    Ok(plan)
}

/// Reads the billing mode, in the form of an input or of a description.
fn billing_mode(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let asked = fields.text("BillingMode")?.or(fields.text("TableThroughputMode")?);
    let Some(mut summary) = fields.map("BillingModeSummary")? else { return Ok(asked.map(Value::from)) };
    let described = summary.text("BillingMode")?;
    summary.ignore(&["LastUpdateToPayPerRequestDateTime"]);
    summary.finish()?;
    Ok(asked.or(described).map(Value::from))
}

fn table_class(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let asked = fields.text("TableClass")?;
    let Some(mut summary) = fields.map("TableClassSummary")? else { return Ok(asked.map(Value::from)) };
    let described = summary.text("TableClass")?;
    summary.ignore(&["LastUpdateDateTime"]);
    summary.finish()?;
    Ok(asked.or(described).map(Value::from))
}

/// Reads encryption in the form of a description.
fn described_encryption(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let Some(mut described) = fields.map("SSEDescription")? else { return Ok(None) };
    let is_on = matches!(described.text("Status")?, Some("ENABLED" | "ENABLING" | "UPDATING"));
    let mut encryption = json!({ "Enabled": true }).as_object().cloned().unwrap_or_default();
    put(&mut encryption, "SSEType", described.text("SSEType")?.map(Value::from));
    put(&mut encryption, "KMSMasterKeyId", described.text("KMSMasterKeyArn")?.map(Value::from));
    described.ignore(&["InaccessibleEncryptionDateTime"]);
    described.finish()?;
    Ok(is_on.then(|| encryption.into()))
}
