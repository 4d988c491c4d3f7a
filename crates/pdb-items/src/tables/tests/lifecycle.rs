//! What descriptions show over the life of a table: `dynamodb.md` 3.2, `streams.md` 2.7.

use super::*;

#[test]
fn a_created_table_is_shown_as_aws_shows_it() {
    let tables = Tables::new();
    let mut input = streaming();
    input.global_secondary_indexes = Some(vec![global("idx", &["b"], &[])]);
    let created = tables.create_table(input).unwrap();
    assert_eq!(created.table_status, TableStatus::Creating);
    assert_eq!(created.table_arn, "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl");
    assert_eq!(created.table_id.len(), 36);
    assert_eq!(created.creation_date_time.unwrap().0, 1_772_356_542_017);
    assert_eq!((created.item_count, created.table_size_bytes), (0, 0));
    assert_eq!(created.billing_mode_summary.unwrap().last_update_to_pay_per_request_date_time, None);
    assert_eq!((created.warm_throughput, created.table_class_summary), (None, None));
    assert_eq!(created.stream_view_type, Some(StreamViewType::NewAndOldImages));
    assert!(created.latest_stream_arn.is_some());
    let index = &created.global_secondary_indexes[0];
    assert_eq!((index.index_status, index.backfilling), (TableStatus::Creating, None));
    assert_eq!(index.warm_throughput, None);
    assert_eq!(index.index_arn, "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/index/idx");

    let described = tables.describe("Tbl");
    assert_eq!(described.table_status, TableStatus::Active);
    assert_eq!(described.table_id, created.table_id);
    let warm = described.warm_throughput.unwrap();
    assert_eq!((warm.read_units_per_second, warm.write_units_per_second), (12_000, 4_000));
    let since = described.billing_mode_summary.unwrap().last_update_to_pay_per_request_date_time;
    assert_eq!(since, described.creation_date_time);
    assert_eq!(described.global_secondary_indexes[0].index_status, TableStatus::Active);

    tables.put("Tbl", Item::new().with("a", "1").with("b", "22"));
    let described = tables.describe("Tbl");
    assert_eq!((described.item_count, described.table_size_bytes), (1, 5));
    assert_eq!(described.global_secondary_indexes[0].item_count, 1);
}

#[test]
fn provisioned_tables_show_no_billing_mode() {
    let described = Tables::provisioned().describe("Tbl");
    assert_eq!(described.billing_mode_summary, None);
    assert_eq!(described.provisioned_throughput.read_capacity_units, 5);
    assert_eq!(described.warm_throughput.unwrap().read_units_per_second, 5);
}

#[test]
fn a_deleted_table_is_hardly_shown_and_leaves_its_stream() {
    let tables = Tables::new();
    tables.create_table(streaming()).unwrap();
    tables.put("Tbl", Item::new().with("a", "1").with("b", "22"));
    let deleted = tables.delete_table(&table("Tbl")).unwrap();
    assert_eq!(deleted.table_status, TableStatus::Deleting);
    assert_eq!((deleted.item_count, deleted.table_size_bytes), (1, 5));
    assert!(deleted.billing_mode_summary.is_some());
    assert!(deleted.key_schema.is_empty() && deleted.attribute_definitions.is_empty());
    assert_eq!((deleted.creation_date_time, deleted.warm_throughput), (None, None));
    assert_eq!((deleted.stream_view_type, deleted.latest_stream_arn), (None, None));

    for result in [tables.describe_table(&table("Tbl")), tables.delete_table(&table("Tbl"))] {
        check_error(result, "ResourceNotFound", "Requested resource not found: Table: Tbl not found");
    }
    let again = tables.create_table(streaming()).unwrap();
    assert_ne!(again.table_id, deleted.table_id);
    assert_eq!(tables.describe("Tbl").item_count, 0);
    let streams = tables.db.read(|tx| tx.streams(Some(&table("Tbl"))));
    let labels: Vec<&str> = streams.iter().map(|stream| stream.label().as_str()).collect();
    assert_eq!(labels, ["2026-03-01T09:15:42.017", "2026-03-01T09:15:42.018"]);
    assert!(streams[0].disabled.is_some() && streams[1].disabled.is_none());
}

#[test]
fn protected_tables_stay() {
    let tables = Tables::new();
    tables.create_table(CreateTableInput { deletion_protection_enabled: Some(true), ..streaming() }).unwrap();
    check_refused(
        tables.delete_table(&table("Tbl")),
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    );
    assert!(tables.stored("Tbl").stream.is_some());
}

#[test]
fn names_are_listed_in_byte_order_page_by_page() {
    let tables = Tables::new();
    for name in ["banana", "Zebra", "apple", "a.b", "a-b"] {
        tables.create_table(CreateTableInput { table_name: table(name), ..simple() }).unwrap();
    }
    let list = |after: Option<&str>, limit| {
        let output = tables
            .list_tables(&ListTablesInput { exclusive_start_table_name: after.map(str::to_owned), limit })
            .unwrap();
        let names: Vec<String> = output.table_names.iter().map(ToString::to_string).collect();
        (names.join(" "), output.last_evaluated_table_name.map(|name| name.to_string()))
    };
    assert_eq!(list(None, None), ("Zebra a-b a.b apple banana".to_owned(), None));
    assert_eq!(list(None, Some(2)), ("Zebra a-b".to_owned(), Some("a-b".to_owned())));
    assert_eq!(list(Some("a-b"), Some(2)), ("a.b apple".to_owned(), Some("apple".to_owned())));
    assert_eq!(list(Some("apple"), Some(1)), ("banana".to_owned(), None));
    assert_eq!(list(Some("aaa"), Some(100)), ("apple banana".to_owned(), None), "a cursor need not exist");
    assert_eq!(list(Some("zzz"), None), (String::new(), None));
}
