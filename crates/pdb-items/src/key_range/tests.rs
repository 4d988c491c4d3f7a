use super::*;

fn key(sort: i64) -> Vec<u8> {
    PrimaryKey { hash: vec![KeyValue::S("p".into())], range: vec![KeyValue::N(sort.into())] }
        .encode()
        .into_bytes()
}

/// Which of the sort keys 1 to 5 a query reads.
#[track_caller]
fn check(test: Option<RangeTest>, expected: &[i64]) {
    let range = PartitionSlice { hash: vec![KeyValue::S("p".into())], equal: Vec::new(), test }.range();
    let found: Vec<i64> = (1..=5).filter(|&sort| range.contains(&key(sort))).collect();
    assert_eq!(found, expected);
}

#[test]
fn tests_select_sort_keys() {
    let n = |number: i64| KeyValue::N(number.into());
    check(None, &[1, 2, 3, 4, 5]);
    check(Some(RangeTest::Less(n(3))), &[1, 2]);
    check(Some(RangeTest::LessOrEqual(n(3))), &[1, 2, 3]);
    check(Some(RangeTest::Greater(n(3))), &[4, 5]);
    check(Some(RangeTest::GreaterOrEqual(n(3))), &[3, 4, 5]);
    check(Some(RangeTest::Between(n(2), n(4))), &[2, 3, 4]);
    check(Some(RangeTest::Between(n(4), n(2))), &[]);
}

#[test]
fn going_on_leaves_out_the_start_key() {
    let slice = PartitionSlice { hash: vec![KeyValue::S("p".into())], equal: Vec::new(), test: None };
    let left = |range: ByteRange| (1..=5).filter(|&sort| range.contains(&key(sort))).collect::<Vec<i64>>();
    assert_eq!(left(slice.range().after(&key(3), true)), [4, 5]);
    assert_eq!(left(slice.range().after(&key(3), false)), [1, 2]);
}

#[test]
fn segments_are_disjoint_and_complete() {
    for total in [1, 2, 3, 7, 1_000_000] {
        let first = ByteRange::segment(0, total);
        assert_eq!(first.lower, Vec::<u8>::new());
        assert_eq!(ByteRange::segment(total - 1, total).upper, None);
        for segment in 1..total.min(10) {
            assert_eq!(
                ByteRange::segment(segment - 1, total).upper.as_ref(),
                Some(&ByteRange::segment(segment, total).lower)
            );
        }
    }
}
