//! Saves an edit without losing what others have written meanwhile.
//!
//! An edit begins with the item as a person saw it. If the stored item differs, nothing is written. Otherwise the edit is written by
//! `UpdateItem`, which changes only the attributes that the edit changes, under the condition that these, and as many others as fit,
//! are still as they were seen. So the check and the write cannot be separated by somebody else's write: one that comes between the
//! reading and the update either fails the condition, or touches only attributes that the update leaves alone, such as one that is new.
//! `PutItem` could not do that: no condition can name attributes that are not known, and it would remove them.

use serde_json::{Map, Value, json};

use super::Place;
use super::update::Update;
use crate::call::CallError;
use crate::difference::difference;
use crate::placeholders::Placeholders;
use crate::schema::Schema;
use crate::values::short;
use crate::{Context, call};

/// Outcome of saving an edit.
#[derive(Debug)]
pub(super) enum Saved {
    Written,
    /// The edit changes nothing.
    Unchanged,
    /// The stored item is not the one that was edited: what it is now, if it exists.
    Conflict(Option<Value>),
    /// DynamoDB, or the console, refused: a text for people.
    Refused(String),
}

/// Saves an edit of an item that was `original`, an empty object if it did not exist.
pub(super) fn save(context: &Context<'_>, place: &Place, original: &Value, edited: &Value) -> Saved {
    if let Some(text) = changed_key(place, edited) {
        return Saved::Refused(text);
    }
    let current = match place.read(context) {
        Ok(current) => current,
        Err(error) => return Saved::Refused(error.to_string()),
    };
    let is_new = original.as_object().is_none_or(Map::is_empty);
    if is_new != current.is_none()
        || !difference(original, current.as_ref().unwrap_or(&Value::Null)).is_empty()
    {
        return Saved::Conflict(current);
    }
    if difference(original, edited).is_empty() {
        return Saved::Unchanged;
    }
    let written = if is_new {
        put_if_absent(context, &place.schema, edited)
    } else {
        match Update::input(place, original, edited) {
            Ok(input) => call::dynamodb(context.wire(), "UpdateItem", &input),
            Err(text) => return Saved::Refused(text),
        }
    };
    match written {
        Ok(_) => Saved::Written,
        Err(error) if error.code == "ConditionalCheckFailedException" => match place.read(context) {
            Ok(current) => Saved::Conflict(current),
            Err(error) => Saved::Refused(error.to_string()),
        },
        Err(error) => Saved::Refused(error.to_string()),
    }
}

/// Returns why an edit is refused that has another key than the item.
fn changed_key(place: &Place, edited: &Value) -> Option<String> {
    let keys = place.key.as_object()?;
    let members = keys.keys().filter_map(|name| Some((name.clone(), edited.get(name)?.clone())));
    let change = difference(&place.key, &members.collect::<Map<_, _>>().into()).into_iter().next()?;
    let is = change.old.map(|old| short(&old, 100)).unwrap_or_default();
    Some(format!(
        "The key of an item cannot be changed: `{}` is {}. To move the item to another key, create an item like this one, and delete this one.",
        change.path,
        json!(is)
    ))
}

/// Writes an item unless there is one with its key.
pub(super) fn put_if_absent(
    context: &Context<'_>,
    schema: &Schema,
    item: &Value,
) -> Result<Value, CallError> {
    let mut placeholders = Placeholders::default();
    let name = schema.keys.partition.first().map(|key| placeholders.name(&key.name)).unwrap_or_default();
    let condition = format!("attribute_not_exists({name})");
    let mut input = json!({ "TableName": schema.table, "Item": item, "ConditionExpression": condition });
    placeholders.add_to(&mut input);
    call::dynamodb(context.wire(), "PutItem", &input)
}
