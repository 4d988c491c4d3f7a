//! `BatchGetItem`.

use std::collections::btree_map::Entry;

use pdb_model::ApiError;
use pretender::items::{BatchGetItemInput, BatchGetItemOutput, KeysAndAttributes, ReturnConsumedCapacity};

use super::capacity::write_capacity;
use super::legacy;
use super::placeholders::{self, Presence};
use super::table::{self, ShownTables};
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::{Family, Texts};
use crate::value::AttributeMap;

/// The most keys of a request.
const MOST_KEYS: usize = 100;

mod shapes {
    use super::*;

    shape! {
        /// What BatchGetItem takes.
        pub(crate) struct BatchGetItemInput<'a> {
            request_items: Entries<'a, KeysAndAttributes<'a>> = "RequestItems",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
        }

        /// What to read of one table.
        pub(crate) struct KeysAndAttributes<'a> {
            keys: Vec<AttributeMap> = "Keys",
            attributes_to_get: Vec<Text<'a>> = "AttributesToGet",
            consistent_read: bool = "ConsistentRead",
            projection_expression: Text<'a> = "ProjectionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
        }
    }
}

/// Runs `BatchGetItem`.
pub(crate) fn batch_get_item(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let texts = wire.texts(Family::Read);
    let input: shapes::BatchGetItemInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(texts);
    let at_items = at("RequestItems");
    // Unlike in BatchWriteItem, names of tables come first.
    if let Some(items) = &input.request_items {
        check.table_name_keys(&at_items, items);
    }
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.required(&at_items, input.request_items.as_ref());
    if let Some(items) = &input.request_items {
        constrain_tables(&mut check, items, texts);
    }
    check.finish()?;
    let items = input.request_items.unwrap_or_default();
    if items.is_empty() {
        return Err(ApiError::validation("The requestItems parameter is required for BatchGetItem"));
    }
    items.iter().try_for_each(|(name, _)| table::check_arn(Some(name)))?;

    check_mixing(&items, texts)?;
    let mut tables = ShownTables::new(wire);
    let mut request = BatchGetItemInput {
        return_consumed_capacity: consumed.unwrap_or_default(),
        ..BatchGetItemInput::default()
    };
    let mut count = 0;
    let mut unnamed = Ok(());
    for (name, keys) in items {
        let taken = take_keys(keys, texts)?;
        count += taken.keys.len();
        match tables.table_name(&name) {
            // Too many keys are refused below; until then they would only be compared.
            Ok(_) if count > MOST_KEYS => {}
            Ok(name) => match request.request_items.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(taken);
                }
                Entry::Occupied(mut known) => {
                    merge(known.get_mut(), taken)?;
                    tables.show_name_of(known.key());
                }
            },
            Err(error) => unnamed = unnamed.and(Err(error)),
        }
    }
    if count > MOST_KEYS {
        return Err(ApiError::validation("Too many items requested for the BatchGetItem call"));
    }
    unnamed?;
    let output = wire.pretender.batch_get_item(request)?;
    Ok(answer(output, &tables))
}

fn constrain_tables(
    check: &mut Constraints,
    items: &Entries<'_, shapes::KeysAndAttributes<'_>>,
    texts: Texts,
) {
    let at_items = at("RequestItems");
    if texts.is_modern {
        check.length(&at_items, items.len(), 1..=usize::MAX, String::new);
    }
    for (name, entry) in items.iter() {
        let at_table = at_items.key(name);
        let at_keys = at_table.member("Keys");
        check.required(&at_keys, entry.keys.as_ref());
        match &entry.keys {
            // The old text is gone.
            Some(keys) if keys.len() > MOST_KEYS => {
                check.fail_modern(&at_keys, "Member must have length less than or equal to 100");
            }
            keys => check.list_length(&at_keys, keys.as_ref(), 1..=MOST_KEYS),
        }
        check.list_length(
            &at_table.member("AttributesToGet"),
            entry.attributes_to_get.as_ref(),
            1..=usize::MAX,
        );
    }
}

/// Old and new parameters exclude each other over all tables.
fn check_mixing(items: &Entries<'_, shapes::KeysAndAttributes<'_>>, texts: Texts) -> Result<(), ApiError> {
    let any =
        |is_given: fn(&shapes::KeysAndAttributes<'_>) -> bool| items.iter().any(|(_, entry)| is_given(entry));
    Presence {
        legacy: &[("AttributesToGet", any(|entry| entry.attributes_to_get.is_some()))],
        expressions: &[("ProjectionExpression", any(|entry| entry.projection_expression.is_some()))],
        with_values: &[],
        has_names: false,
        has_values: false,
    }
    .check(texts)
}

fn take_keys(entry: shapes::KeysAndAttributes<'_>, texts: Texts) -> Result<KeysAndAttributes, ApiError> {
    Presence {
        legacy: &[],
        expressions: &[("ProjectionExpression", entry.projection_expression.is_some())],
        with_values: &[],
        has_names: entry.expression_attribute_names.is_some(),
        has_values: false,
    }
    .check(texts)?;
    let keys = entry.keys.unwrap_or_default();
    Ok(KeysAndAttributes {
        keys: keys.into_iter().map(|key| key.checked(texts)).collect::<Result<_, _>>()?,
        attributes_to_get: legacy::attributes_to_get(entry.attributes_to_get, texts)?,
        projection_expression: placeholders::expression(entry.projection_expression),
        expression_attribute_names: placeholders::names(entry.expression_attribute_names, texts)?,
        consistent_read: entry.consistent_read.unwrap_or_default(),
    })
}

/// Adds what is asked of a table that the request names twice, by name and by ARN: a key that both ask for is read once.
///
/// Nothing is published of entries that ask for different attributes; they are refused.
fn merge(known: &mut KeysAndAttributes, more: KeysAndAttributes) -> Result<(), ApiError> {
    let is_repeated = |(position, key)| more.keys[..position].contains(key);
    let asks_for_the_same = known.projection_expression == more.projection_expression
        && known.expression_attribute_names == more.expression_attribute_names
        && known.attributes_to_get == more.attributes_to_get;
    if more.keys.iter().enumerate().any(is_repeated) || !asks_for_the_same {
        return Err(ApiError::validation("Provided list of item keys contains duplicates"));
    }
    known.consistent_read |= more.consistent_read;
    for key in more.keys {
        if !known.keys.contains(&key) {
            known.keys.push(key);
        }
    }
    Ok(())
}

fn answer(output: BatchGetItemOutput, tables: &ShownTables) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("Responses").object(|json| {
            for (table, items) in output.responses {
                json.key(tables.shown(&table)).list_from(items.into_json());
            }
        });
        json.name("UnprocessedKeys").object(|json| {
            for (table, keys) in &output.unprocessed_keys {
                json.key(tables.shown(table));
                write_keys(json, keys);
            }
        });
        if !output.consumed_capacity.is_empty() {
            json.name("ConsumedCapacity").list(&output.consumed_capacity, |json, consumed| {
                write_capacity(json, consumed, tables.shown(&consumed.table_name));
            });
        }
    })
}

fn write_keys(json: &mut JsonWriter, entry: &KeysAndAttributes) {
    json.object(|json| {
        json.name("Keys").list(&entry.keys, |json, key| json.raw(&key.to_string()));
        if !entry.attributes_to_get.is_empty() {
            json.name("AttributesToGet").list(&entry.attributes_to_get, |json, name| json.text(name));
        }
        if entry.consistent_read {
            json.name("ConsistentRead").boolean(true);
        }
        if let Some(projection) = &entry.projection_expression {
            json.name("ProjectionExpression").text(projection);
        }
        if !entry.expression_attribute_names.is_empty() {
            json.name("ExpressionAttributeNames").object(|json| {
                for (key, name) in &entry.expression_attribute_names {
                    json.key(key).text(name);
                }
            });
        }
    });
}
