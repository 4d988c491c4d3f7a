//! Whether an item fits a vector index, in AWS's words.
//!
//! Evidence: `vector-search.md` 7.

use pdb_model::{Item, KeyError, Number, VectorFault, VectorIndex};

use crate::keys::{HASH_TOO_LONG, KeyFault, empty_index_key, empty_updated_index_key};

const INVALID: &str = "One or more parameter values were invalid.";

/// Checks the attributes of an item that an index uses, but for those that are not to be looked at.
pub(crate) fn check_vector_entry(
    index: &VectorIndex,
    item: &Item,
    is_checked: impl Fn(&str) -> bool,
) -> Result<(), KeyFault> {
    let uses = |name: &str| is_checked(name) && index.search_attribute(name).is_some();
    let searched: Item = item
        .iter()
        .filter(|(name, _)| uses(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let name = &index.name;
    index.partition(&searched).map_err(|error| match error {
        KeyError::WrongType { name: attribute, expected, actual } => KeyFault::Unfit(format!(
            "{INVALID} Attribute '{attribute}' type mismatch. Expected: {expected}, Actual: {actual}. IndexName: {name}"
        )),
        KeyError::Empty { name: attribute, scalar_type } => {
            KeyFault::Empty(empty_index_key(name, &attribute, scalar_type))
        }
        KeyError::HashTooLong | KeyError::RangeTooLong => KeyFault::TooLong(HASH_TOO_LONG),
        KeyError::Missing(_) | KeyError::ExtraAttributes => KeyFault::Mismatch,
    })?;
    if is_checked(&index.vector_attribute) {
        index.vector(item).map_err(|fault| KeyFault::Unfit(text(index, &fault)))?;
    }
    Ok(())
}

/// As [`check_vector_entry`], of the result of an update.
pub(crate) fn check_updated_vector_entry(
    index: &VectorIndex,
    item: &Item,
    is_target: impl Fn(&str) -> bool,
) -> Result<(), KeyFault> {
    check_vector_entry(index, item, is_target).map_err(|fault| match (fault, index.hash()) {
        (KeyFault::Empty(_), Some(hash)) => {
            KeyFault::Empty(empty_updated_index_key(hash.scalar_type.name() == "B"))
        }
        (fault, _) => fault,
    })
}

fn text(index: &VectorIndex, fault: &VectorFault) -> String {
    let (attribute, name) = (&index.vector_attribute, &index.name);
    match fault {
        VectorFault::NotAList => format!(
            "{INVALID} Invalid type for parameter {attribute}, Expected: 32-bit floating point number list IndexName: {name}"
        ),
        VectorFault::Size { actual } => format!(
            "{INVALID} Invalid size for parameter {attribute}, Expected: {}, Actual: {actual} IndexName: {name}",
            index.dimensions
        ),
        VectorFault::Element { position, actual } => format!(
            "{INVALID} Invalid type for parameter {attribute}[{position}], Expected: 32-bit floating point number, Actual: \
             {actual}. IndexName: {name}"
        ),
        VectorFault::Range { position, value } => format!(
            "{INVALID} Invalid value for parameter {attribute}[{position}], Value: {} is outside valid range \
             [-3.4028235E38, 3.4028235E38]. IndexName: {name}",
            in_exponents(value)
        ),
    }
}

/// Prints a number that is out of the range of floats as AWS does, with an exponent: `1E+39`.
fn in_exponents(number: &Number) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let exponent = digits.len() - 1;
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E+{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_have_exponents() {
        for (number, printed) in
            [("1E+39", "1E+39"), ("-1.25e40", "-1.25E+40"), ("3.5E38", "3.5E+38"), ("9e125", "9E+125")]
        {
            assert_eq!(in_exponents(&number.parse().unwrap()), printed);
        }
    }
}
