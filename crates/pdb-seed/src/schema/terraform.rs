//! Plans and states of Terraform, as `terraform show -json` prints them.

use std::collections::BTreeMap;

use pdb_exchange::node::Node;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::fields::Fields;

use super::plan::TablePlan;
use super::shapes::{GlobalIndex, Request, map_tags, put};

/// Attributes that AWS computes, and those that concern other regions or Terraform itself.
const COMPUTED: &[&str] = &["arn", "id", "stream_arn", "stream_label", "timeouts", "region", "replica_arns"];

/// Attributes that are ignored, with the reasons.
const NOT_CARRIED: &[(&str, &str)] = &[
    ("replica", "global tables are not replicated here"),
    ("global_table_witness", "global tables are not replicated here"),
    ("import_table", "nothing is imported from S3"),
    ("restore_date_time", "a new table is created"),
    ("restore_source_name", "a new table is created"),
    ("restore_source_table_arn", "a new table is created"),
    ("restore_to_latest_time", "a new table is created"),
    ("restore_backup_arn", "a new table is created"),
];

/// Returns the tables of a plan or state, or `None` if the document is neither.
pub(crate) fn read(document: &Node, notes: &mut Vec<Fault>) -> Result<Option<Vec<TablePlan>>, Fault> {
    if document.get("terraform_version").is_none() && document.get("format_version").is_none() {
        return Ok(None);
    }
    let found = ["planned_values", "values"].iter().find_map(|name| Some((*name, document.get(name)?)));
    let Some((name, values)) = found else {
        return Err(Fault::new(
            "",
            "has no planned values: `terraform plan -out FILE` and `terraform show -json FILE` make a plan that can be read",
        ));
    };
    let mut unknown = BTreeMap::new();
    for change in document.get("resource_changes").map_or(&[][..], Node::elements) {
        let address = change.get("address").and_then(Node::scalar);
        let after = change.get("change").and_then(|change| change.get("after_unknown"));
        if let (Some(address), Some(after)) = (address, after) {
            unknown.insert(address, after);
        }
    }
    let mut tables = Vec::new();
    if let Some(module) = values.get("root_module") {
        read_module(module, &unknown, &mut tables, notes)?;
    }
    if tables.is_empty() {
        notes.push(Fault::new(name, "has no `aws_dynamodb_table`"));
    }
    Ok(Some(tables))
}

fn read_module(
    module: &Node,
    unknown: &BTreeMap<&str, &Node>,
    tables: &mut Vec<TablePlan>,
    notes: &mut Vec<Fault>,
) -> Result<(), Fault> {
    for resource in module.get("resources").map_or(&[][..], Node::elements) {
        let text = |name| resource.get(name).and_then(Node::scalar).unwrap_or_default();
        let address = text("address");
        match (text("mode"), text("type")) {
            ("managed", "aws_dynamodb_table") => {
                let values = resource.get("values").unwrap_or(&Node::Null);
                let known = with_unknown(values, unknown.get(address).copied());
                tables.push(table(Fields::of(&known, address)?, address)?);
            }
            ("managed", "aws_dynamodb_global_secondary_index") => {
                return Err(Fault::new(address, "is an index apart from its table, which is not supported"));
            }
            ("managed", other) if other.starts_with("aws_dynamodb_") => {
                notes.push(Fault::new(address, "is ignored: only `aws_dynamodb_table` is carried over"));
            }
            _ => {}
        }
    }
    for module in module.get("child_modules").map_or(&[][..], Node::elements) {
        read_module(module, unknown, tables, notes)?;
    }
    Ok(())
}

/// Adds the values that are not known before `terraform apply` as unknown ones, so that they are an error where they are needed.
fn with_unknown(values: &Node, unknown: Option<&Node>) -> Node {
    const REASON: &str = "its value is known only after `terraform apply`";
    match (values, unknown) {
        (_, Some(Node::Bool(true))) => Node::Unknown(REASON.to_owned()),
        (Node::Map(members), Some(Node::Map(marks))) => {
            let mut members = members.clone();
            for (name, mark) in marks {
                match members.iter_mut().find(|(member, _)| member == name) {
                    Some((_, node)) => *node = with_unknown(node, Some(mark)),
                    None => members.push((name.clone(), with_unknown(&Node::Null, Some(mark)))),
                }
            }
            Node::Map(members)
        }
        (Node::List(elements), Some(Node::List(marks))) => {
            let marked = |(n, node)| with_unknown(node, marks.get(n));
            Node::List(elements.iter().enumerate().map(marked).collect())
        }
        (values, _) => values.clone(),
    }
}

fn table(mut fields: Fields<'_>, place: &str) -> Result<TablePlan, Fault> {
    fields.ignore(COMPUTED);
    let mut plan = TablePlan::new(place, fields.required_text("name")?);
    let mut definitions = Vec::new();
    for mut attribute in fields.maps("attribute")? {
        let (name, scalar_type) = (attribute.required_text("name")?, attribute.required_text("type")?);
        attribute.finish()?;
        definitions.push(json!({ "AttributeName": name, "AttributeType": scalar_type }));
    }
    plan.put("AttributeDefinitions", Some(definitions.into()));
    let hash_key = fields.required_text("hash_key")?;
    plan.put("KeySchema", Some(key_schema(Some(hash_key), fields.text("range_key")?)));
    let is_on_demand = fields.text("billing_mode")?.unwrap_or("PROVISIONED") == "PAY_PER_REQUEST";
    plan.put("BillingMode", Some(if is_on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" }.into()));
    plan.put("ProvisionedThroughput", throughput(&mut fields, is_on_demand)?);
    plan.put("OnDemandThroughput", on_demand(&mut fields)?);
    plan.put("WarmThroughput", warm(&mut fields)?);
    plan.put("LocalSecondaryIndexes", local_indexes(&mut fields, hash_key)?);
    let indexes = fields.maps("global_secondary_index")?.into_iter();
    let indexes = indexes.map(|fields| global_index(fields, is_on_demand)).collect::<Result<_, _>>()?;
    plan.set_global_indexes(indexes);
    let has_stream = fields.boolean("stream_enabled")?.unwrap_or(false);
    let view_type = fields.text("stream_view_type")?;
    plan.put(
        "StreamSpecification",
        has_stream.then(|| json!({ "StreamEnabled": true, "StreamViewType": view_type })),
    );
    plan.put("TableClass", fields.text("table_class")?.map(Value::from));
    plan.put("DeletionProtectionEnabled", fields.boolean("deletion_protection_enabled")?.map(Value::from));
    let mut notes = Vec::new();
    plan.put("SSESpecification", encryption(&mut fields, &mut notes)?);
    plan.put("Tags", tags(&mut fields, &mut notes)?);
    for mut ttl in fields.maps("ttl")? {
        let (enabled, name) = (ttl.boolean("enabled")?.unwrap_or(true), ttl.text("attribute_name")?);
        ttl.finish()?;
        plan.set_time_to_live(enabled.then(|| json!({ "AttributeName": name, "Enabled": true })));
    }
    for mut recovery in fields.maps("point_in_time_recovery")? {
        let enabled = recovery.boolean("enabled")?.unwrap_or(false);
        let mut specification = Request::new();
        put(&mut specification, "PointInTimeRecoveryEnabled", Some(true.into()));
        put(
            &mut specification,
            "RecoveryPeriodInDays",
            known_integer(&mut recovery, "recovery_period_in_days")?,
        );
        recovery.finish()?;
        plan.set_point_in_time_recovery(enabled.then(|| specification.into()));
    }
    for (name, reason) in NOT_CARRIED {
        let given =
            fields.take(name).filter(|node| !matches!(node, Node::List(elements) if elements.is_empty()));
        if given.is_some_and(|node| !matches!(node, Node::Unknown(_))) {
            notes.push(fields.fault(name, format!("is ignored: {reason}")));
        }
    }
    fields.finish()?;
    plan.notes.extend(notes);
    Ok(plan)
}

fn key_schema(hash: Option<&str>, range: Option<&str>) -> Value {
    let element = |name: &str, key_type: &str| json!({ "AttributeName": name, "KeyType": key_type });
    let hash = hash.map(|name| element(name, "HASH"));
    hash.into_iter().chain(range.map(|name| element(name, "RANGE"))).collect()
}

/// Reads a number. If AWS chooses it, the default is used.
fn known_integer(fields: &mut Fields<'_>, name: &str) -> Result<Option<Value>, Fault> {
    match fields.take(name) {
        None | Some(Node::Unknown(_)) => Ok(None),
        Some(node) => {
            let number = node.scalar().and_then(|text| text.parse::<i64>().ok());
            number
                .map(|number| Some(number.into()))
                .ok_or_else(|| fields.fault(name, "must be a whole number"))
        }
    }
}

fn throughput(fields: &mut Fields<'_>, is_on_demand: bool) -> Result<Option<Value>, Fault> {
    let read = known_integer(fields, "read_capacity")?;
    let write = known_integer(fields, "write_capacity")?;
    // On-demand tables have zeros here, or their former units.
    Ok((!is_on_demand).then(|| json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write })))
}

fn on_demand(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    let mut caps = Request::new();
    for mut block in fields.maps("on_demand_throughput")? {
        for (name, ours) in [
            ("max_read_request_units", "MaxReadRequestUnits"),
            ("max_write_request_units", "MaxWriteRequestUnits"),
        ] {
            let cap = known_integer(&mut block, name)?.filter(|cap| ![json!(-1), json!(0)].contains(cap));
            put(&mut caps, ours, cap);
        }
        block.finish()?;
    }
    Ok((!caps.is_empty()).then(|| caps.into()))
}

fn warm(fields: &mut Fields<'_>) -> Result<Option<Value>, Fault> {
    if matches!(fields.peek("warm_throughput"), Some(Node::Unknown(_))) {
        fields.ignore(&["warm_throughput"]);
    }
    let mut warm = Request::new();
    for mut block in fields.maps("warm_throughput")? {
        for (name, ours) in [
            ("read_units_per_second", "ReadUnitsPerSecond"),
            ("write_units_per_second", "WriteUnitsPerSecond"),
        ] {
            put(&mut warm, ours, known_integer(&mut block, name)?.filter(|units| *units != json!(0)));
        }
        block.finish()?;
    }
    Ok((!warm.is_empty()).then(|| warm.into()))
}

fn projection(fields: &mut Fields<'_>) -> Result<Value, Fault> {
    let mut projection = Request::new();
    put(&mut projection, "ProjectionType", fields.text("projection_type")?.map(Value::from));
    let names = fields.texts("non_key_attributes")?;
    put(&mut projection, "NonKeyAttributes", (!names.is_empty()).then(|| names.into()));
    Ok(projection.into())
}

fn local_indexes(fields: &mut Fields<'_>, hash_key: &str) -> Result<Option<Value>, Fault> {
    let mut indexes = Vec::new();
    for mut index in fields.maps("local_secondary_index")? {
        let key = key_schema(Some(hash_key), index.text("range_key")?);
        indexes.push(json!({
            "IndexName": index.required_text("name")?,
            "KeySchema": key,
            "Projection": projection(&mut index)?,
        }));
        index.finish()?;
    }
    Ok((!indexes.is_empty()).then(|| indexes.into()))
}

fn global_index(mut fields: Fields<'_>, is_on_demand: bool) -> Result<GlobalIndex, Fault> {
    let mut index = Request::new();
    put(&mut index, "IndexName", Some(fields.required_text("name")?.into()));
    // The key is given as two attributes, or as blocks with one attribute each.
    let mut key = Vec::new();
    for mut block in fields.maps("key_schema")? {
        let (name, key_type) = (block.required_text("attribute_name")?, block.required_text("key_type")?);
        block.finish()?;
        key.push(json!({ "AttributeName": name, "KeyType": key_type }));
    }
    let (hash, range) = (fields.text("hash_key")?, fields.text("range_key")?);
    fields.ignore(&["hash_keys", "range_keys"]);
    let key = if key.is_empty() { key_schema(hash, range) } else { key.into() };
    put(&mut index, "KeySchema", Some(key));
    put(&mut index, "Projection", Some(projection(&mut fields)?));
    put(&mut index, "ProvisionedThroughput", throughput(&mut fields, is_on_demand)?);
    put(&mut index, "OnDemandThroughput", on_demand(&mut fields)?);
    put(&mut index, "WarmThroughput", warm(&mut fields)?);
    fields.finish()?;
    Ok(GlobalIndex { request: index, has_insights: false })
}

fn encryption(fields: &mut Fields<'_>, notes: &mut Vec<Fault>) -> Result<Option<Value>, Fault> {
    let Some(mut block) = fields.maps("server_side_encryption")?.pop() else { return Ok(None) };
    let enabled = block.boolean("enabled")?.unwrap_or(false);
    let mut encryption = Request::new();
    put(&mut encryption, "Enabled", Some(true.into()));
    put(&mut encryption, "SSEType", Some("KMS".into()));
    put(&mut encryption, "KMSMasterKeyId", super::shapes::kms_key(&mut block, "kms_key_arn", notes));
    block.finish()?;
    Ok(enabled.then(|| encryption.into()))
}

fn tags(fields: &mut Fields<'_>, notes: &mut Vec<Fault>) -> Result<Option<Value>, Fault> {
    let place = fields.place_of("tags");
    // Only `tags_all` contains the default tags of the provider.
    let (own, all) = (fields.take("tags"), fields.take("tags_all"));
    match all.filter(|all| matches!(all, Node::Map(_))).or(own) {
        Some(Node::Unknown(reason)) => {
            notes.push(Fault::new(place, format!("are ignored because they cannot be resolved: {reason}")));
            Ok(None)
        }
        tags => map_tags(tags, &place, notes),
    }
}
