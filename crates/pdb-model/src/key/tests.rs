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
    assert_eq!(schema().extract_exact(&superfluous), Err(KeyError::Superfluous));
}

#[test]
fn tokens_never_change() {
    // Stored in every database: a change of this figure needs a migration.
    let key = KeyBytes::partition(&[KeyValue::S("pretender".into())]);
    assert_eq!(key.token(), 0xbd04_d264_6899_3941, "{:x}", key.token());
}

#[test]
fn nothing_is_greater_than_all_bytes_set() {
    assert_eq!(KeyBytes(vec![0xff, 0xff]).after_all_with_prefix(), Bound::Unbounded);
    assert_eq!(KeyBytes(vec![1, 0xff]).after_all_with_prefix(), Bound::Excluded(vec![2]));
}

proptest! {
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
        let below_end = match low.after_all_with_prefix() {
            Bound::Excluded(end) => key < end,
            _ => true,
        };
        prop_assert_eq!(key >= low.into_bytes() && below_end, value.starts_with(&prefix));
    }
}
