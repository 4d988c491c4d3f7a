use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn hashed(number: &Number) -> Vec<u8> {
    let mut hashed = Vec::new();
    number.with_hashed_bytes(|bytes| hashed.extend_from_slice(bytes));
    hashed
}

fn stored(number: &Number) -> Vec<u8> {
    let mut stored = Vec::new();
    number.write_key_bytes(&mut stored);
    stored
}

#[test]
fn hashed_bytes_are_those_of_oracles_numbers() {
    for (text, bytes) in [
        ("42", "c12b"),
        ("-42", "3e3b66"),
        ("0", "80"),
        ("0.5", "c033"),
        ("-0.001", "405b66"),
        ("12345678901234567890", "ca0d23394f5b0d23394f5b"),
        ("100", "c202"),
        ("1000", "c20b"),
        ("-100", "3d6466"),
        ("1e125", "ff0b"),
        ("-1e125", "005b66"),
        ("1e-130", "8002"),
        ("-1e-130", "7f6466"),
        // Twenty digits of base 100: nothing follows them.
        ("9999999999999999999999999999999999999.9", "d30a6464646464646464646464646464646464645b"),
        ("-1234567890123456789012345678901234567.8", "2c644e38220c644e38220c644e38220c644e382215"),
    ] {
        let hex: String = hashed(&number(text)).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, bytes, "{text}");
    }
}

#[test]
fn what_no_number_wrote_is_none() {
    for bytes in [
        &[][..],
        &[3],
        &[2],
        &[2, 130],
        &[2, 130, 0],
        &[2, 130, 2],
        &[2, 130, 102, 0],
        &[0, 125, 0xfe, 0],
        &[2, 255, 101, 101, 0],
        &[2, 0, 0],
    ] {
        assert_eq!(Number::from_key_bytes(bytes).map(|(number, _)| number), None, "{bytes:?}");
    }
    let mut endless = vec![2, 200];
    endless.extend([100; 60]);
    assert_eq!(Number::from_key_bytes(&endless), None);
}

prop_compose! {
    fn any_number()(negative: bool, digits in "[0-9]{1,38}", exponent in -130i32..126) -> Option<Number> {
        format!("{}{digits}e{exponent}", if negative { "-" } else { "" }).parse().ok()
    }
}

proptest! {
    #[test]
    fn orders_of_bytes_are_that_of_numbers(a in any_number(), b in any_number()) {
        let (Some(a), Some(b)) = (a, b) else { return Ok(()); };
        prop_assert_eq!(stored(&a).cmp(&stored(&b)), a.cmp(&b));
        prop_assert_eq!(hashed(&a).cmp(&hashed(&b)), a.cmp(&b));
    }

    #[test]
    fn stored_bytes_are_read_again(number in any_number(), rest in proptest::collection::vec(any::<u8>(), 0..3)) {
        let Some(number) = number else { return Ok(()); };
        let mut bytes = stored(&number);
        bytes.extend_from_slice(&rest);
        prop_assert_eq!(Number::from_key_bytes(&bytes), Some((number, rest.as_slice())));
    }

    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
        if let Some((number, rest)) = Number::from_key_bytes(&bytes) {
            // Another spelling of the same number is none that was written.
            let written = stored(&number);
            prop_assert!(written.len() <= bytes.len() - rest.len() || written[..] != bytes[..bytes.len() - rest.len()]);
        }
    }
}
