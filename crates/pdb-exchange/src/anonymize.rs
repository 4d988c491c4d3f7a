//! Rules that replace, hash and drop attributes, so that data of production can be used elsewhere.

mod hash;
mod path;
mod rules;

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, Item, ValueMap};

use crate::record::Record;
use hash::Hasher;
use path::{Step, ValuePath};

/// Rules for the attributes of items.
///
/// # Examples
///
/// ```
/// use pdb_exchange::Rules;
/// use pdb_model::Item;
///
/// let mut rules = Rules::parse(r#"
/// key = "a secret of at least 16 bytes"
///
/// [[rule]]
/// path = "email"
/// hash = true
///
/// [[rule]]
/// path = "notes[*].text"
/// replace = "removed"
/// "#, |_| None)?;
/// let mut item = Item::from_plain_json(r#"{"id": "1", "email": "ann@example.com", "notes": [{"text": "Call Ann"}]}"#)?;
/// rules.apply("customers", &mut item);
/// assert_ne!(item["email"], "ann@example.com".into());
/// assert!(item.to_plain_json().contains(r#""notes":[{"text":"removed"}]"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    hasher: Option<Hasher>,
}

#[derive(Debug)]
struct Rule {
    /// Which rule of the file it is, from 1.
    number: usize,
    /// The table for which it is; `None` for all.
    table: Option<String>,
    path: ValuePath,
    action: Action,
    matched: u64,
}

#[derive(Debug)]
enum Action {
    Replace(AttributeValue),
    Hash,
    Drop,
}

/// A rule that has matched nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedRule {
    /// Which rule of the file it is, from 1.
    pub number: usize,
    /// Its path.
    pub path: String,
}

/// Why a file of rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RulesError(pub(crate) String);

impl Rules {
    /// Reads rules in TOML. `variable` returns the value of an environment variable, from which the key of the hashes can come.
    ///
    /// # Errors
    ///
    /// [`RulesError`], which names the line or the rule.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, RulesError> {
        rules::parse(text, &variable)
    }

    /// Checks that the rules leave an item of a table its key: an attribute of the key can be hashed, but neither be dropped nor replaced.
    ///
    /// # Errors
    ///
    /// [`RulesError`] that names the first rule that does not.
    pub fn check_key(&self, table: &str, key: &[&str]) -> Result<(), RulesError> {
        for rule in self.rules.iter().filter(|rule| rule.is_for(table)) {
            let is_whole = rule.path.rest.is_empty();
            let Some(name) = key.iter().find(|name| is_whole && rule.path.attribute.matches(name)) else {
                continue;
            };
            let (what, why) = match rule.action {
                Action::Hash => continue,
                Action::Drop => ("drop", "an item cannot be stored without its key"),
                Action::Replace(_) => ("replace", "all items would get the same key"),
            };
            return Err(RulesError(format!(
                "rule {} (`{}`) would {what} the key attribute `{name}` of `{table}`: {why}; use `hash = true`",
                rule.number, rule.path
            )));
        }
        Ok(())
    }

    /// Applies the rules to an item.
    pub fn apply(&mut self, table: &str, item: &mut Item) {
        let hasher = self.hasher.as_ref();
        for rule in self.rules.iter_mut().filter(|rule| rule.is_for(table)) {
            let mut attributes = std::mem::take(&mut item.0);
            rule.matched +=
                members(&mut attributes, &rule.path.attribute, &rule.path.rest, &rule.action, hasher);
            item.0 = attributes;
        }
    }

    /// Applies the rules to all items of a record.
    pub fn apply_to_record(&mut self, table: &str, record: &mut Record) {
        match record {
            Record::Item { item, .. } => self.apply(table, item),
            Record::Change { keys, new_image, old_image } => {
                self.apply(table, keys);
                [new_image, old_image].into_iter().flatten().for_each(|image| self.apply(table, image));
            }
        }
    }

    /// Returns the rules for a table that have matched nothing so far. A misspelt path would leave values as they are.
    #[must_use]
    pub fn unused(&self, table: &str) -> Vec<UnusedRule> {
        let unused = self.rules.iter().filter(|rule| rule.is_for(table) && rule.matched == 0);
        unused.map(|rule| UnusedRule { number: rule.number, path: rule.path.to_string() }).collect()
    }
}

impl Rule {
    fn is_for(&self, table: &str) -> bool {
        self.table.as_deref().is_none_or(|name| name == table)
    }
}

/// Applies an action to the members of a map that a name matches, or to what is in them. Returns how many values were affected.
fn members(
    map: &mut BTreeMap<String, AttributeValue>,
    name: &Step,
    rest: &[Step],
    action: &Action,
    hasher: Option<&Hasher>,
) -> u64 {
    let mut matched = 0;
    map.retain(|member, value| {
        if !name.matches(member) {
            return true;
        }
        if rest.is_empty() && matches!(action, Action::Drop) {
            matched += 1;
            return false;
        }
        matched += within(value, rest, action, hasher);
        true
    });
    matched
}

/// Applies an action to a value, or to what the path leads to within it.
fn within(value: &mut AttributeValue, path: &[Step], action: &Action, hasher: Option<&Hasher>) -> u64 {
    let Some((step, rest)) = path.split_first() else {
        match action {
            Action::Replace(new) => *value = new.clone(),
            Action::Hash => {
                if let Some(hasher) = hasher {
                    hasher.hash(value);
                }
            }
            // Removed by the caller, which has the container.
            Action::Drop => {}
        }
        return 1;
    };
    match (value, step) {
        (AttributeValue::M(map), Step::Member(_) | Step::AnyMember) => {
            let mut inner: BTreeMap<String, AttributeValue> = std::mem::take(map).into();
            let matched = members(&mut inner, step, rest, action, hasher);
            *map = ValueMap::from(inner);
            matched
        }
        (AttributeValue::L(list), Step::Element(_) | Step::AnyElement) => {
            elements(list, step, rest, action, hasher)
        }
        _ => 0,
    }
}

fn elements(
    list: &mut Vec<AttributeValue>,
    step: &Step,
    rest: &[Step],
    action: &Action,
    hasher: Option<&Hasher>,
) -> u64 {
    let (mut matched, mut at) = (0, 0);
    list.retain_mut(|value| {
        let is_meant = match step {
            Step::Element(number) => *number == at,
            _ => true,
        };
        at += 1;
        if !is_meant {
            return true;
        }
        if rest.is_empty() && matches!(action, Action::Drop) {
            matched += 1;
            return false;
        }
        matched += within(value, rest, action, hasher);
        true
    });
    matched
}

#[cfg(test)]
mod tests;
