//! Items as searches return them.

use std::fmt::Write;

use pdb_model::{AttributeValue, Item, ParseError, write_json_string};

/// An item that a search found, as DynamoDB JSON.
///
/// The numbers of its vector are printed as AWS prints 32-bit floats, such as `1.0`. So the text is not canonical: an equal item may have another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundItem {
    json: String,
}

impl FoundItem {
    /// Takes the text of an item without a vector.
    pub(crate) fn stored(json: &str) -> Self {
        Self { json: json.to_owned() }
    }

    /// Prints an item, whose `vector_attribute` is a list of 32-bit floats.
    pub(crate) fn with_vector(item: &Item, vector_attribute: &str) -> Self {
        let mut json = String::from("{");
        for (name, value) in item {
            if json.len() > 1 {
                json.push(',');
            }
            write_json_string(&mut json, name);
            json.push(':');
            match value {
                AttributeValue::L(elements) if name == vector_attribute => write_floats(&mut json, elements),
                value => value.write_json(&mut json),
            }
        }
        json.push('}');
        Self { json }
    }

    /// Returns the text.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Decodes the item.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the database is damaged.
    pub fn decode(&self) -> Result<Item, ParseError> {
        Item::from_json(&self.json)
    }
}

fn write_floats(json: &mut String, elements: &[AttributeValue]) {
    json.push_str("{\"L\":[");
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            json.push(',');
        }
        match element {
            AttributeValue::N(number) => {
                json.push_str("{\"N\":\"");
                write_float(json, number.to_f32());
                json.push_str("\"}");
            }
            other => other.write_json(json),
        }
    }
    json.push_str("]}");
}

/// Prints a float in digits: the fewest that tell it, and a fraction even if it is 0, but for numbers of eight digits or more.
fn write_float(json: &mut String, float: f32) {
    let is_short_integer = float.fract() == 0.0 && float.abs() < 1e7;
    // Writing to a text does not fail.
    let _ = if is_short_integer { write!(json, "{float:.1}") } else { write!(json, "{float}") };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_printed_as_floats() {
        let number = |text: &str| AttributeValue::N(text.parse().unwrap());
        let numbers = ["1", "-0.1", "9999999", "16777217", "3.4e38", "1e-6"].map(number);
        let item = Item::from([("a", 1.into()), ("v", AttributeValue::L(numbers.into()))]);
        assert_eq!(
            FoundItem::with_vector(&item, "v").json(),
            r#"{"a":{"N":"1"},"v":{"L":[{"N":"1.0"},{"N":"-0.1"},{"N":"9999999.0"},{"N":"16777216"},{"N":"340000000000000000000000000000000000000"},{"N":"0.000001"}]}}"#
        );
    }
}
