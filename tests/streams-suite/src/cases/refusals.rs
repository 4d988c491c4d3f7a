//! Refused stream specifications, alone and with other changes. A refused request has no effect.

use serde_json::{Value, json};

use crate::case::{Group, Needs};
use crate::context::{Context, Keys, create_request, stream_on};
use crate::expect::Text;
use crate::outcome::{Outcome, Stop};
use crate::record::{View, merged};
use crate::{check, check_eq};

/// The table that a refused UpdateTable meets.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    NoStream,
    Enabled,
    Disabled,
}

const INVALID: &str = "One or more parameter values were invalid: ";
const NULL_ENABLED: &str = "1 validation error detected: Value null at 'streamSpecification.streamEnabled' failed to \
     satisfy constraint: Member must not be null";
const BAD_VIEW: &str = "1 validation error detected: Value 'new_image' at 'streamSpecification.streamViewType' failed \
     to satisfy constraint: Member must satisfy enum value set: \
     [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]";

pub(super) fn group() -> Group {
    let mut group = Group::new("refusals");
    alone(&mut group);
    creating(&mut group);
    combined(&mut group);
    collisions(&mut group);
    group.case("update-with-nothing-but-the-name", &[3], |cx| {
        let name = cx.plain_table(Keys::Hash)?.name;
        let refused = cx.db_refused("UpdateTable", json!({"TableName": name}))?;
        // The list of members grows with the service.
        refused.check_validation(Text::has(&[
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, ",
            " is required",
        ]))
    });
    group.case("unknown-table", &[3], |cx| {
        let name = cx.unique("absent");
        let request = json!({"TableName": name, "StreamSpecification": stream_on(View::New)});
        let text = format!("Requested resource not found: Table: {name} not found");
        cx.db_refused("UpdateTable", request)?.check("ResourceNotFoundException", Text::exact(text))
    });
    group.case_that_needs(Needs::ReplicaRegion, "disable-on-a-replica", &[3], disable_on_replica);
    group.case("second-change-while-the-first-is-under-way", &[3], |cx| {
        under_way(cx, json!({"StreamSpecification": {"StreamEnabled": false}}), |table| {
            format!("A stream status change is currently in progress. Table: {table} Stream: ")
        })
    });
    group.case("throughput-while-a-change-is-under-way", &[3], |cx| {
        let throughput = json!({"ReadCapacityUnits": 2, "WriteCapacityUnits": 2});
        under_way(cx, json!({"ProvisionedThroughput": throughput}), |table| {
            format!("Can't change table IOPS when stream status is being updated. Table: {table} Stream: ")
        })
    });
    group.case("table-class-while-a-change-is-under-way", &[3], |cx| {
        under_way(cx, json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}), |_| {
            "Can't update table class when stream status is being updated. Table:".to_owned()
        })
    });
    group.case("delete-while-a-change-is-under-way", &[3], delete_under_way);
    group
}

/// Adds a case in which UpdateTable is refused with this text; `<name>` stands for the table.
fn refused(group: &mut Group, name: impl Into<String>, before: Before, request: Value, text: &'static str) {
    group.case(name, &[3], move |cx| {
        // Provisioned, so that capacity may be changed.
        let provisioned = json!({
            "BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        });
        let view = (before != Before::NoStream).then_some(View::New);
        let table = cx.create(&cx.table_name(), view, Keys::Hash, provisioned)?;
        if before == Before::Disabled {
            cx.disable(&table)?;
        }
        let described = cx.describe_table(&table.name)?;
        let request = merged(&json!({"TableName": table.name}), &request);
        let failure = cx.db_refused("UpdateTable", request)?;
        failure.check_validation(Text::exact(text.replace("<name>", &table.name)))?;
        unchanged(cx, &table.name, &described)
    });
}

/// Fails if a refused request has changed anything.
fn unchanged(cx: &Context<'_>, name: &str, before: &Value) -> Outcome {
    let after = cx.describe_table(name)?;
    let members = [
        "TableStatus",
        "StreamSpecification",
        "LatestStreamArn",
        "LatestStreamLabel",
        "ProvisionedThroughput",
        "BillingModeSummary",
        "GlobalSecondaryIndexes",
        "DeletionProtectionEnabled",
        "SSEDescription",
        "TableClassSummary",
        "OnDemandThroughput",
    ];
    for member in members {
        check_eq!(after.get(member), before.get(member), "{member} after the refused request");
    }
    Ok(())
}

fn spec(specification: Value) -> Value {
    json!({"StreamSpecification": specification})
}

fn alone(group: &mut Group) {
    let enabled = "Table already has an enabled stream: TableName: <name>";
    let none = "Table has no stream to disable: TableName: <name>";
    let on = || spec(stream_on(View::New));
    let off = || spec(json!({"StreamEnabled": false}));
    refused(group, "enable-when-enabled", Before::Enabled, on(), enabled);
    refused(group, "enable-when-enabled-other-view", Before::Enabled, spec(stream_on(View::Old)), enabled);
    refused(group, "disable-without-stream", Before::NoStream, off(), none);
    refused(group, "disable-when-disabled", Before::Disabled, off(), none);
    refused(
        group,
        "enable-without-view-type",
        Before::NoStream,
        spec(json!({"StreamEnabled": true})),
        "One or more parameter values were invalid: If stream is being enabled then UpdateViewType is required",
    );
    refused(
        group,
        "disable-with-view-type",
        Before::Enabled,
        spec(json!({"StreamEnabled": false, "StreamViewType": "NEW_IMAGE"})),
        "One or more parameter values were invalid: If stream is being disabled, then UpdateViewType must not be \
         specified",
    );
    refused(group, "empty-specification", Before::NoStream, spec(json!({})), NULL_ENABLED);
    let only_view = spec(json!({"StreamViewType": "NEW_IMAGE"}));
    refused(group, "only-a-view-type", Before::NoStream, only_view, NULL_ENABLED);
    let bad_view = spec(json!({"StreamEnabled": true, "StreamViewType": "new_image"}));
    refused(group, "view-type-outside-the-enum", Before::NoStream, bad_view, BAD_VIEW);
    group
        .case("bad-view-type-comes-before-the-table", &[3], |cx| {
            let bad_view = spec(json!({"StreamEnabled": true, "StreamViewType": "new_image"}));
            let request = merged(&json!({"TableName": cx.unique("absent")}), &bad_view);
            cx.db_refused("UpdateTable", request)?.check_validation(Text::exact(BAD_VIEW))
        })
        .inferred();
}

fn creating(group: &mut Group) {
    let rows: [(&'static str, Value, String); 5] = [
        (
            "create-enabled-without-view-type",
            json!({"StreamEnabled": true}),
            format!("{INVALID}Table is being created with a stream enabled, UpdateViewType is required"),
        ),
        (
            "create-disabled-with-view-type",
            json!({"StreamEnabled": false, "StreamViewType": "KEYS_ONLY"}),
            format!(
                "{INVALID}Table is being created with a stream disabled, UpdateViewType should not be specified"
            ),
        ),
        ("create-with-empty-specification", json!({}), NULL_ENABLED.to_owned()),
        ("create-with-only-a-view-type", json!({"StreamViewType": "KEYS_ONLY"}), NULL_ENABLED.to_owned()),
        (
            "create-with-view-type-outside-the-enum",
            json!({"StreamEnabled": true, "StreamViewType": "new_image"}),
            BAD_VIEW.to_owned(),
        ),
    ];
    for (name, specification, text) in rows {
        group.case(name, &[3], move |cx| {
            let table = cx.table_name();
            let request = merged(&create_request(&table, None, Keys::Hash), &spec(specification.clone()));
            cx.db_refused("CreateTable", request)?.check_validation(Text::exact(text.clone()))?;
            let absent = cx.db_refused("DescribeTable", json!({"TableName": table}))?;
            absent.check("ResourceNotFoundException", Text::Any)
        });
    }
}

/// Another change of a table, with the text that AWS has for it beside a stream change.
fn others() -> Vec<(&'static str, Value, &'static str)> {
    let iops = "One or more parameter values were invalid: You cannot modify stream status while updating table IOPS";
    let index = "One or more parameter values were invalid: You cannot create or delete index while changing stream status";
    let throughput = || json!({"ReadCapacityUnits": 2, "WriteCapacityUnits": 2});
    let create_index = json!({
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": throughput(),
        }}],
    });
    vec![
        ("provisioned-throughput", json!({"ProvisionedThroughput": throughput()}), iops),
        (
            "billing-mode-provisioned",
            json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput()}),
            iops,
        ),
        ("index-create", create_index, index),
        (
            "deletion-protection",
            json!({"DeletionProtectionEnabled": true}),
            "One or more parameter values were invalid: DeletionProtection modification must be the only operation in \
             the request",
        ),
        (
            "sse",
            json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS"}}),
            "One or more parameter values were invalid: Server-Side Encryption modification must be the only operation \
             in the request",
        ),
        (
            "table-class",
            json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}),
            "One or more parameter values were invalid: TableClass modification must be the only operation in the \
             request",
        ),
        (
            "warm-throughput",
            json!({"WarmThroughput": {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4000}}),
            "One or more parameter values were invalid: WarmThroughput must be the only operation in the request",
        ),
        (
            "on-demand-throughput",
            json!({"OnDemandThroughput": {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 10}}),
            "One or more parameter values were invalid: OnDemandThroughput can only be combined with BillingMode in an \
             UpdateTable request",
        ),
    ]
}

fn combined(group: &mut Group) {
    for (name, other, text) in others() {
        refused(
            group,
            format!("enable-with-{name}"),
            Before::NoStream,
            merged(&spec(stream_on(View::New)), &other),
            text,
        );
    }
    group.case("enable-with-index-delete", &[3], |cx| {
        let throughput = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
        let more = json!({
            "BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput,
            "AttributeDefinitions": [
                {"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "pk", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": throughput,
            }],
        });
        let table = cx.create(&cx.table_name(), None, Keys::Hash, more)?;
        let described = cx.describe_table(&table.name)?;
        let request = json!({
            "TableName": table.name, "StreamSpecification": stream_on(View::New),
            "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-g"}}],
        });
        cx.db_refused("UpdateTable", request)?.check_validation(Text::exact(format!(
            "{INVALID}You cannot create or delete index while changing stream status"
        )))?;
        unchanged(cx, &table.name, &described)
    });
    group.case("enable-with-pay-per-request", &[3], |cx| {
        let name = cx.plain_table(Keys::Hash)?.name;
        let request = json!({
            "TableName": name, "StreamSpecification": stream_on(View::New), "BillingMode": "PAY_PER_REQUEST",
        });
        cx.db("UpdateTable", request)?;
        let table = cx.ready(&name)?;
        check_eq!(table.view, Some(View::New), "the view type");
        Ok(())
    });
}

fn collisions(group: &mut Group) {
    // Of several changes that must each be alone, the first in this order is named.
    let order = ["sse", "table-class", "deletion-protection", "warm-throughput"];
    for pair in order.windows(2) {
        let find = |name: &str| others().into_iter().find(|(other, ..)| *other == name);
        let (Some((first, first_change, text)), Some((second, second_change, _))) =
            (find(pair[0]), find(pair[1]))
        else {
            continue;
        };
        let name = format!("{first}-is-named-before-{second}");
        let request = merged(&spec(stream_on(View::New)), &merged(&first_change, &second_change));
        refused(group, name, Before::NoStream, request, text);
    }
}

fn disable_on_replica(cx: &Context<'_>) -> Outcome {
    let region = cx.field().replica_region.clone().unwrap_or_default();
    let table = cx.table(View::Both, Keys::Hash)?;
    let replicas = |change: Value| json!({"TableName": table.name, "ReplicaUpdates": [change]});
    cx.db("UpdateTable", replicas(json!({"Create": {"RegionName": region}})))?;
    cx.wait("the replica", || {
        let description = cx.describe_table(&table.name)?;
        let replica = description["Replicas"][0]["ReplicaStatus"] == "ACTIVE";
        Ok((replica && description["TableStatus"] == "ACTIVE").then_some(()))
    })?;
    let request = json!({"TableName": table.name, "StreamSpecification": {"StreamEnabled": false}});
    let failure = cx.db_refused("UpdateTable", request)?;
    cx.db("UpdateTable", replicas(json!({"Delete": {"RegionName": region}})))?;
    cx.wait_active(&table.name)?;
    failure.check_validation(Text::exact(format!(
        "{INVALID}Disabling Stream is not allowed for a Global Table replica."
    )))
}

/// Sends a change right after enabling a stream. Where enabling takes no time, there is nothing to see.
fn under_way(cx: &Context<'_>, change: Value, text: fn(&str) -> String) -> Outcome {
    let provisioned = json!({
        "BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    });
    let name = cx.create(&cx.table_name(), None, Keys::Hash, provisioned)?.name;
    cx.db("UpdateTable", json!({"TableName": name, "StreamSpecification": stream_on(View::New)}))?;
    let answer = cx.db_answer("UpdateTable", merged(&json!({"TableName": name}), &change))?;
    let Some(failure) = answer.failure() else {
        return Err(Stop::Skipped("enabling a stream takes no time here".into()));
    };
    let start = format!("Attempt to change a resource which is still in use: {}", text(&name));
    failure.check("ResourceInUseException", Text::Any)?;
    check!(
        failure.message.starts_with(&start),
        "expected a text that begins `{start}`, got `{}`",
        failure.message
    );
    Ok(())
}

fn delete_under_way(cx: &Context<'_>) -> Outcome {
    let name = cx.plain_table(Keys::Hash)?.name;
    cx.db("UpdateTable", json!({"TableName": name, "StreamSpecification": stream_on(View::New)}))?;
    let Some(failure) = cx.db_answer("DeleteTable", json!({"TableName": name}))?.failure() else {
        return Err(Stop::Skipped("enabling a stream takes no time here".into()));
    };
    failure.check(
        "ResourceInUseException",
        Text::exact(
            "Attempt to change a resource which is still in use: Cannot delete table while stream is being \
             enabled/disabled.",
        ),
    )
}
