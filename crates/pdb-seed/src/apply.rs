//! Creating the tables that are defined and do not exist yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdb_model::{Operation, TableName};
use pdb_wire::{Reply, Request, Wire};
use pretender::Pretender;
use serde_json::{Map, Value, json};

use crate::SeedError;
use crate::schema::{Defined, TablePlan};

/// How many differences an error lists.
const MAX_DIFFERENCES: usize = 4;

/// The tables that were created, and those that existed already.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) created: Vec<TableName>,
    pub(crate) existing: Vec<TableName>,
}

/// Creates all tables, or none if one of them cannot be created or exists with another definition.
///
/// Each table is first created in an empty database in memory. That finds all errors in definitions before anything is changed. It also
/// gives the description with which an existing table is compared: definitions leave out defaults, so they cannot be compared directly.
pub(crate) fn apply(defined: &[Defined], database: &Pretender) -> Result<Applied, SeedError> {
    let mut applied = Applied::default();
    let trial = trial(database)?;
    let (trial, target) = (Wire::new(trial), Wire::new(database.without_transitions().without_faults()));
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut wanted = Vec::new();
    for file in defined {
        for plan in &file.tables {
            let refused = |reason: String| SeedError::of_place(&file.file, &plan.place, reason);
            if let Some(other) = seen.insert(plan.name().to_owned(), file.file.clone()) {
                return Err(refused(format!(
                    "the table `{}` is defined in `{}` as well",
                    plan.name(),
                    other.display()
                )));
            }
            make(&trial, plan).map_err(|reason| cannot_create(&file.file, plan, &reason))?;
            let name = TableName::new(plan.name()).map_err(|error| refused(error.to_string()))?;
            let expected = describe(&trial, plan.name()).unwrap_or_default();
            match describe(&target, plan.name()) {
                None => wanted.push((file.file.as_path(), plan, name, expected)),
                Some(there) => {
                    let differences = differences(&expected, &there);
                    if !differences.is_empty() {
                        return Err(refused(other_definition(plan.name(), &differences)));
                    }
                    applied.existing.push(name);
                }
            }
        }
    }
    trial.pretender().close();
    for (file, plan, name, expected) in wanted {
        match make(&target, plan) {
            Ok(()) => applied.created.push(name),
            // Another process created the same table meanwhile.
            Err(_) if describe(&target, plan.name()).is_some_and(|there| there == expected) => {
                applied.existing.push(name);
            }
            Err(reason) => return Err(cannot_create(file, plan, &reason)),
        }
    }
    Ok(applied)
}

fn cannot_create(file: &Path, plan: &TablePlan, reason: &str) -> SeedError {
    let text = format!("the table `{}` cannot be created: {reason}", plan.name());
    SeedError::of_place(file, &plan.place, text)
}

/// Opens a database in memory with the same account and options.
fn trial(database: &Pretender) -> Result<Pretender, SeedError> {
    let account = database.account();
    Pretender::builder()
        .in_memory()
        .region(&account.region)
        .account(&account.id)
        .habits(database.habits())
        .message_layer(database.message_layer())
        .sweep_interval(None)
        .open()
        .map_err(SeedError::of_database)
}

/// Creates a table.
fn make(wire: &Wire, plan: &TablePlan) -> Result<(), String> {
    call(wire, Operation::CreateTable, &Value::Object(plan.create.clone()))?;
    plan.then.iter().try_for_each(|(operation, request)| call(wire, *operation, request).map(drop))
}

/// Sends a request. Returns the answer, or the message of the error.
fn call(wire: &Wire, operation: Operation, request: &Value) -> Result<Value, String> {
    let body = request.to_string();
    let Reply::Answer(answer) = wire.call(Request::of(operation, body)) else {
        return Err("the call was dropped".to_owned());
    };
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status == 200 {
        return Ok(value);
    }
    let text = ["message", "Message"].iter().find_map(|name| value.get(name)?.as_str());
    Err(text.unwrap_or("AWS gives no reason").to_owned())
}

/// Returns all properties of a table that a definition can set, or `None` if the table does not exist.
fn describe(wire: &Wire, name: &str) -> Option<Value> {
    let named = json!({ "TableName": name });
    let described = call(wire, Operation::DescribeTable, &named).ok()?;
    let mut table = described.get("Table")?.clone();
    let arn = table.get("TableArn")?.clone();
    let mut add = |member: &str, operation, request: &Value, inner: &str| {
        let answer = call(wire, operation, request).ok();
        if let (Some(value), Some(table)) =
            (answer.and_then(|answer| answer.get(inner).cloned()), table.as_object_mut())
        {
            table.insert(member.to_owned(), value);
        }
    };
    add("TimeToLive", Operation::DescribeTimeToLive, &named, "TimeToLiveDescription");
    add("ContinuousBackups", Operation::DescribeContinuousBackups, &named, "ContinuousBackupsDescription");
    add("Tags", Operation::ListTagsOfResource, &json!({ "ResourceArn": arn }), "Tags");
    add("ResourcePolicy", Operation::GetResourcePolicy, &json!({ "ResourceArn": arn }), "Policy");
    add(
        "KinesisDestinations",
        Operation::DescribeKinesisStreamingDestination,
        &named,
        "KinesisDataStreamDestinations",
    );
    add("ContributorInsights", Operation::DescribeContributorInsights, &named, "ContributorInsightsStatus");
    Some(defined_part(&table))
}

/// Removes the properties in which two tables with the same definition may differ, and sorts lists.
fn defined_part(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !is_state(name));
            Value::Object(
                kept.map(|(name, value)| (name.clone(), defined_part(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(defined_part).collect();
            // Sorting keys by name loses nothing: `KeyType` tells the partition key.
            elements.sort_by_key(name_of);
            Value::Array(elements)
        }
        scalar => scalar.clone(),
    }
}

/// Returns whether a member describes the state of a table, and not its definition.
fn is_state(name: &str) -> bool {
    const STATE: &[&str] = &[
        "TableStatus",
        "IndexStatus",
        "Status",
        "TableSizeBytes",
        "IndexSizeBytes",
        "ItemCount",
        "TableArn",
        "IndexArn",
        "TableId",
        "LatestStreamArn",
        "LatestStreamLabel",
        "Backfilling",
        "NumberOfDecreasesToday",
        "TableThroughputModeSummary",
        "RestoreSummary",
        // If no key is given, the ARN is invented. Nothing is encrypted with it.
        "KMSMasterKeyArn",
        "DestinationStatus",
        "DestinationStatusDescription",
    ];
    STATE.contains(&name) || name.ends_with("DateTime")
}

/// Returns the name of an element of a list.
fn name_of(element: &Value) -> String {
    let name = ["IndexName", "AttributeName", "Key", "StreamArn"]
        .iter()
        .find_map(|name| element.get(name)?.as_str());
    name.map_or_else(|| element.to_string(), str::to_owned)
}

/// Returns the differences between two values.
fn differences(wanted: &Value, there: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", wanted, there, &mut found);
    found
}

fn compare(place: &str, wanted: &Value, there: &Value, found: &mut Vec<String>) {
    match (wanted, there) {
        (Value::Object(left), Value::Object(right)) => {
            let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                let of = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
                compare(&place, &of(left), &of(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            let by_name = |elements: &[Value]| {
                elements.iter().map(|element| (name_of(element), element.clone())).collect::<BTreeMap<_, _>>()
            };
            let (left, right) = (by_name(left), by_name(right));
            let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                let of = |elements: &BTreeMap<String, Value>| elements.get(name).cloned().unwrap_or_default();
                compare(&format!("{place}[{name}]"), &of(&left), &of(&right), found);
            }
        }
        (wanted, there) if wanted != there => {
            let shown = |value: &Value| match value {
                Value::Null => "absent".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            found.push(format!("{place} is {} and not {}", shown(there), shown(wanted)));
        }
        _ => {}
    }
}

fn other_definition(name: &str, differences: &[String]) -> String {
    let mut text = differences.iter().take(MAX_DIFFERENCES).cloned().collect::<Vec<_>>().join("; ");
    if differences.len() > MAX_DIFFERENCES {
        text.push_str(&format!("; and {} more", differences.len() - MAX_DIFFERENCES));
    }
    format!(
        "the table `{name}` already exists with another definition: {text}. Change one of the two, or delete the table"
    )
}
