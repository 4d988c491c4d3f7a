use super::*;

#[track_caller]
fn check_read(size_bytes: u64, expected: &str) {
    let units = [Consistency::Eventual, Consistency::Strong, Consistency::Transactional]
        .map(|consistency| CapacityUnits::of_read(size_bytes, consistency).to_string());
    assert_eq!(units.join(" "), expected);
}

#[test]
fn reads_cost_a_unit_for_each_4_kb_begun() {
    // Eventual, strong, transactional.
    check_read(0, "0.5 1.0 2.0");
    check_read(1, "0.5 1.0 2.0");
    check_read(4096, "0.5 1.0 2.0");
    check_read(4097, "1.0 2.0 4.0");
    check_read(409_600, "50.0 100.0 200.0");
}

#[test]
fn writes_cost_a_unit_for_each_kb_begun() {
    let units = [0, 1, 1024, 1025, 409_600].map(|size| CapacityUnits::of_write(size).to_string());
    assert_eq!(units, ["1.0", "1.0", "1.0", "2.0", "400.0"]);
}

#[test]
fn a_report_sums_and_names_only_what_was_touched() {
    let table: TableName = "music".parse().unwrap();
    let (by_genre, by_year): (IndexName, IndexName) =
        ("by-genre".parse().unwrap(), "by-year".parse().unwrap());
    let mut meter = Meter::default();
    meter.charge_table(CapacityUnits::whole(1));
    meter.charge_global(&by_genre, CapacityUnits::whole(2));
    meter.charge_local(&by_year, CapacityUnits::ZERO);
    assert_eq!(meter.report(&table, ReturnConsumedCapacity::None, RequestKind::NonTransactional), None);

    let total = meter.report(&table, ReturnConsumedCapacity::Total, RequestKind::NonTransactional).unwrap();
    assert_eq!(total.total.capacity_units, CapacityUnits::whole(3));
    assert_eq!((total.table, total.global_secondary_indexes.len()), (None, 0));

    meter.double();
    let parts = meter.report(&table, ReturnConsumedCapacity::Indexes, RequestKind::TransactionWrite).unwrap();
    assert_eq!(parts.total.write_capacity_units, Some(CapacityUnits::whole(6)));
    assert_eq!(parts.table.unwrap().capacity_units, CapacityUnits::whole(2));
    assert_eq!(parts.global_secondary_indexes[&by_genre].capacity_units, CapacityUnits::whole(4));
    assert!(parts.local_secondary_indexes.is_empty());
}
