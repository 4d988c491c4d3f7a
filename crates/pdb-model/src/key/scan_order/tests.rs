use super::*;

fn n(text: &str) -> KeyValue {
    KeyValue::N(text.parse().unwrap())
}

fn s(text: &str) -> KeyValue {
    KeyValue::S(text.to_owned())
}

#[test]
fn hashes_are_those_that_order_scans_of_dynamodb() {
    for (value, expected) in [
        (s("a"), 0xf655_8e51_6275_dee2),
        (s("order-1"), 0xb5a0_2e9d_c238_8b8a),
        (s("Zürich"), 0xf088_e41f_6784_59d3),
        (s("日本"), 0xb4d3_7b1a_e48d_3116),
        (n("42"), 0xc289_e0e9_e2a4_2627),
        (n("-42"), 0x7efb_ab59_8e3c_082b),
        (n("0"), 0xce21_2d75_1674_ab5d),
        (n("0.5"), 0xb4a0_a7d4_0f7d_f1c3),
        (n("-0.001"), 0xe0a1_b775_cd42_dbc9),
        (n("12345678901234567890"), 0xb957_d464_57ea_d042),
        (KeyValue::B(vec![0, 0xff]), 0x7c24_c3cc_7262_44b2_u64),
    ] {
        let key = PrimaryKey { hash: vec![value], range: Vec::new() };
        let token = key.encode().as_bytes()[..8].try_into().unwrap();
        assert_eq!(u64::from_be_bytes(token), expected, "{key:?}");
    }
}

#[test]
fn values_are_hashed_one_after_the_other() {
    assert_eq!(hash(&[s("ab"), KeyValue::B(b"c".to_vec())]), hash(&[s("abc")]));
    // 42 is `c1 2b`.
    assert_eq!(hash(&[s("a"), n("42")]), hash(&[KeyValue::B(vec![b'a', 0xc1, 0x2b])]));
}
