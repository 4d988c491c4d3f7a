use super::*;
use bigdecimal::BigDecimal;
use proptest::prelude::*;

fn number(text: &str) -> Number {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn spelling_is_normalised() {
    for (given, printed) in [
        ("1e3", "1000"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.50", "1.5"),
        ("+5", "5"),
        ("1E-5", "0.00001"),
        ("-0", "0"),
        ("0.000", "0"),
        ("1.e5", "100000"),
        ("-12.340", "-12.34"),
        ("100", "100"),
        ("0.10", "0.1"),
        ("0.0e126", "0"),
        ("123456789012345678901234567890123456780000", "123456789012345678901234567890123456780000"),
    ] {
        assert_eq!(number(given).to_string(), printed, "{given}");
    }
    assert_eq!(number("1e125").to_string().len(), 126);
    assert_eq!(number("1e-130").to_string().len(), 132);
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "", " 1", "1 ", "1.2.3", "1+2", "+e2", "1e", "0x10", "NaN", "Infinity", "-", ".", "e5", "1e+",
        "1e5.0", "١",
    ] {
        assert_eq!(text.parse::<Number>(), Err(NumberError::NotANumber), "{text:?}");
    }
}

#[test]
fn range_and_precision_are_limited() {
    for (text, error) in [
        ("1e126", NumberError::Overflow),
        ("-1e126", NumberError::Overflow),
        ("10e125", NumberError::Overflow),
        ("1e-131", NumberError::Underflow),
        ("0.1e-130", NumberError::Underflow),
        ("0e126", NumberError::Overflow),
        ("0e-131", NumberError::Underflow),
        ("123456789012345678901234567890123456789", NumberError::TooManyDigits),
        ("1.00000000000000000000000000000000000001", NumberError::TooManyDigits),
        ("1e99999999999", NumberError::HugeExponent { negative: false }),
        ("1e-99999999999", NumberError::HugeExponent { negative: true }),
        ("1.5e-2147483647", NumberError::HugeExponent { negative: true }),
        ("0.0e-2147483647", NumberError::HugeExponent { negative: true }),
        ("15e-2147483647", NumberError::Underflow),
        ("1e2147483648", NumberError::HugeExponent { negative: false }),
    ] {
        assert_eq!(text.parse::<Number>(), Err(error), "{text}");
    }
    number("9.9999999999999999999999999999999999999e125");
    number("-9.9999999999999999999999999999999999999e125");
    number("1e-130");
    number(&"0".repeat(1000));
}

/// Figures of the specification's appendix C and dynamodb.md 1.3.
#[test]
fn sizes_are_base_100_digits() {
    for (text, size) in [
        ("0", 1),
        ("-0", 1),
        ("1", 2),
        ("10", 2),
        ("12", 2),
        ("99", 2),
        ("42", 2),
        ("100", 2),
        ("101", 3),
        ("121", 3),
        ("260", 3),
        ("-1", 3),
        ("-42", 3),
        ("-100", 3),
        ("-2.55", 4),
        ("-67.11", 4),
        ("-12345", 5),
        ("1000", 2),
        ("1010", 3),
        ("1234", 3),
        ("2007", 3),
        ("12345", 4),
        ("123456", 4),
        ("9000", 2),
        ("223456799", 6),
        ("1634164477920", 8),
        ("1676323469141", 8),
        ("139.2675643770462", 10),
        ("1E125", 2),
        ("1E-130", 2),
        ("9.9E-129", 2),
        ("0.1", 2),
        ("0.01", 2),
        ("0.05", 2),
        ("0.15", 2),
        ("0.001", 2),
        ("0.015", 3),
        ("0.95", 2),
        ("1.1", 3),
        ("1.5", 3),
        ("1.05", 3),
        ("2.50", 3),
        ("10.5", 3),
        ("1.234", 4),
        ("100.5", 4),
        ("3.14159", 5),
        ("3.901", 4),
        ("0.0000001", 2),
        ("15", 2),
        ("110", 3),
        ("1100", 2),
        ("12345678901234567890123456789012345678", 20),
        ("1234567890123456789012345678901234567.8", 21),
    ] {
        assert_eq!(number(text).size_bytes(), size, "{text}");
    }
}

#[test]
fn sums_that_need_more_digits_fail() {
    assert_eq!(number("1e50").checked_add(&number("1")), Err(NumberError::TooManyDigits));
    assert_eq!(
        number("9.9999999999999999999999999999999999999e125").checked_add(&number("9e125")),
        Err(NumberError::Overflow)
    );
    assert_eq!(number("1e38").checked_sub(&number("1")).unwrap(), number(&"9".repeat(38)));
    assert_eq!(number("5").checked_sub(&number("5")).unwrap(), Number::ZERO);
    assert_eq!(number("0.1").checked_add(&number("0.2")).unwrap(), number("0.3"));
}

#[test]
fn floor_rounds_down() {
    for (text, floor) in [
        ("1.9", Some(1)),
        ("-1.1", Some(-2)),
        ("-2", Some(-2)),
        ("0", Some(0)),
        ("1e-100", Some(0)),
        ("-1e-100", Some(-1)),
        ("1e3", Some(1000)),
        ("1e100", None),
        ("9223372036854775808", None),
    ] {
        assert_eq!(number(text).floor_i64(), floor, "{text}");
    }
}

prop_compose! {
    fn any_text()(negative: bool, digits in "[0-9]{1,38}", exponent in -120i32..80) -> String {
        format!("{}{digits}e{exponent}", if negative { "-" } else { "" })
    }
}

proptest! {
    #[test]
    fn agrees_with_big_decimals(a in any_text(), b in any_text()) {
        let (Ok(x), Ok(y)) = (a.parse::<Number>(), b.parse::<Number>()) else { return Ok(()); };
        let (p, q): (BigDecimal, BigDecimal) = (a.parse().unwrap(), b.parse().unwrap());
        prop_assert_eq!(x.to_string().parse::<BigDecimal>().unwrap(), p.clone());
        prop_assert_eq!(x.cmp(&y), p.cmp(&q));
        let exact = p + q;
        match x.checked_add(&y) {
            Ok(sum) => prop_assert_eq!(sum.to_string().parse::<BigDecimal>().unwrap(), exact),
            Err(_) => prop_assert!(exact.normalized().digits() > 38),
        }
    }

    #[test]
    fn key_bytes_keep_order(a in any_text(), b in any_text()) {
        let (Ok(x), Ok(y)) = (a.parse::<Number>(), b.parse::<Number>()) else { return Ok(()); };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        x.write_key_bytes(&mut left);
        y.write_key_bytes(&mut right);
        prop_assert_eq!(left.cmp(&right), x.cmp(&y));
    }

    #[test]
    fn printing_and_parsing_are_inverse(a in any_text()) {
        let Ok(x) = a.parse::<Number>() else { return Ok(()); };
        prop_assert_eq!(x.to_string().parse::<Number>().unwrap(), x);
    }

    #[test]
    fn parsing_never_panics(text in "[-+.eE0-9 x]{0,60}") {
        let _ = text.parse::<Number>();
    }
}
