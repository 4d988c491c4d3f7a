//! The report of a failure: expected changes beside those that were found.

use std::time::Duration;

use pdb_model::{EventName, Item};

use super::{Expected, ExpectedOfKey};
use crate::align::{Pair, align};
use crate::{Change, show};

/// The maximum width of a column.
const MAX_COLUMN: usize = 60;
/// How many changes of other keys are listed.
const MAX_OTHERS: usize = 10;

/// The expected changes of a key, aligned with those that were found.
pub(super) struct Outcome<'a> {
    key: &'a Item,
    rows: Vec<Row<'a>>,
}

/// A line of the table.
enum Row<'a> {
    AsExpected(&'a Expected, &'a Change),
    Different(&'a Expected, &'a Change, Vec<String>),
    Missing(&'a Expected),
    Unexpected(&'a Change),
}

impl<'a> Outcome<'a> {
    pub(super) fn of(expected: &'a ExpectedOfKey, seen: &'a [Change]) -> Self {
        let found: Vec<&Change> = seen.iter().filter(|change| change.keys == expected.key).collect();
        let changes = &expected.changes;
        let pairs = align(changes.len(), found.len(), |i, j| {
            changes[i].differences(&expected.key, found[j]).is_empty()
        });
        let mut rows: Vec<Row<'a>> = Vec::with_capacity(pairs.len());
        // The changes between two that are as expected, on either side. They have no match, but some may be different versions of each other.
        let (mut missing, mut unexpected): (Vec<&Expected>, Vec<&Change>) = (Vec::new(), Vec::new());
        for pair in pairs {
            match pair {
                Pair::First(i) => missing.push(&changes[i]),
                Pair::Second(j) => unexpected.push(found[j]),
                Pair::Matching(i, j) => {
                    pair_up(&mut rows, &expected.key, &mut missing, &mut unexpected);
                    rows.push(Row::AsExpected(&changes[i], found[j]));
                }
            }
        }
        pair_up(&mut rows, &expected.key, &mut missing, &mut unexpected);
        Self { key: &expected.key, rows }
    }

    pub(super) fn is_as_expected(&self) -> bool {
        self.rows.iter().all(|row| matches!(row, Row::AsExpected(..)))
    }

    /// Returns whether there is a difference that later changes cannot correct: any but missing changes at the end.
    pub(super) fn is_wrong(&self) -> bool {
        let mut rows = self.rows.iter().skip_while(|row| matches!(row, Row::AsExpected(..)));
        rows.any(|row| !matches!(row, Row::Missing(_)))
    }

    fn table(&self) -> String {
        let cell = |text: String| show::cut(&text, MAX_COLUMN);
        let none = || "-".to_owned();
        let mut lines = vec![[" ", "", "expected", "found", ""].map(str::to_owned).to_vec()];
        let mut number = 0;
        for row in &self.rows {
            number += usize::from(!matches!(row, Row::Unexpected(_)));
            let numbered = number.to_string();
            lines.push(match row {
                Row::AsExpected(expected, found) => {
                    vec![" ".to_owned(), numbered, cell(expected.show()), cell(show::change(found))]
                }
                Row::Different(expected, found, differences) => vec![
                    ">".to_owned(),
                    numbered,
                    cell(expected.show()),
                    cell(show::change(found)),
                    differences.join("; "),
                ],
                Row::Missing(expected) => {
                    vec![">".to_owned(), numbered, cell(expected.show()), none(), "missing".to_owned()]
                }
                Row::Unexpected(found) => {
                    vec![">".to_owned(), none(), none(), cell(show::change(found)), "not expected".to_owned()]
                }
            });
        }
        show::columns(&lines)
    }

    fn summary(&self) -> String {
        let count = |is: fn(&Row<'_>) -> bool| self.rows.iter().filter(|row| is(row)).count();
        let parts = [
            (count(|row| matches!(row, Row::Missing(_))), "missing"),
            (count(|row| matches!(row, Row::Different(..))), "different"),
            (count(|row| matches!(row, Row::Unexpected(_))), "not expected"),
        ];
        let parts =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Puts a missing change beside an unexpected one of the same kind, as one row.
fn pair_up<'a>(
    rows: &mut Vec<Row<'a>>,
    key: &Item,
    missing: &mut Vec<&'a Expected>,
    unexpected: &mut Vec<&'a Change>,
) {
    let pairs =
        align(missing.len(), unexpected.len(), |i, j| missing[i].event_name == unexpected[j].event_name);
    for pair in pairs {
        rows.push(match pair {
            Pair::Matching(i, j) => {
                Row::Different(missing[i], unexpected[j], missing[i].differences(key, unexpected[j]))
            }
            Pair::First(i) => Row::Missing(missing[i]),
            Pair::Second(j) => Row::Unexpected(unexpected[j]),
        });
    }
    missing.clear();
    unexpected.clear();
}

impl Expected {
    /// Returns the differences between this expected change and a change that was found.
    fn differences(&self, key: &Item, found: &Change) -> Vec<String> {
        if self.event_name != found.event_name {
            return vec![format!("{}, expected {}", found.event_name, self.event_name)];
        }
        let mut differences = Vec::new();
        let newest = if self.event_name == EventName::Remove { &found.old_image } else { &found.new_image };
        for (which, expected, image) in
            [("old ", &self.old, &found.old_image), ("", &self.new, &found.new_image)]
        {
            let Some(expected) = expected else { continue };
            match image {
                Some(image) => self.compare(which, key, expected, image, &mut differences),
                None if expected.is_empty() && !self.exact_images => {}
                None => differences.push(format!(
                    "the stream has no {}image",
                    if which.is_empty() { "new " } else { which }
                )),
            }
        }
        for attribute in &self.without {
            match newest.as_ref().map(|image| image.get(attribute)) {
                Some(Some(found)) => {
                    differences.push(format!("{attribute} is {}, expected none", show::value(found)));
                }
                Some(None) => {}
                None => differences.push("the stream has no image".to_owned()),
            }
        }
        differences
    }

    fn compare(&self, which: &str, key: &Item, expected: &Item, image: &Item, differences: &mut Vec<String>) {
        for (name, value) in expected.iter() {
            match image.get(name) {
                Some(found) if found == value => {}
                Some(found) => {
                    let (found, value) = (show::value(found), show::value(value));
                    differences.push(format!("{which}{name} is {found}, expected {value}"));
                }
                None => {
                    differences.push(format!("{which}{name} is missing, expected {}", show::value(value)))
                }
            }
        }
        if self.exact_images {
            let other = |name: &&String| !expected.contains_key(*name) && !key.contains_key(*name);
            differences.extend(image.keys().filter(other).map(|name| {
                let found = image.get(name).map(show::value).unwrap_or_default();
                format!("{which}{name} is {found}, expected none")
            }));
        }
    }

    fn show(&self) -> String {
        let attributes = |item: &Item| -> String {
            item.iter().map(|(name, value)| format!(" {name}={}", show::value(value))).collect()
        };
        let mut text = self.event_name.to_string();
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                text.push_str(&attributes(old));
                text.push_str(" ->");
                text.push_str(&attributes(new));
            }
            (old, new) => text.extend(old.iter().chain(new).map(attributes)),
        }
        text.extend(self.without.iter().map(|name| format!(" -{name}")));
        if self.exact_images {
            text.push_str(" (exact)");
        }
        text
    }
}

/// Returns the report: a table for each key that is not as expected, then the changes of other keys.
pub(super) fn report(outcomes: &[Outcome<'_>], others: &[&Change], deadline: Option<Duration>) -> String {
    let waited = match deadline {
        Some(deadline) if outcomes.iter().any(|outcome| !outcome.is_as_expected() && !outcome.is_wrong()) => {
            format!(" (waited {deadline:?})")
        }
        _ => String::new(),
    };
    let mut blocks: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.is_as_expected())
        .map(|outcome| {
            let key = show::key(outcome.key);
            format!(
                "changes of {key} are not as expected: {}{waited}\n{}",
                outcome.summary(),
                outcome.table()
            )
        })
        .collect();
    if !others.is_empty() {
        let rows = others.iter().take(MAX_OTHERS).map(|change| {
            vec![">".to_owned(), show::key(&change.keys), show::cut(&show::change(change), MAX_COLUMN)]
        });
        let mut block = format!("{} of other keys, expected none\n", show::counted(others.len(), "change"));
        block.push_str(&show::columns(&rows.collect::<Vec<_>>()));
        if others.len() > MAX_OTHERS {
            block.push_str(&format!("  and {} more\n", others.len() - MAX_OTHERS));
        }
        blocks.push(block);
    }
    blocks.join("\n")
}
