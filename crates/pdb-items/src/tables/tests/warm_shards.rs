//! Shards that warm throughput opens.

use super::*;

fn tables(warm_shards: bool) -> Tables {
    let Tables { db, manager } = Tables::new();
    Tables { db, manager: manager.with_warm_shards(warm_shards) }
}

fn warm(reads: impl Into<Option<i64>>, writes: impl Into<Option<i64>>) -> WarmThroughputInput {
    WarmThroughputInput { read_units_per_second: reads.into(), write_units_per_second: writes.into() }
}

/// The ranges of the open shards of `Tbl`, in order.
fn ranges(tables: &Tables) -> Vec<(u64, u64)> {
    let stored = tables.stored("Tbl");
    let shards = &stored.stream.as_ref().unwrap().shards;
    let mut ranges: Vec<_> = shards.iter().map(|shard| (shard.hash_from, shard.hash_to)).collect();
    ranges.sort_unstable();
    assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, u64::MAX));
    assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{ranges:?}");
    ranges
}

#[test]
fn a_new_stream_has_a_shard_for_each_partition() {
    for (reads, writes, shards) in [
        (12_000, 4_000, 4),
        (12_001, 4_000, 5),
        (12_000, 4_001, 5),
        (15_000, 8_000, 8),
        (40_000, 4_000, 14),
        (30_000, 9_999, 10),
        (1_000_000_000, 4_000, 64),
        (12_000, i64::MAX, 64),
    ] {
        for (setting, expected) in [(true, shards), (false, 2)] {
            let tables = tables(setting);
            let warm_throughput = Some(warm(reads, writes));
            tables.create_table(CreateTableInput { warm_throughput, ..streaming() }).unwrap();
            assert_eq!(ranges(&tables).len(), expected, "{reads} {writes}");
        }
    }
}

#[test]
fn without_warm_throughput_it_has_as_many_as_ever() {
    let tables = tables(true);
    tables.create_table(streaming()).unwrap();
    assert_eq!(ranges(&tables).len(), 2);
}

#[test]
fn a_stream_that_is_enabled_later_has_them_too() {
    let tables = tables(true);
    tables.create_table(CreateTableInput { warm_throughput: Some(warm(None, 5_500)), ..simple() }).unwrap();
    let on = StreamSpecification::enabled(StreamViewType::NewImage);
    tables.update(|t| t.stream_specification = Some(on)).unwrap();
    assert_eq!(ranges(&tables).len(), 6);
}

#[test]
fn raised_throughput_splits_the_widest_shards_that_are_open() {
    let tables = tables(true);
    tables
        .create_table(CreateTableInput { warm_throughput: Some(warm(None, 4_000)), ..streaming() })
        .unwrap();
    let before = ranges(&tables);
    let raise = |reads: Option<i64>, writes: Option<i64>| {
        tables.update(|t| t.warm_throughput = Some(warm(reads, writes))).unwrap();
        ranges(&tables)
    };
    // Enough as it is.
    assert_eq!(raise(Some(12_000), None), before);
    let six = raise(Some(18_000), None);
    assert_eq!(six.len(), 6);
    // Two were split in the middle, two are as they were.
    assert_eq!(six.iter().filter(|range| before.contains(range)).count(), 2);
    let thirteen = raise(None, Some(12_500));
    assert_eq!(thirteen.len(), 13);
    let width = |range: &(u64, u64)| range.1 - range.0;
    let widest = thirteen.iter().map(width).max().unwrap();
    assert!(widest <= width(&before[0]) / 2, "{thirteen:?}");
    assert_eq!(raise(None, Some(9_000_000)).len(), 64);
}

#[test]
fn a_table_without_stream_has_none_to_split() {
    let tables = tables(true);
    tables.create_table(simple()).unwrap();
    tables.update(|t| t.warm_throughput = Some(warm(None, 9_000))).unwrap();
    assert!(tables.stored("Tbl").stream.is_none());
}
