//! Values, items and texts that look like something.

use pdb_model::{AttributeValue, Item, Number};

use crate::Source;

/// Names of attributes. They are few, so that paths and items meet; some need a placeholder.
const NAMES: [&str; 10] = ["pk", "sk", "a", "b", "c", "v", "n", "size", "x.y", "é #"];

/// Returns the name of an attribute.
pub(crate) fn name(source: &mut Source<'_>) -> String {
    if source.once_in(16) { source.text(12) } else { source.pick(&NAMES).to_owned() }
}

/// Returns a text with the form of a number, more or less.
pub(crate) fn number_text(source: &mut Source<'_>) -> String {
    let mut text = source.pick(&["", "-", "+", ""]).to_owned();
    digits(source, &mut text);
    if source.once_in(2) {
        text.push('.');
        digits(source, &mut text);
    }
    if source.once_in(3) {
        text.push_str(source.pick(&["e", "E", "e-", "e+"]));
        text.push_str(source.pick(&[
            "0",
            "1",
            "5",
            "37",
            "38",
            "125",
            "126",
            "130",
            "131",
            "2147483647",
            "2147483648",
        ]));
    }
    if source.once_in(16) {
        text.push_str(&source.text(3));
    }
    text
}

fn digits(source: &mut Source<'_>, text: &mut String) {
    for _ in 0..source.below(4) {
        let digit = char::from(b'0' + u8::try_from(source.below(10)).unwrap());
        let count = source.pick(&[1, 1, 1, 2, 19, 37, 38, 130]);
        text.extend(std::iter::repeat_n(digit, count));
    }
}

/// Returns a number.
pub(crate) fn number(source: &mut Source<'_>) -> Number {
    number_text(source).parse().unwrap_or(Number::ZERO)
}

/// Returns a value of any type, up to `depth` levels deep.
pub(crate) fn value(source: &mut Source<'_>, depth: usize) -> AttributeValue {
    match source.below(if depth == 0 { 8 } else { 10 }) {
        0 => AttributeValue::S(source.text(8)),
        1 => AttributeValue::N(number(source)),
        2 => AttributeValue::B(source.bytes(8)),
        3 => AttributeValue::Bool(source.once_in(2)),
        4 => AttributeValue::Null,
        5 => AttributeValue::Ss(source.up_to(4, |source| source.text(3)).into_iter().collect()),
        6 => AttributeValue::Ns(source.up_to(4, number).into_iter().collect()),
        7 => AttributeValue::Bs(source.up_to(4, |source| source.bytes(3)).into_iter().collect()),
        8 => AttributeValue::L(source.up_to(4, |source| value(source, depth - 1))),
        _ => AttributeValue::M(
            source.up_to(4, |source| (name(source), value(source, depth - 1))).into_iter().collect(),
        ),
    }
}

/// Returns an item whose attributes expressions often meet.
pub(crate) fn item(source: &mut Source<'_>) -> Item {
    source.up_to(6, |source| (name(source), value(source, 2))).into_iter().collect()
}

/// Returns a text of words, of which most belong to a language.
pub(crate) fn words(source: &mut Source<'_>, language: &[&str], most: usize) -> String {
    let separator = source.pick(&[" ", ""]);
    let words = source.up_to(most, |source| {
        if source.once_in(24) { source.text(6) } else { source.pick(language).to_owned() }
    });
    words.join(separator)
}
