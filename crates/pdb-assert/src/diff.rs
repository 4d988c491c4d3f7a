//! The difference between two streams.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::align::{Pair, align};
use crate::{Change, show};

/// The maximum width of a change.
const MAX_COLUMN: usize = 80;
/// A longer run of equal changes is summed up in one line.
const MAX_EQUAL: usize = 3;

/// The difference between two lists of changes, for example of the streams of two tables that got the same writes.
///
/// Changes are compared key by key, because a stream defines no order between changes of different items. Sequence numbers and times are ignored.
/// `Display` prints the keys that differ. A `-` marks a change that is missing from the second list, a `+` one that only the second list has,
/// and a `~` one that has a different position there.
///
/// # Examples
///
/// ```
/// use pdb_assert::{Change, StreamDiff};
///
/// let change = |name: &str, key: &str| {
///     Change::parse(&format!(r#"{{"eventName": "{name}", "dynamodb": {{"Keys": {{"pk": {{"S": "{key}"}}}}}}}}"#))
/// };
/// let first = [change("INSERT", "a")?, change("INSERT", "b")?, change("REMOVE", "a")?];
/// let second = [change("INSERT", "b")?, change("INSERT", "a")?];
/// let diff = StreamDiff::between(&first, &second);
/// assert_eq!(
///     diff.to_string(),
///     "1 of 2 keys differs: 1 change missing\n\
///      \n\
///      pk=\"a\"\n\
///      \u{20}   INSERT\n\
///      \u{20} - REMOVE  missing\n"
/// );
/// # Ok::<(), pdb_assert::ChangeParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StreamDiff {
    keys: usize,
    differing: Vec<KeyDiff>,
}

/// The difference of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyDiff {
    key: String,
    rows: Vec<(Sign, Change)>,
}

/// Which of the lists contain a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Both,
    Missing,
    Added,
    /// In both lists, at different positions. The number is the position in the first list, from 1.
    OutOfOrder(usize),
}

impl StreamDiff {
    /// Compares two lists. `first` is the expected one, or the earlier one.
    #[must_use]
    pub fn between(first: &[Change], second: &[Change]) -> Self {
        let (first, second) = (by_key(first), by_key(second));
        let keys: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
        let none = Vec::new();
        let mut differing = Vec::new();
        for key in &keys {
            let (first, second) = (first.get(*key).unwrap_or(&none), second.get(*key).unwrap_or(&none));
            let same = |i: usize, j: usize| first[i].is_equivalent_to(second[j]);
            let pairs = align(first.len(), second.len(), same);
            if pairs.iter().all(|pair| matches!(pair, Pair::Matching(..))) {
                continue;
            }
            differing.push(KeyDiff {
                key: show::key(&any_change(first, second).keys),
                rows: rows(first, second, &pairs),
            });
        }
        Self { keys: keys.len(), differing }
    }

    /// Returns whether the lists are equivalent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differing.is_empty()
    }

    /// Panics with the difference if there is one.
    ///
    /// # Panics
    ///
    /// If the lists differ.
    #[track_caller]
    pub fn assert_empty(&self) {
        assert!(self.is_empty(), "{self}");
    }
}

/// Groups changes by the text of their key, so that the keys of a table are sorted.
fn by_key(changes: &[Change]) -> BTreeMap<String, Vec<&Change>> {
    let mut keys: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        keys.entry(change.keys.to_string()).or_default().push(change);
    }
    keys
}

/// Returns a change of the key. At least one of the lists has one.
fn any_change<'a>(first: &[&'a Change], second: &[&'a Change]) -> &'a Change {
    first.first().or(second.first()).copied().expect("a key comes from a change")
}

fn rows(first: &[&Change], second: &[&Change], pairs: &[Pair]) -> Vec<(Sign, Change)> {
    // A change that is missing at one position and added at another has only moved.
    let mut missing: Vec<usize> = pairs
        .iter()
        .filter_map(|pair| match pair {
            Pair::First(i) => Some(*i),
            _ => None,
        })
        .collect();
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    for pair in pairs {
        if let Pair::Second(j) = *pair
            && let Some(at) = missing.iter().position(|i| first[*i].is_equivalent_to(second[j]))
        {
            moved.insert(j, missing.remove(at));
        }
    }
    let mut rows = Vec::with_capacity(pairs.len());
    for pair in pairs {
        match *pair {
            Pair::Matching(i, _) => rows.push((Sign::Both, first[i].clone())),
            Pair::First(i) if missing.contains(&i) => rows.push((Sign::Missing, first[i].clone())),
            Pair::First(_) => {}
            Pair::Second(j) => {
                let sign = moved.get(&j).map_or(Sign::Added, |i| Sign::OutOfOrder(i + 1));
                rows.push((sign, second[j].clone()));
            }
        }
    }
    rows
}

impl fmt::Display for StreamDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return writeln!(f, "no difference");
        }
        let signs = || self.differing.iter().flat_map(|key| &key.rows).map(|(sign, _)| *sign);
        let count = |is: fn(&Sign) -> bool| signs().filter(is).count();
        let parts = [
            (count(|sign| *sign == Sign::Missing), "missing"),
            (count(|sign| *sign == Sign::Added), "added"),
            (count(|sign| matches!(sign, Sign::OutOfOrder(_))), "out of order"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<_> =
            parts.map(|(count, what)| format!("{} {what}", show::counted(*count, "change"))).collect();
        let (differing, differ) =
            (self.differing.len(), if self.differing.len() == 1 { "differs" } else { "differ" });
        writeln!(f, "{differing} of {} {differ}: {}", show::counted(self.keys, "key"), parts.join(", "))?;
        for key in &self.differing {
            write!(f, "\n{}\n{}", key.key, key.table())?;
        }
        Ok(())
    }
}

impl KeyDiff {
    fn table(&self) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        let mut rows = self.rows.iter().peekable();
        while let Some((sign, change)) = rows.next() {
            if *sign == Sign::Both {
                let mut run = vec![change];
                while let Some((_, change)) = rows.next_if(|(sign, _)| *sign == Sign::Both) {
                    run.push(change);
                }
                // Of a long run only the last change is shown, as context before the difference.
                let shown = if rows.peek().is_none() { 0 } else { 1 };
                if run.len() > MAX_EQUAL {
                    let hidden = run.len() - shown;
                    lines.push(vec![format!("    ({} in both)", show::counted(hidden, "change"))]);
                    run.drain(..hidden);
                }
                lines.extend(run.into_iter().map(|change| vec![format!("    {}", shown_change(change))]));
                continue;
            }
            let (sign, note) = match sign {
                Sign::Both => (' ', String::new()),
                Sign::Missing => ('-', "missing".to_owned()),
                Sign::Added => ('+', self.note_of_added(change)),
                Sign::OutOfOrder(place) => ('~', format!("out of order: change {place} of the first")),
            };
            lines.push(vec![format!("  {sign} {}", shown_change(change)), note]);
        }
        show::columns(&lines)
    }

    /// Returns the note of an added change. If it looks like a missing one, the note says how they differ.
    fn note_of_added(&self, added: &Change) -> String {
        let shown = shown_change(added);
        let alike =
            self.rows.iter().find(|(sign, change)| *sign == Sign::Missing && shown_change(change) == shown);
        match alike {
            Some((_, missing)) => format!("added: {}", show::differing_attributes(missing, added)),
            None => "added".to_owned(),
        }
    }
}

fn shown_change(change: &Change) -> String {
    show::cut(&show::change(change), MAX_COLUMN)
}
