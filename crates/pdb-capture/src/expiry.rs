//! When an item expires.

use pdb_model::{Item, TableDefinition};

/// Returns when an item expires, in epoch seconds: the value of the table's time-to-live attribute, if the item has it as a number.
///
/// A fraction is rounded up, because an item expires when the clock reaches the value. Items without the attribute, or with another type,
/// never expire. The attribute may be a key attribute (dynamodb.md section 12).
#[must_use]
pub fn expires_at(definition: &TableDefinition, item: &Item) -> Option<i64> {
    let attribute = definition.time_to_live_attribute.as_ref()?;
    let number = item.get(attribute)?.as_n()?;
    number.negated().floor_i64()?.checked_neg()
}

#[cfg(test)]
mod tests {
    use pdb_model::{AttributeValue, EpochMillis, KeyAttribute, KeySchema, ScalarType};

    use super::*;

    #[test]
    fn only_numbers_expire() {
        let key = KeyAttribute { name: "pk".to_owned(), scalar_type: ScalarType::S };
        let mut table = TableDefinition::minimal(
            "orders".parse().unwrap(),
            "id".to_owned(),
            EpochMillis(0),
            KeySchema::simple(key, None),
        );
        let check = |table: &TableDefinition, value: AttributeValue, expected: Option<i64>| {
            assert_eq!(expires_at(table, &Item::new().with("pk", "a").with("ttl", value)), expected);
        };
        check(&table, 100.into(), None);
        table.time_to_live_attribute = Some("ttl".to_owned());
        check(&table, 100.into(), Some(100));
        check(&table, AttributeValue::N("100.5".parse().unwrap()), Some(101));
        check(&table, AttributeValue::N("1E3".parse().unwrap()), Some(1000));
        check(&table, AttributeValue::N("-0.5".parse().unwrap()), Some(0));
        check(&table, AttributeValue::N("1E100".parse().unwrap()), None);
        check(&table, "100".into(), None);
        assert_eq!(expires_at(&table, &Item::new().with("pk", "a")), None);
    }
}
