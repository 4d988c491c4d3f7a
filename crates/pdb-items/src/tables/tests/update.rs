//! UpdateTable without indexes: `validation.md` 10.12, `streams.md` 2.5 and 2.6.

use pdb_model::{BillingMode, OnDemandThroughput};

use super::*;

#[track_caller]
fn check(tables: &Tables, change: impl FnOnce(&mut UpdateTableInput), text: &str) {
    let before = tables.describe("Tbl");
    check_refused(tables.update(change), text);
    assert_eq!(tables.describe("Tbl"), before, "nothing of a refused request is done");
}

const NOTHING: &str = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, \
     GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, \
     MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required";

#[test]
fn something_is_to_be_done() {
    let tables = Tables::with_table();
    check(&tables, |_| (), NOTHING);
    check(&tables, |t| t.attribute_definitions = Some(vec![definition("a", ScalarType::S)]), NOTHING);
    check(&tables, |t| t.global_secondary_index_updates = Some(vec![]), NOTHING);
    check(
        &tables,
        |t| {
            t.global_secondary_index_updates = Some(vec![]);
            t.deletion_protection_enabled = Some(true);
        },
        "P: List of GlobalSecondaryIndexUpdates is empty",
    );
    // Before the table is looked up.
    check_refused(tables.update_table(UpdateTableInput::new(table("missing"))), NOTHING);
    let input = UpdateTableInput {
        deletion_protection_enabled: Some(true),
        ..UpdateTableInput::new(table("missing"))
    };
    check_error(
        tables.update_table(input),
        "ResourceNotFound",
        "Requested resource not found: Table: missing not found",
    );
}

#[test]
fn concerns_do_not_mix() {
    let tables = Tables::with_table();
    let stream = |t: &mut UpdateTableInput| {
        t.stream_specification = Some(StreamSpecification::enabled(StreamViewType::KeysOnly));
    };
    let sse = |t: &mut UpdateTableInput| {
        t.sse_specification = Some(SseSpecification { enabled: Some(true), ..SseSpecification::default() });
    };
    let class = |t: &mut UpdateTableInput| t.table_class = Some(TableClassInput::Standard);
    let protection = |t: &mut UpdateTableInput| t.deletion_protection_enabled = Some(true);
    let warm = |t: &mut UpdateTableInput| {
        t.warm_throughput =
            Some(WarmThroughputInput { read_units_per_second: Some(20_000), write_units_per_second: None });
    };
    let caps = |t: &mut UpdateTableInput| {
        t.on_demand_throughput = Some(OnDemandThroughput { max_read_units: Some(5), max_write_units: None });
    };
    let throughput = |t: &mut UpdateTableInput| t.provisioned_throughput = Some(units(1, 1));
    let create = |t: &mut UpdateTableInput| {
        t.attribute_definitions = Some(vec![definition("c", ScalarType::S)]);
        t.global_secondary_index_updates = Some(vec![GlobalIndexUpdate::create(global("idx", &["c"], &[]))]);
    };
    let only_sse = "P: Server-Side Encryption modification must be the only operation in the request";
    let only_class = "P: TableClass modification must be the only operation in the request";
    let only_protection = "P: DeletionProtection modification must be the only operation in the request";
    let only_warm = "P: WarmThroughput must be the only operation in the request";
    let only_caps = "P: OnDemandThroughput can only be combined with BillingMode in an UpdateTable request";
    type Part<'a> = &'a dyn Fn(&mut UpdateTableInput);
    let cases: &[(Part<'_>, Part<'_>, &str)] = &[
        (&sse, &stream, only_sse),
        (&sse, &class, only_sse),
        (&class, &stream, only_class),
        (&class, &protection, only_class),
        (&protection, &stream, only_protection),
        (&protection, &warm, only_protection),
        (&warm, &stream, only_warm),
        (&warm, &caps, only_warm),
        (&warm, &create, "P: Create global secondary index cannot be specified when updating WarmThroughput"),
        (&caps, &stream, only_caps),
        (&throughput, &stream, "P: You cannot modify stream status while updating table IOPS"),
        (&throughput, &create, "P: You cannot create or delete index while updating table IOPS"),
        (&stream, &create, "P: You cannot create or delete index while changing stream status"),
    ];
    for (one, other, text) in cases {
        check(
            &tables,
            |t| {
                one(t);
                other(t);
            },
            text,
        );
    }
    check(
        &tables,
        |t| {
            stream(t);
            t.billing_mode = Some(BillingMode::Provisioned);
        },
        "P: You cannot modify stream status while updating table IOPS",
    );
    check(
        &tables,
        |t| {
            t.changes_replicas = true;
            stream(t);
        },
        "P: Replica modification must be the only operation in the request",
    );
    check(
        &tables,
        |t| t.changes_replicas = true,
        "P: ReplicaUpdates is not supported: there are no global tables here",
    );
    // Allowed together.
    let both = tables.update(|t| {
        stream(t);
        t.billing_mode = Some(BillingMode::PayPerRequest);
    });
    assert_eq!(both.unwrap().stream_view_type, Some(StreamViewType::KeysOnly));
}

#[test]
fn streams_are_enabled_and_disabled_once() {
    let tables = Tables::with_table();
    let switch = |stream_enabled, stream_view_type| {
        move |t: &mut UpdateTableInput| {
            t.stream_specification = Some(StreamSpecification { stream_enabled, stream_view_type });
        }
    };
    let view = Some(StreamViewType::NewImage);
    check(&tables, switch(true, None), "P: If stream is being enabled then UpdateViewType is required");
    check(
        &tables,
        switch(false, view),
        "P: If stream is being disabled, then UpdateViewType must not be specified",
    );
    check(&tables, switch(false, None), "Table has no stream to disable: TableName: Tbl");
    tables.update(switch(true, view)).unwrap();
    check(&tables, switch(true, view), "Table already has an enabled stream: TableName: Tbl");
    let other = Some(StreamViewType::OldImage);
    check(&tables, switch(true, other), "Table already has an enabled stream: TableName: Tbl");
    tables.update(switch(false, None)).unwrap();
    check(&tables, switch(false, None), "Table has no stream to disable: TableName: Tbl");
}

#[test]
fn streams_appear_as_aws_shows_them() {
    let tables = Tables::with_table();
    let enable = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
    let enabled = tables.update(|t| t.stream_specification = Some(enable)).unwrap();
    assert_eq!(enabled.table_status, TableStatus::Updating);
    assert_eq!(enabled.stream_view_type, Some(StreamViewType::NewAndOldImages));
    let first = enabled.latest_stream_arn.unwrap();
    assert_eq!(
        first.to_string(),
        "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/stream/2026-03-01T09:15:42.017"
    );
    assert_eq!(tables.describe("Tbl").table_status, TableStatus::Active);
    assert_eq!(tables.stored("Tbl").stream.as_ref().unwrap().shards.len(), 2);

    let disable = StreamSpecification::disabled();
    let disabled = tables.update(|t| t.stream_specification = Some(disable)).unwrap();
    assert_eq!((disabled.stream_view_type, disabled.latest_stream_arn), (None, Some(first.clone())));

    // The clock stands still, but each stream has a label of its own.
    let again = tables.update(|t| t.stream_specification = Some(enable)).unwrap();
    let second = again.latest_stream_arn.unwrap();
    assert_eq!(second.label.as_str(), "2026-03-01T09:15:42.018");
    let streams = tables.db.read(|tx| tx.streams(Some(&table("Tbl"))));
    let disabled: Vec<bool> = streams.iter().map(|stream| stream.disabled.is_some()).collect();
    assert_eq!(disabled, [true, false]);
}

#[test]
fn units_change_or_are_refused() {
    let tables = Tables::provisioned();
    let set =
        |reads, writes| move |t: &mut UpdateTableInput| t.provisioned_throughput = Some(units(reads, writes));
    check(
        &tables,
        set(5, 5),
        "The provisioned throughput for the table will not change. The requested value equals the current value. Current \
         ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits \
         provisioned for the table: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer Guide for \
         current limits and how to request higher limits.",
    );
    check(
        &tables,
        set(1_000_000_000_001, 1),
        "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
    );
    let raised = tables.update(set(10, 5)).unwrap();
    assert_eq!(raised.table_status, TableStatus::Updating);
    let throughput = raised.provisioned_throughput;
    assert_eq!((throughput.read_capacity_units, throughput.number_of_decreases_today), (10, 0));
    assert!(throughput.last_increase_date_time.is_some() && throughput.last_decrease_date_time.is_none());

    for n in 1..=5 {
        let lowered = tables.update(set(10 - i64::from(n), 5)).unwrap().provisioned_throughput;
        assert_eq!(lowered.number_of_decreases_today, n);
        assert!(lowered.last_decrease_date_time.is_some());
    }
    tables.advance(24 * 3600);
    let tomorrow = tables.describe("Tbl");
    assert_eq!(tomorrow.provisioned_throughput.number_of_decreases_today, 0);
    // The high-water mark stays warm.
    assert_eq!(tomorrow.warm_throughput.unwrap().read_units_per_second, 10);
}

#[test]
fn billing_modes_switch_with_all_units() {
    let tables = Tables::provisioned();
    let neither = "P: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST";
    check(
        &tables,
        |t| {
            t.billing_mode = Some(BillingMode::PayPerRequest);
            t.provisioned_throughput = Some(units(1, 1));
        },
        neither,
    );
    assert_eq!(tables.describe("Tbl").billing_mode_summary, None);
    let on_demand = tables.update(|t| t.billing_mode = Some(BillingMode::PayPerRequest)).unwrap();
    assert_eq!(on_demand.provisioned_throughput.read_capacity_units, 0);
    let index = &on_demand.global_secondary_indexes[0];
    assert_eq!(index.provisioned_throughput.write_capacity_units, 0);
    let again = tables.update(|t| t.billing_mode = Some(BillingMode::PayPerRequest)).unwrap();
    assert_eq!(again.table_status, TableStatus::Active, "an accepted no-op");

    check(&tables, |t| t.provisioned_throughput = Some(units(1, 1)), neither);
    check(
        &tables,
        |t| t.billing_mode = Some(BillingMode::Provisioned),
        "P: ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
    );
    let back = |t: &mut UpdateTableInput| {
        t.billing_mode = Some(BillingMode::Provisioned);
        t.provisioned_throughput = Some(units(1, 2));
    };
    check(&tables, back, "P: ProvisionedThroughput must be specified for index: idx");
    let provisioned = tables.update(|t| {
        back(t);
        t.global_secondary_index_updates =
            Some(vec![GlobalIndexUpdate::update(GlobalIndexThroughputUpdate {
                index_name: index_name("idx"),
                provisioned_throughput: Some(units(3, 4)),
                on_demand_throughput: None,
                warm_throughput: None,
            })]);
    });
    let provisioned = provisioned.unwrap();
    let summary = provisioned.billing_mode_summary.unwrap();
    assert_eq!(summary.billing_mode, BillingMode::Provisioned);
    assert_eq!(provisioned.global_secondary_indexes[0].provisioned_throughput.read_capacity_units, 3);
}

#[test]
fn caps_are_set_and_cleared() {
    let tables = Tables::with_table();
    let set = |reads, writes| {
        move |t: &mut UpdateTableInput| {
            t.on_demand_throughput =
                Some(OnDemandThroughput { max_read_units: reads, max_write_units: writes });
        }
    };
    for bad in [0, -2] {
        check(
            &tables,
            set(Some(bad), None),
            "P: Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range",
        );
    }
    let shown = tables.update(set(Some(10), Some(20))).unwrap();
    assert_eq!(shown.table_status, TableStatus::Active);
    // What is cleared is shown as -1 in this answer, and is gone afterwards.
    let caps = |reads, writes| Some(OnDemandThroughput { max_read_units: reads, max_write_units: writes });
    let cleared = tables.update(set(Some(-1), None)).unwrap().on_demand_throughput;
    assert_eq!(cleared, caps(Some(-1), Some(20)));
    assert_eq!(tables.describe("Tbl").on_demand_throughput, caps(None, Some(20)));
    assert_eq!(tables.update(set(None, Some(-1))).unwrap().on_demand_throughput, caps(None, Some(-1)));
    assert_eq!(tables.describe("Tbl").on_demand_throughput, None);
    // A table without caps answers in the same way.
    let both = tables.update(set(Some(-1), Some(-1))).unwrap().on_demand_throughput;
    assert_eq!((both, tables.describe("Tbl").on_demand_throughput), (caps(Some(-1), Some(-1)), None));
    check(
        &Tables::provisioned(),
        set(Some(1), None),
        "P: MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED",
    );
    check(
        &Tables::provisioned(),
        set(None, Some(-1)),
        "P: MaxWriteRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED",
    );
}

#[test]
fn warm_throughput_only_rises() {
    let tables = Tables::with_table();
    let warm = |reads| {
        move |t: &mut UpdateTableInput| {
            t.warm_throughput = Some(WarmThroughputInput {
                read_units_per_second: Some(reads),
                write_units_per_second: None,
            });
        }
    };
    let shown = tables.update(warm(15_000)).unwrap();
    assert_eq!(shown.warm_throughput.unwrap().status, TableStatus::Updating);
    check(
        &tables,
        warm(14_000),
        "P: Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, decreasing \
         WarmThroughput is not supported",
    );
    let warm = tables.describe("Tbl").warm_throughput.unwrap();
    assert_eq!((warm.read_units_per_second, warm.write_units_per_second), (15_000, 4_000));
}

#[test]
fn encryption_changes_only_to_something_else() {
    let tables = Tables::with_table();
    let set = |enabled: bool, key: Option<&str>| {
        let kms_master_key_id = key.map(str::to_owned);
        let sse_type = enabled.then_some(SseType::Kms);
        move |t: &mut UpdateTableInput| {
            t.sse_specification =
                Some(SseSpecification { enabled: Some(enabled), sse_type, kms_master_key_id });
        }
    };
    check(&tables, set(false, None), "P: Table is already encrypted by default");
    let shown = tables.update(set(true, None)).unwrap();
    assert!(shown.sse_description.unwrap().is_updating);
    check(
        &tables,
        set(true, None),
        "P: Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change \
         Master Key",
    );
    tables.update(set(true, Some("other"))).unwrap();
    assert_eq!(tables.update(set(false, None)).unwrap().sse_description, None);
}

#[test]
fn class_and_protection_are_kept() {
    let tables = Tables::with_table();
    let shown = tables.update(|t| t.table_class = Some(TableClassInput::StandardInfrequentAccess)).unwrap();
    assert_eq!(shown.table_status, TableStatus::Updating);
    let summary = tables.describe("Tbl").table_class_summary.unwrap();
    assert_eq!(summary.table_class, TableClassInput::StandardInfrequentAccess);
    assert!(summary.last_update_date_time.is_some());
    for protected in [true, true, false] {
        let shown = tables.update(|t| t.deletion_protection_enabled = Some(protected)).unwrap();
        assert_eq!((shown.deletion_protection_enabled, shown.table_status), (protected, TableStatus::Active));
    }
}
