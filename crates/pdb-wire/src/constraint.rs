//! The constraint framework: null, length, range, pattern and enum checks over the whole input, reported together.
//!
//! An operation makes one [`Constraints`], runs its checks in the order of AWS's observed reports, and ends with
//! [`finish`](Constraints::finish). A check that fails is noted, not returned, so that one answer lists up to ten.
//!
//! ```text
//! let mut check = Constraints::new(texts);
//! let consumed = check.one_of(&at("ReturnConsumedCapacity"), input.return_consumed_capacity.as_ref());
//! check.table_name(&at("TableName"), input.table_name.as_ref());
//! check.required(&at("Key"), input.key.as_ref());
//! check.finish()?;
//! ```

mod path;
mod word;

pub(crate) use path::{Path, at};
pub(crate) use word::{WireEnum, wire_enum};

use std::ops::RangeInclusive;

use pdb_model::ApiError;

use crate::decode::{Dump, Entries, Text, cut};
use crate::layer::Texts;

/// AWS reports no more than this many errors at once.
const MOST_REPORTED: usize = 10;
/// How many characters a table's name has.
const NAME_LENGTH: RangeInclusive<usize> = 3..=255;
/// The pattern of names, as AWS prints it.
pub(crate) const NAME_PATTERN: &str = "[a-zA-Z0-9_.-]+";

/// What a failed check says, as long as its place in the whole matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// A required member is missing.
    Missing,
    /// The table's name is malformed: reported alone unless something is missing.
    TableName,
    Other,
}

/// Collects failed checks.
#[derive(Debug)]
pub(crate) struct Constraints {
    texts: Texts,
    /// Those that may be reported: a request can break a rule a million times.
    failed: Vec<Failed>,
    is_missing: bool,
}

/// One failed check, in both forms of the text.
#[derive(Debug)]
struct Failed {
    nature: Nature,
    classic: String,
    modern: String,
}

impl Constraints {
    /// Starts without errors.
    pub(crate) fn new(texts: Texts) -> Self {
        Self { texts, failed: Vec::new(), is_missing: false }
    }

    /// Notes a failure at `path`; `printed` is the value as shown, `None` for an absent one.
    pub(crate) fn fail(&mut self, path: &Path<'_>, printed: Option<&str>, constraint: &str) {
        let nature = if printed.is_none() { Nature::Missing } else { Nature::Other };
        self.note(nature, path, printed, constraint);
    }

    /// Notes a failure that the two layers place and phrase differently.
    pub(crate) fn fail_apart(
        &mut self,
        (path, printed, constraint): (&Path<'_>, &str, &str),
        (modern_path, modern_constraint): (&Path<'_>, &str),
    ) {
        if self.has_room(Nature::Other) {
            let printed = cut(printed);
            self.failed.push(Failed {
                nature: Nature::Other,
                classic: format!("Value '{printed}' at '{path}' failed to satisfy constraint: {constraint}"),
                modern: modern_text(modern_path, modern_constraint),
            });
        }
    }

    /// Whether another failure of this nature may be reported.
    fn has_room(&self, nature: Nature) -> bool {
        self.failed.len() < MOST_REPORTED
            || nature == Nature::TableName
                && self.failed.iter().filter(|failed| failed.nature == nature).count() < MOST_REPORTED
    }

    fn note(&mut self, nature: Nature, path: &Path<'_>, printed: Option<&str>, constraint: &str) {
        self.is_missing |= nature == Nature::Missing;
        if !self.has_room(nature) {
            return;
        }
        let printed = printed.map_or_else(|| "null".to_owned(), |printed| format!("'{}'", cut(printed)));
        self.failed.push(Failed {
            nature,
            classic: format!("Value {printed} at '{path}' failed to satisfy constraint: {constraint}"),
            modern: modern_text(path, constraint),
        });
    }

    /// The member must be there.
    pub(crate) fn required<T>(&mut self, path: &Path<'_>, value: Option<&T>) {
        if value.is_none() {
            self.fail(path, None, "Member must not be null");
        }
    }

    /// Bounds the number of UTF-16 units of a text, as AWS counts.
    pub(crate) fn text_length(
        &mut self,
        path: &Path<'_>,
        value: Option<&Text<'_>>,
        bounds: RangeInclusive<usize>,
    ) {
        if let Some(value) = value {
            // A text has at most as many UTF-16 units as bytes, and at least a third as many.
            let length = if value.is_ascii() { value.len() } else { value.encode_utf16().count() };
            self.length(path, length, bounds, || cut(value).to_owned());
        }
    }

    /// Bounds the number of elements of a list.
    pub(crate) fn list_length<T: Dump>(
        &mut self,
        path: &Path<'_>,
        value: Option<&Vec<T>>,
        bounds: RangeInclusive<usize>,
    ) {
        if let Some(value) = value {
            self.length(path, value.len(), bounds, || value.dumped());
        }
    }

    /// Bounds a length; `print` shows the value.
    pub(crate) fn length(
        &mut self,
        path: &Path<'_>,
        length: usize,
        bounds: RangeInclusive<usize>,
        print: impl FnOnce() -> String,
    ) {
        if let Some(constraint) = bound_text("length", length, &bounds) {
            self.fail(path, Some(&print()), &constraint);
        }
    }

    /// Bounds an integer.
    pub(crate) fn range<N>(&mut self, path: &Path<'_>, value: Option<N>, bounds: RangeInclusive<N>)
    where
        N: PartialOrd + ToString + Copy,
    {
        if let Some(value) = value
            && let Some(constraint) = bound_text("value", value, &bounds)
        {
            self.fail(path, Some(&value.to_string()), &constraint);
        }
    }

    /// Bounds an integer, with the newer form of the text on both layers.
    pub(crate) fn modern_range(&mut self, path: &Path<'_>, value: Option<i32>, bounds: RangeInclusive<i32>) {
        if let Some(constraint) = value.and_then(|value| bound_text("value", value, &bounds)) {
            self.fail_modern(path, &constraint);
        }
    }

    /// Notes a failure whose old text is gone: the newer form on both layers.
    pub(crate) fn fail_modern(&mut self, path: &Path<'_>, constraint: &str) {
        if self.has_room(Nature::Other) {
            let text = modern_text(path, constraint);
            self.failed.push(Failed { nature: Nature::Other, classic: text.clone(), modern: text });
        }
    }

    /// Lets only letters, digits, `_`, `.` and `-` through.
    pub(crate) fn name_pattern(&mut self, path: &Path<'_>, value: Option<&Text<'_>>) {
        if let Some(value) = value
            && !is_name(value)
        {
            self.fail(path, Some(value), &pattern_text());
        }
    }

    /// Reads a word of an enum.
    pub(crate) fn one_of<E: WireEnum>(&mut self, path: &Path<'_>, value: Option<&Text<'_>>) -> Option<E> {
        let value = value?;
        let word = E::WORDS.iter().find(|(word, _)| word == value).map(|(_, meaning)| *meaning);
        if word.is_none() {
            let words: Vec<&str> = E::WORDS.iter().map(|(word, _)| *word).collect();
            let constraint = format!("Member must satisfy enum value set: [{}]", words.join(", "));
            self.fail(path, Some(value), &constraint);
        }
        word
    }

    /// A table's name or ARN in a data operation: 1 to 255 characters of the pattern, then at least 3; reported alone.
    pub(crate) fn table_name(&mut self, path: &Path<'_>, value: Option<&Text<'_>>) {
        let Some(value) = value else {
            return self.required::<()>(path, None);
        };
        let constraint = if value.starts_with("arn:") {
            None
        } else {
            bound_text("length", value.encode_utf16().count(), &(1..=255))
                .or_else(|| (!is_name(value)).then(pattern_text))
                .or_else(|| bound_text("length", value.len(), &NAME_LENGTH))
        };
        if let Some(constraint) = constraint {
            self.note(Nature::TableName, path, Some(value), &constraint);
        }
    }

    /// Tables' names or ARNs as the keys of a map. A short one is reported as [`table_name`](Self::table_name) does: the
    /// constraint on the keys lets it through.
    pub(crate) fn table_name_keys<T: Dump>(&mut self, path: &Path<'_>, map: &Entries<'_, T>) {
        let is_bad = |name: &str| {
            let is_good_name = is_name(name) && name.len() <= 255;
            !is_good_name && !name.starts_with("arn:")
        };
        if map.iter().any(|(name, _)| is_bad(name)) {
            self.fail(
                path,
                Some(&map.dumped()),
                &format!(
                    "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have \
                     length greater than or equal to 1, {}]",
                    pattern_text()
                ),
            );
            return;
        }
        for (name, _) in map.iter().filter(|(name, _)| !name.starts_with("arn:")) {
            if let Some(constraint) = bound_text("length", name.len(), &NAME_LENGTH) {
                return self.note(Nature::TableName, &at("TableName"), Some(name), &constraint);
            }
        }
    }

    /// An index's name: 3 to 255 characters of the pattern.
    pub(crate) fn index_name(&mut self, path: &Path<'_>, value: Option<&Text<'_>>) {
        self.text_length(path, value, 3..=255);
        self.name_pattern(path, value);
    }

    /// Ends the stage.
    ///
    /// # Errors
    ///
    /// A `ValidationException` that lists the failed checks.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        let Self { texts, mut failed, is_missing } = self;
        if failed.is_empty() {
            return Ok(());
        }
        if !is_missing {
            if failed.iter().any(|failed| failed.nature == Nature::TableName) {
                failed.retain(|failed| failed.nature == Nature::TableName);
            }
            if texts.is_modern {
                let first = &failed[0].modern;
                return Err(ApiError::validation(format!("1 validation error detected: {first}")));
            }
        }
        failed.truncate(MOST_REPORTED);
        let count = failed.len();
        let plural = if count == 1 { "" } else { "s" };
        let list: Vec<String> = failed.into_iter().map(|failed| failed.classic).collect();
        Err(ApiError::validation(format!("{count} validation error{plural} detected: {}", list.join("; "))))
    }
}

/// Whether every character may stand in a table's or index's name, and there is one.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn modern_text(path: &Path<'_>, constraint: &str) -> String {
    format!("Value at '{}' failed to satisfy constraint: {constraint}", path.modern())
}

fn pattern_text() -> String {
    format!("Member must satisfy regular expression pattern: {NAME_PATTERN}")
}

/// The constraint that a number breaks.
fn bound_text<N: PartialOrd + ToString>(what: &str, value: N, bounds: &RangeInclusive<N>) -> Option<String> {
    let (side, bound) = if value < *bounds.start() {
        ("greater", bounds.start())
    } else if value > *bounds.end() {
        ("less", bounds.end())
    } else {
        return None;
    };
    Some(format!("Member must have {what} {side} than or equal to {}", bound.to_string()))
}

#[cfg(test)]
mod tests;
