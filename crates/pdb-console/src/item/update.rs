//! The update that turns one item into another, and writes only what differs.

use serde_json::{Map, Value, json};

use super::Place;
use crate::difference::difference;
use crate::placeholders::Placeholders;

/// The most attributes that the condition names: DynamoDB allows 300 operators, and each takes a comparison and an `AND`.
const MAX_CONDITIONS: usize = 140;

/// The parts of an update, as they are collected.
#[derive(Default)]
pub(super) struct Update {
    placeholders: Placeholders,
    set: Vec<String>,
    remove: Vec<String>,
    conditions: Vec<String>,
}

impl Update {
    /// Returns the input of `UpdateItem` for an edit.
    ///
    /// # Errors
    ///
    /// A text for people, if the edit changes too much.
    pub(super) fn input(place: &Place, original: &Value, edited: &Value) -> Result<Value, String> {
        let none = Map::new();
        let (original, edited) = (original.as_object().unwrap_or(&none), edited.as_object().unwrap_or(&none));
        let mut update = Self::default();
        let mut untouched = Vec::new();
        for (name, old) in original {
            let new = edited.get(name);
            if place.key.get(name).is_some() || new.is_some_and(|new| is_same(old, new)) {
                untouched.push((name, old));
            } else {
                update.replace(name, old, new);
            }
        }
        for (name, new) in edited.iter().filter(|(name, _)| !original.contains_key(*name)) {
            update.add(name, new);
        }
        // Those of the key first: without them, the condition could hold for an item that was deleted.
        untouched.sort_by_key(|(name, _)| place.key.get(name).is_none());
        let room = MAX_CONDITIONS.checked_sub(update.conditions.len() + place.schema.keys.all().count());
        let Some(room) = room else {
            return Err(format!(
                "This changes {} attributes, and about {MAX_CONDITIONS} can be changed at once. Save it in several steps.",
                update.conditions.len()
            ));
        };
        for (name, old) in untouched.into_iter().take(room + place.schema.keys.all().count()) {
            update.expect(name, old);
        }
        Ok(update.into_input(place))
    }

    fn replace(&mut self, name: &str, old: &Value, new: Option<&Value>) {
        let placeholder = self.placeholders.name(name);
        match new {
            Some(new) => self.set.push(format!("{placeholder} = {}", self.placeholders.value(new.clone()))),
            None => self.remove.push(placeholder),
        }
        self.expect(name, old);
    }

    fn add(&mut self, name: &str, new: &Value) {
        let placeholder = self.placeholders.name(name);
        self.set.push(format!("{placeholder} = {}", self.placeholders.value(new.clone())));
        self.conditions.push(format!("attribute_not_exists({placeholder})"));
    }

    fn expect(&mut self, name: &str, old: &Value) {
        let placeholder = self.placeholders.name(name);
        self.conditions.push(format!("{placeholder} = {}", self.placeholders.value(old.clone())));
    }

    fn into_input(self, place: &Place) -> Value {
        let mut expression = Vec::new();
        expression.extend((!self.set.is_empty()).then(|| format!("SET {}", self.set.join(", "))));
        expression.extend((!self.remove.is_empty()).then(|| format!("REMOVE {}", self.remove.join(", "))));
        let mut input = json!({
            "TableName": place.schema.table,
            "Key": place.key,
            "UpdateExpression": expression.join(" "),
            "ConditionExpression": self.conditions.join(" AND "),
        });
        self.placeholders.add_to(&mut input);
        input
    }
}

fn is_same(old: &Value, new: &Value) -> bool {
    difference(&json!({ "": old }), &json!({ "": new })).is_empty()
}
