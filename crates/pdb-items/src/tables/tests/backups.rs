//! Backups and recovery: `dynamodb.md` 14.

use pdb_model::{BillingMode, EpochMillis, OnDemandThroughput};

use super::*;

fn item(n: &str) -> Item {
    Item::new().with("a", n).with("b", "x").with("c", n)
}

/// With a table of two items, a global index, a stream, tags and expiry.
fn rich() -> Tables {
    let tables = Tables::new();
    let mut input = streaming();
    input.attribute_definitions.push(definition("c", ScalarType::S));
    input.global_secondary_indexes = Some(vec![global("idx", &["c"], &[])]);
    input.tags = Some(vec![Tag::new("k", "v")]);
    input.deletion_protection_enabled = Some(true);
    tables.create_table(input).unwrap();
    let ttl = TimeToLiveSpecification { enabled: true, attribute_name: "ttl".to_owned() };
    tables.update_time_to_live(&table("Tbl"), ttl).unwrap();
    tables.put("Tbl", item("1").with("ttl", 100));
    tables.put("Tbl", item("2"));
    tables
}

#[test]
fn a_backup_survives_its_table_and_is_restored() {
    let tables = rich();
    let made = tables.create_backup(&table("Tbl"), "first").unwrap();
    assert_eq!(made.backup_status, BackupStatus::Creating);
    assert!(
        made.backup_arn
            .starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/backup/01772356542017-")
    );
    let rows = tables.rows("Tbl", None);
    tables.put("Tbl", item("3"));
    tables.update(|t| t.deletion_protection_enabled = Some(false)).unwrap();
    tables.delete_table(&table("Tbl")).unwrap();

    let described = tables.describe_backup(&made.backup_arn).unwrap();
    assert_eq!(described.details.backup_status, BackupStatus::Available);
    assert_eq!((described.source.item_count, described.time_to_live_attribute.as_deref()), (2, Some("ttl")));

    let restored = tables
        .restore_table_from_backup(&table("Copy"), &made.backup_arn, RestoreOverrides::default())
        .unwrap();
    assert_eq!(restored.table_status, TableStatus::Creating);
    assert!(restored.restore_summary.unwrap().restore_in_progress);
    assert_eq!(tables.rows("Copy", None), rows);
    assert_eq!(tables.rows("Copy", Some("idx")).len(), 2);
    let copy = tables.describe("Copy");
    assert_eq!((copy.item_count, copy.table_size_bytes), (2, made.backup_size_bytes));
    assert_eq!((copy.latest_stream_arn, copy.deletion_protection_enabled), (None, false));
    assert_eq!(copy.restore_summary.unwrap().source_backup_arn, Some(made.backup_arn.clone()));
    assert_eq!(tables.describe_time_to_live(&table("Copy")).unwrap(), None);
    assert_eq!(tables.expired("Copy", 1000).len(), 0);
    assert_eq!(tables.list_tags_of_resource(&copy.table_arn).unwrap(), []);

    check_error(
        tables.restore_table_from_backup(&table("Copy"), &made.backup_arn, RestoreOverrides::default()),
        "TableAlreadyExists",
        "Table already exists: Copy",
    );
    let deleted = tables.delete_backup(&made.backup_arn).unwrap();
    assert_eq!(deleted.details.backup_status, BackupStatus::Deleted);
    let gone = format!("Backup not found: {}", made.backup_arn);
    check_error(tables.describe_backup(&made.backup_arn), "BackupNotFound", &gone);
    check_error(tables.delete_backup(&made.backup_arn), "BackupNotFound", &gone);
    check_refused(tables.describe_backup("nonsense"), "Invalid Backup ARN");
    check_error(tables.create_backup(&table("missing"), "name"), "TableNotFound", "Table not found: missing");
}

#[test]
fn backups_are_listed_by_table_and_time() {
    let tables = rich();
    tables.create_table(CreateTableInput { table_name: table("Other"), ..simple() }).unwrap();
    for (name, backup) in [("Tbl", "one"), ("Other", "two"), ("Tbl", "one")] {
        tables.create_backup(&table(name), backup).unwrap();
        tables.advance(10);
    }
    let list = |input: ListBackupsInput| tables.list_backups(&input).unwrap();
    let all = list(ListBackupsInput::default());
    assert_eq!(all.backup_summaries.len(), 3);
    let of_table = ListBackupsInput { table_name: Some(table("Tbl")), ..ListBackupsInput::default() };
    assert_eq!(list(of_table.clone()).backup_summaries.len(), 2);
    let later = Some(EpochMillis(1_772_356_542_017 + 10_000));
    let bounded = ListBackupsInput { time_range_lower_bound: later, ..ListBackupsInput::default() };
    assert_eq!(list(bounded).backup_summaries.len(), 2);
    let bounded = ListBackupsInput { time_range_upper_bound: later, ..ListBackupsInput::default() };
    assert_eq!(list(bounded).backup_summaries.len(), 1);
    let system = ListBackupsInput { only_system: true, ..ListBackupsInput::default() };
    assert_eq!(list(system).backup_summaries.len(), 0);

    let first = list(ListBackupsInput { limit: Some(1), ..of_table.clone() });
    assert_eq!(first.backup_summaries.len(), 1);
    let rest = list(ListBackupsInput {
        limit: Some(1),
        exclusive_start_backup_arn: first.last_evaluated_backup_arn,
        ..of_table
    });
    assert_eq!((rest.backup_summaries.len(), rest.last_evaluated_backup_arn), (1, None));
    assert_ne!(rest.backup_summaries, first.backup_summaries);
}

#[test]
fn restores_override_indexes_and_billing() {
    let tables = rich();
    let arn = tables.create_backup(&table("Tbl"), "one").unwrap().backup_arn;
    let restore = |overrides| tables.restore_table_from_backup(&table("Copy"), &arn, overrides);
    check_refused(
        restore(RestoreOverrides {
            global_secondary_indexes: Some(vec![global("other", &["c"], &[])]),
            ..RestoreOverrides::default()
        }),
        "Invalid Request: Index other does not match a secondary index that existed in the source table and cannot be created \
         during the restore operation",
    );
    check_refused(
        restore(RestoreOverrides {
            billing_mode: Some(BillingMode::PayPerRequest),
            provisioned_throughput: Some(units(1, 1)),
            ..RestoreOverrides::default()
        }),
        "Invalid Request: Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST",
    );
    for units in [0, -1] {
        let caps = OnDemandThroughput { max_read_units: None, max_write_units: Some(units) };
        let out_of_range = "Invalid Request: Requested MaxWriteRequestUnits for OnDemandThroughput is outside of valid range";
        let of_table = RestoreOverrides { on_demand_throughput: Some(caps), ..RestoreOverrides::default() };
        check_refused(restore(of_table), out_of_range);
        let mut index = global("idx", &["c"], &[]);
        index.on_demand_throughput = Some(caps);
        let of_index =
            RestoreOverrides { global_secondary_indexes: Some(vec![index]), ..RestoreOverrides::default() };
        check_refused(restore(of_index), out_of_range);
    }
    let index = global("idx", &["c"], &[]);
    check_refused(
        restore(RestoreOverrides {
            global_secondary_indexes: Some(vec![index.clone(), index]),
            ..RestoreOverrides::default()
        }),
        "P: Duplicate index name: idx",
    );
    let to_provisioned = RestoreOverrides {
        billing_mode: Some(BillingMode::Provisioned),
        provisioned_throughput: Some(units(3, 4)),
        ..RestoreOverrides::default()
    };
    check_refused(restore(to_provisioned), "P: ProvisionedThroughput must be specified for index: idx");
    let restored = restore(RestoreOverrides {
        billing_mode: Some(BillingMode::Provisioned),
        provisioned_throughput: Some(units(3, 4)),
        global_secondary_indexes: Some(vec![]),
        ..RestoreOverrides::default()
    });
    let restored = restored.unwrap();
    assert_eq!(restored.provisioned_throughput.read_capacity_units, 3);
    assert_eq!((restored.global_secondary_indexes.len(), restored.attribute_definitions.len()), (0, 2));
}

/// Restores `Tbl` to a moment, or to the latest one, and returns what the new table has.
fn past(tables: &Tables, moment: Option<i64>) -> Result<Vec<String>, ItemsError> {
    let restored = tables.restore_table_to_point_in_time(RestoreToPointInTimeInput {
        source_table: "Tbl".to_owned(),
        target_table_name: table("Past"),
        use_latest_restorable_time: moment.is_none(),
        restore_date_time: moment.map(EpochMillis),
        overrides: RestoreOverrides::default(),
    })?;
    assert!(restored.restore_summary.unwrap().restore_in_progress);
    let rows = tables.rows("Past", None);
    assert_eq!(tables.rows("Past", Some("idx")).len(), rows.len());
    tables.delete_table(&table("Past")).unwrap();
    Ok(rows)
}

#[test]
fn a_table_is_restored_to_every_moment_since_recovery_was_enabled() {
    let tables = rich();
    let begin = 1_772_356_542_017;
    tables.update_continuous_backups(&table("Tbl"), true, None).unwrap();
    tables.advance(1);
    // Two changes of one millisecond: only what is left of them can be restored.
    tables.put("Tbl", item("2").with("n", 1));
    tables.put("Tbl", item("2").with("n", 2));
    tables.advance(1);
    tables.put("Tbl", item("3"));
    let count = |moment: i64, text: &str| {
        let rows = past(&tables, Some(moment)).unwrap();
        (rows.len(), rows.iter().filter(|row| row.contains(text)).count())
    };
    let (one, two) = (r#""n":{"N":"1"}"#, r#""n":{"N":"2"}"#);
    assert_eq!((count(begin, one), count(begin, two)), ((2, 0), (2, 0)));
    assert_eq!(count(begin + 999, two), (2, 0));
    assert_eq!((count(begin + 1000, one), count(begin + 1000, two)), ((2, 0), (2, 1)));
    assert_eq!(count(begin + 1999, two), (2, 1));
    assert_eq!(count(begin + 2000, two), (3, 1));
    assert_eq!(past(&tables, None).unwrap().len(), 3);

    // Outside of the window.
    for moment in [begin - 1, begin + 2001] {
        check_error(
            past(&tables, Some(moment)),
            "InvalidRestoreTime",
            "The specified restore time is not within the restorable window",
        );
    }
    // With a clock that was set back, the newest change is the latest moment, and changes are of that moment.
    tables.db.clock.set(EpochMillis(begin + 500));
    tables.put("Tbl", item("4"));
    let window = tables.describe_continuous_backups(&table("Tbl")).unwrap().unwrap();
    assert_eq!(window.latest_restorable_date_time, EpochMillis(begin + 2000));
    assert_eq!((count(begin + 1999, two), count(begin + 2000, two)), ((2, 1), (4, 1)));
    // Switched off and on, nothing is left of the past, but the settings of the period are.
    tables.update_continuous_backups(&table("Tbl"), false, None).unwrap();
    let again = tables.update_continuous_backups(&table("Tbl"), true, Some(3)).unwrap().unwrap();
    assert_eq!(again.earliest_restorable_date_time, EpochMillis(begin + 500));
    assert_eq!(
        (again.latest_restorable_date_time, again.recovery_period_in_days),
        (EpochMillis(begin + 500), 3)
    );
    assert_eq!(past(&tables, None).unwrap().len(), 4);
}

#[test]
fn the_window_is_as_long_as_the_period() {
    let tables = rich();
    let day = 24 * 60 * 60;
    tables.update_continuous_backups(&table("Tbl"), true, Some(2)).unwrap();
    let days_back = || {
        let window = tables.describe_continuous_backups(&table("Tbl")).unwrap().unwrap();
        (window.latest_restorable_date_time.0 - window.earliest_restorable_date_time.0) / 86_400_000
    };
    tables.advance(day);
    assert_eq!(days_back(), 1);
    tables.advance(9 * day);
    assert_eq!(days_back(), 2);
    // Nothing was trimmed yet, so a longer period reaches back further, but not before the beginning.
    tables.update_continuous_backups(&table("Tbl"), true, Some(35)).unwrap();
    assert_eq!(days_back(), 10);
}

#[test]
fn recovery_is_switched_and_restores_the_latest_state() {
    let tables = rich();
    let name = table("Tbl");
    check_error(
        tables.describe_continuous_backups(&table("missing")),
        "TableNotFound",
        "Table not found: missing",
    );
    assert_eq!(tables.describe_continuous_backups(&name).unwrap(), None);
    check_refused(
        tables.update_continuous_backups(&name, false, Some(3)),
        "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.",
    );
    let restore = |latest, moment| {
        tables.restore_table_to_point_in_time(RestoreToPointInTimeInput {
            source_table: "Tbl".to_owned(),
            target_table_name: table("Copy"),
            use_latest_restorable_time: latest,
            restore_date_time: moment,
            overrides: RestoreOverrides::default(),
        })
    };
    check_error(
        restore(true, None),
        "PointInTimeRecoveryUnavailable",
        "Point in time recovery is not enabled for table 'Tbl'",
    );
    let enabled = tables.update_continuous_backups(&name, true, None).unwrap().unwrap();
    assert_eq!(enabled.recovery_period_in_days, 35);
    let both = "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both";
    check_refused(restore(true, Some(EpochMillis(1))), both);
    check_refused(restore(false, None), both);
    tables.advance(60);
    let outside = restore(false, Some(EpochMillis(1)));
    assert!(matches!(outside, Err(ItemsError::InvalidRestoreTime(_))), "{outside:?}");
    restore(true, None).unwrap();
    assert_eq!(tables.rows("Copy", None), tables.rows("Tbl", None));
    assert_eq!(tables.rows("Copy", Some("idx")).len(), 2);
    assert_eq!(tables.update_continuous_backups(&name, false, None).unwrap(), None);
}
