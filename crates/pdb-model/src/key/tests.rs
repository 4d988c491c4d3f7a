use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn schema() -> KeySchema {
    KeySchema::simple(
        KeyAttribute { name: "pk".into(), scalar_type: ScalarType::S },
        Some(KeyAttribute { name: "sk".into(), scalar_type: ScalarType::N }),
    )
}

#[test]
fn extraction_reports_the_first_fault() {
    let check = |item: Item, expected: Result<(), KeyError>| {
        assert_eq!(schema().extract(&item).map(|_| ()), expected, "{item}");
    };
    check(Item::new().with("pk", "a").with("sk", 1).with("x", true), Ok(()));
    check(Item::new().with("sk", 1), Err(KeyError::Missing("pk".into())));
    check(
        Item::new().with("pk", 1).with("sk", 1),
        Err(KeyError::WrongType { name: "pk".into(), expected: ScalarType::S, actual: "N" }),
    );
    check(
        Item::new().with("pk", "").with("sk", 1),
        Err(KeyError::Empty { name: "pk".into(), scalar_type: ScalarType::S }),
    );
    check(Item::new().with("pk", "x".repeat(2049)).with("sk", 1), Err(KeyError::HashTooLong));
    check(Item::new().with("pk", "x".repeat(2048)).with("sk", 1), Ok(()));
    let superfluous = Item::new().with("pk", "a").with("sk", 1).with("x", true);
    assert_eq!(schema().extract_exact(&superfluous), Err(KeyError::ExtraAttributes));
}

#[test]
fn shard_tokens_never_change() {
    // Which shard a key belongs to is stored in every database.
    let key = PrimaryKey { hash: vec![KeyValue::S("pretender".into())], range: vec![KeyValue::N(1.into())] };
    assert_eq!(key.shard_token(), 0xbd04_d264_6899_3941, "{:x}", key.shard_token());
}

#[test]
fn entries_of_global_indexes_have_a_tie_break() {
    let base = PrimaryKey { hash: vec![KeyValue::S("a".into())], range: Vec::new() };
    let index_key = PrimaryKey { hash: vec![KeyValue::S("i".into())], range: Vec::new() };
    let bytes = base.encode();
    let entry = |tie_break| KeyBytes::index_entry(&index_key, tie_break, &bytes).into_bytes();
    let (key, base_bytes) = (index_key.encode().into_bytes(), bytes.as_bytes());
    assert_eq!(entry(None), [&key, base_bytes].concat());
    assert_eq!(entry(Some(0x0102)), [&key[..], &[0, 0, 0, 0, 0, 0, 1, 2], base_bytes].concat());
    // Without a sort key, it is the token.
    assert_eq!(base.tie_break(&bytes).to_be_bytes(), base_bytes[..8]);
    let with_range = PrimaryKey { range: vec![KeyValue::S("b".into())], ..base };
    let whole = PrimaryKey { hash: vec![KeyValue::S("ab".into())], range: Vec::new() };
    assert_eq!(with_range.tie_break(&with_range.encode()).to_be_bytes(), whole.encode().as_bytes()[..8]);
}

#[test]
fn what_no_key_wrote_is_not_read() {
    for bytes in [
        &[][..],
        &[0; 7],
        &[0; 8],
        b"tokentok",
        b"tokentoka",
        b"tokentoka\0",
        b"tokentoka\0\x01",
        b"tokentok\xff\0\0",
        b"tokentoka\0\0\x02",
    ] {
        assert_eq!(KeyBytes::read(bytes, [ScalarType::S], [ScalarType::N]), None, "{bytes:?}");
    }
}

#[test]
fn nothing_is_greater_than_all_bytes_set() {
    assert_eq!(KeyBytes(vec![0xff, 0xff]).prefix_end(), Bound::Unbounded);
    assert_eq!(KeyBytes(vec![1, 0xff]).prefix_end(), Bound::Excluded(vec![2]));
}

fn any_value() -> impl Strategy<Value = KeyValue> {
    prop_oneof![
        any::<String>().prop_map(KeyValue::S),
        vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], 0..8).prop_map(KeyValue::B),
        any::<i64>().prop_map(|number| KeyValue::N(number.into())),
    ]
}

fn type_of(value: &KeyValue) -> ScalarType {
    match value {
        KeyValue::S(_) => ScalarType::S,
        KeyValue::N(_) => ScalarType::N,
        KeyValue::B(_) => ScalarType::B,
    }
}

proptest! {
    #[test]
    fn stored_keys_are_read_again(hash in vec(any_value(), 1..4), range in vec(any_value(), 0..4), rest in vec(any::<u8>(), 0..4)) {
        let key = PrimaryKey { hash, range };
        let mut bytes = key.encode().into_bytes();
        bytes.extend_from_slice(&rest);
        let read = KeyBytes::read(&bytes, key.hash.iter().map(type_of), key.range.iter().map(type_of));
        prop_assert_eq!(read, Some((key, rest.as_slice())));
    }

    #[test]
    fn reading_keys_never_panics(bytes in vec(any::<u8>(), 0..40)) {
        for scalar_type in [ScalarType::S, ScalarType::N, ScalarType::B] {
            let _ = KeyBytes::read(&bytes, [scalar_type], [scalar_type]);
        }
    }

    #[test]
    fn byte_order_is_value_order(a in vec(0u8..4, 0..6), b in vec(0u8..4, 0..6), next_a: i64, next_b: i64) {
        let partition = KeyBytes::partition(&[KeyValue::S("p".into())]);
        let (a, b) = ([KeyValue::B(a), KeyValue::N(next_a.into())], [KeyValue::B(b), KeyValue::N(next_b.into())]);
        prop_assert_eq!(partition.with_range(&a).cmp(&partition.with_range(&b)), a.cmp(&b));
    }

    #[test]
    fn a_prefix_covers_what_begins_with_it(value in vec(any::<u8>(), 1..6), prefix in vec(any::<u8>(), 0..3)) {
        let partition = KeyBytes::partition(&[KeyValue::S("p".into())]);
        let key = partition.with_range(&[KeyValue::B(value.clone())]).into_bytes();
        let low = partition.with_range_prefix(&KeyValue::B(prefix.clone()));
        let below_end = match low.prefix_end() {
            Bound::Excluded(end) => key < end,
            _ => true,
        };
        prop_assert_eq!(key >= low.into_bytes() && below_end, value.starts_with(&prefix));
    }
}
