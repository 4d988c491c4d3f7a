//! Numbers, compared with `bigdecimal`.

use std::cmp::Ordering;

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, Zero};
use pdb_model::{KeyValue, Number, NumberError, PrimaryKey};

use crate::{Source, values};

/// The most bytes of a text. The oracle takes time that grows with the square of the digits.
const MAX_TEXT: usize = 1_000;

pub(crate) fn run(input: &[u8]) {
    let (first, second) = match std::str::from_utf8(input) {
        Ok(text) if text.len() <= MAX_TEXT => text
            .split_once(' ')
            .map_or((text.to_owned(), String::new()), |(a, b)| (a.to_owned(), b.to_owned())),
        _ => {
            let mut source = Source::new(input);
            (values::number_text(&mut source), values::number_text(&mut source))
        }
    };
    let (first, second) = (checked(&first), checked(&second));
    if let (Some(first), Some(second)) = (first, second) {
        check_order(&first, &second);
        check_sums(&first, &second);
    }
}

/// A number that the model and the oracle have read from one text.
struct Checked {
    number: Number,
    decimal: BigDecimal,
}

fn decimal(text: &str) -> BigDecimal {
    text.parse().unwrap_or_else(|error| panic!("the oracle does not read {text:?}: {error}"))
}

/// Parses a text with both, and checks what the model says of it.
fn checked(text: &str) -> Option<Checked> {
    let number = match text.parse::<Number>() {
        Ok(number) => number,
        Err(error) => {
            check_refusal(text, error);
            return None;
        }
    };
    let decimal = decimal(text.trim_start_matches('+'));
    let printed = number.to_string();
    assert_eq!(printed.parse(), Ok(number), "{text:?} is printed as {printed}");
    assert_eq!(self::decimal(&printed), decimal, "{text:?} is printed as {printed}");
    let (digits, scale) = decimal.normalized().into_bigint_and_exponent();
    let count = digits.magnitude().to_string().len();
    assert!(count <= 38, "{text:?} was accepted with {count} digits");
    // One byte for the sign and the exponent, one for each two digits, and one more for a negative number (dynamodb.md 1.3).
    let pairs =
        if decimal.is_zero() { 0 } else { (count + usize::from(scale.rem_euclid(2) == 1)).div_ceil(2) };
    let size = 1 + pairs + usize::from(digits.sign() == Sign::Minus);
    assert_eq!(number.size_bytes(), size as u64, "the size of {text:?}");
    Some(Checked { number, decimal })
}

/// Checks why a text was refused.
fn check_refusal(text: &str, error: NumberError) {
    if matches!(error, NumberError::NotANumber | NumberError::HugeExponent { .. }) {
        return;
    }
    let decimal = decimal(text.trim_start_matches('+'));
    if decimal.is_zero() {
        // The exponent of a zero counts as it is written.
        return;
    }
    let (digits, scale) = decimal.normalized().into_bigint_and_exponent();
    let count = digits.magnitude().to_string().len() as i64;
    let magnitude = count - 1 - scale;
    let expected = match magnitude {
        126.. => NumberError::Overflow,
        ..-130 => NumberError::Underflow,
        _ if count > 38 => NumberError::TooManyDigits,
        _ => panic!("{text:?} is a number, and was refused: {error}"),
    };
    assert_eq!(error, expected, "{text:?}");
}

/// Numbers, the keys made of them, and the oracle have one order.
fn check_order(first: &Checked, second: &Checked) {
    let key = |number: Number| {
        PrimaryKey { hash: vec![KeyValue::S("p".to_owned())], range: vec![KeyValue::N(number)] }.encode()
    };
    let expected = first.decimal.cmp(&second.decimal);
    assert_eq!(first.number.cmp(&second.number), expected, "{} and {}", first.number, second.number);
    assert_eq!(first.number == second.number, expected == Ordering::Equal);
    assert_eq!(
        key(first.number).cmp(&key(second.number)),
        expected,
        "the keys of {} and {}",
        first.number,
        second.number
    );
}

fn check_sums(first: &Checked, second: &Checked) {
    for (sum, expected) in [
        (first.number.checked_add(&second.number), &first.decimal + &second.decimal),
        (first.number.checked_sub(&second.number), &first.decimal - &second.decimal),
    ] {
        match sum {
            Ok(sum) => {
                assert_eq!(decimal(&sum.to_string()), expected, "{} and {}", first.number, second.number)
            }
            Err(error) => check_refusal(&expected.to_string(), error),
        }
    }
}
