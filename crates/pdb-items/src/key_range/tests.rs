use pdb_model::PrimaryKey;

use super::*;

fn key(sort: i64) -> Vec<u8> {
    PrimaryKey { hash: vec![KeyValue::S("p".into())], range: vec![KeyValue::N(sort.into())] }
        .encode()
        .into_bytes()
}

/// Which of the sort keys 1 to 5 a query reads.
#[track_caller]
fn check(range: Option<KeyComparison<KeyValue>>, expected: &[i64]) {
    let range =
        range_of(&KeyCondition { hash: vec![KeyValue::S("p".into())], range_equal: Vec::new(), range });
    let found: Vec<i64> = (1..=5).filter(|&sort| range.contains(&key(sort))).collect();
    assert_eq!(found, expected);
}

#[test]
fn tests_select_sort_keys() {
    let n = |number: i64| KeyValue::N(number.into());
    check(None, &[1, 2, 3, 4, 5]);
    check(Some(KeyComparison::Less(n(3))), &[1, 2]);
    check(Some(KeyComparison::LessOrEqual(n(3))), &[1, 2, 3]);
    check(Some(KeyComparison::Greater(n(3))), &[4, 5]);
    check(Some(KeyComparison::GreaterOrEqual(n(3))), &[3, 4, 5]);
    check(Some(KeyComparison::Between(n(2), n(4))), &[2, 3, 4]);
    check(Some(KeyComparison::Between(n(4), n(2))), &[]);
}

#[test]
fn going_on_leaves_out_the_start_key() {
    let whole = || ByteRange::prefix(&KeyBytes::partition(&[KeyValue::S("p".into())]));
    let left = |range: ByteRange| (1..=5).filter(|&sort| range.contains(&key(sort))).collect::<Vec<i64>>();
    assert_eq!(left(whole().after(&key(3), true)), [4, 5]);
    assert_eq!(left(whole().after(&key(3), false)), [1, 2]);
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
