//! Walks a model and collects what the database does not support.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};

use crate::engine::{Engine, Said};
use crate::known::Known;
use crate::model::{Limits, Model, Shape};
use crate::source::Source;

/// A value that no enumeration has.
const NO_SUCH_VALUE: &str = "no-such-value";
/// Longer texts and lists are not tried: the size of a request has a limit of its own.
const LONGEST: usize = 100_000;

/// What a comparison found.
#[derive(Debug)]
pub struct Report {
    version: String,
    tried: usize,
    known: usize,
    /// Differences that are not known.
    pub news: Vec<String>,
    /// Lines of the list of known differences that match none: of another service, or mended.
    pub unmatched: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.news {
            writeln!(f, "new: {difference}")?;
        }
        let Self { version, tried, known, news, .. } = self;
        write!(f, "{version}: {tried} tried, {} new, {known} known differences", news.len())
    }
}

/// Compares a model with what the engine takes and the source writes. What `known` lists is not new.
#[must_use]
pub fn compare(model: &Model, engine: &Engine, source: &Source, known: &Known) -> Report {
    let mut walk = Walk { model, engine, source, tried: 0, differences: BTreeSet::new() };
    for (name, operation) in &model.operations {
        walk.tried += 1;
        if engine.ask(name, &json!({})).is_unknown_operation() {
            walk.differences.insert(format!("operation {name}"));
            continue;
        }
        if let Some(input) = &operation.input {
            walk.request(&Place { operation: name, steps: Vec::new() }, input, &mut vec![input]);
        }
        if let Some(output) = &operation.output {
            walk.answer(name, output, &mut Vec::new());
        }
    }
    let differences: Vec<String> = walk.differences.into_iter().collect();
    let unmatched = known.unmatched(&differences).map(str::to_owned).collect();
    let (old, news): (Vec<_>, Vec<_>) = differences.into_iter().partition(|line| known.has(line));
    Report { version: model.version.clone(), tried: walk.tried, known: old.len(), news, unmatched }
}

/// One step into a request.
#[derive(Clone, Copy)]
enum Step<'m> {
    Member(&'m str),
    Element,
    Entry,
}

/// A place in the request of an operation.
#[derive(Clone)]
struct Place<'m> {
    operation: &'m str,
    steps: Vec<Step<'m>>,
}

impl<'m> Place<'m> {
    fn at(&self, step: Step<'m>) -> Self {
        let mut place = self.clone();
        place.steps.push(step);
        place
    }

    /// The smallest request with `value` at this place.
    fn request(&self, value: Value) -> Value {
        self.steps.iter().rev().fold(value, |inner, step| match step {
            Step::Member(name) => json!({ *name: inner }),
            Step::Element => json!([inner]),
            Step::Entry => json!({ "entry": inner }),
        })
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(f, ".{name}"),
            Step::Element => f.write_str("[]"),
            Step::Entry => f.write_str(".*"),
        })
    }
}

struct Walk<'m> {
    model: &'m Model,
    engine: &'m Engine,
    source: &'m Source,
    tried: usize,
    differences: BTreeSet<String>,
}

impl<'m> Walk<'m> {
    fn ask(&mut self, place: &Place<'_>, value: Value) -> Said {
        self.tried += 1;
        self.engine.ask(place.operation, &place.request(value))
    }

    /// Tries all that a shape at this place allows. `around` are the shapes it lies in: those that hold themselves are entered once.
    fn request(&mut self, place: &Place<'m>, shape: &'m str, around: &mut Vec<&'m str>) {
        match self.model.shape(shape) {
            Shape::Structure(members) => {
                for (name, shape) in members {
                    self.member(&place.at(Step::Member(name)), shape, around);
                }
            }
            Shape::List { element, limits } => {
                self.limits(place, limits, "length", &|count| {
                    Value::Array(vec![self.model.example(element); count])
                });
                self.inside(&place.at(Step::Element), element, around);
            }
            Shape::Map { value, limits } => {
                self.limits(place, limits, "length", &|count| {
                    (0..count).map(|n| (format!("entry{n}"), self.model.example(value))).collect()
                });
                self.inside(&place.at(Step::Entry), value, around);
            }
            Shape::Text { values, limits } if values.is_empty() => {
                self.limits(place, limits, "length", &|count| "x".repeat(count).into());
            }
            Shape::Text { values, .. } => self.enumeration(place, &values),
            Shape::Integer(limits) => self.range(place, limits),
            Shape::Other => {}
        }
    }

    fn member(&mut self, place: &Place<'m>, shape: &'m str, around: &mut Vec<&'m str>) {
        let wrong = match self.model.shape(shape) {
            Shape::Structure(_) | Shape::List { .. } | Shape::Map { .. } => json!(5),
            Shape::Text { .. } | Shape::Integer(_) | Shape::Other => json!({}),
        };
        if self.ask(place, wrong).is_wrong_type() {
            self.inside(place, shape, around);
        } else {
            self.differences.insert(format!("member {place}"));
        }
    }

    fn inside(&mut self, place: &Place<'m>, shape: &'m str, around: &mut Vec<&'m str>) {
        if !around.contains(&shape) {
            around.push(shape);
            self.request(place, shape, around);
            around.pop();
        }
    }

    fn enumeration(&mut self, place: &Place<'_>, values: &[&str]) {
        let said = self.ask(place, NO_SUCH_VALUE.into());
        // Some enumerations AWS does not check before the table is looked for.
        let Some(ours) = said.enumeration() else { return };
        let missing = values.iter().filter(|value| !ours.contains(value));
        self.differences.extend(missing.map(|value| format!("value {place} {value}")));
    }

    /// Tries lengths outside the limits, just outside and far; `of_length` makes a value.
    fn limits(&mut self, place: &Place<'_>, limits: Limits, what: &str, of_length: &dyn Fn(usize) -> Value) {
        let near = |limit: i64, step: i64| usize::try_from(limit + step).ok().filter(|near| *near <= LONGEST);
        if let Some(most) = limits.most {
            let lengths = near(most, 1).into_iter().chain([LONGEST]);
            self.limit(place, (what, "less"), most, lengths.map(of_length));
        }
        if let Some(least) = limits.least.filter(|least| *least > 0) {
            let lengths = near(least, -1).into_iter().chain([0]);
            self.limit(place, (what, "greater"), least, lengths.map(of_length));
        }
    }

    /// Tries values outside the limits, just outside and far.
    fn range(&mut self, place: &Place<'_>, limits: Limits) {
        if let Some(most) = limits.most {
            self.limit(place, ("value", "less"), most, [most + 1, i32::MAX.into()].map(Value::from));
        }
        if let Some(least) = limits.least {
            self.limit(place, ("value", "greater"), least, [least - 1, i32::MIN.into()].map(Value::from));
        }
    }

    /// Notes a limit that the text of the first refusal gives another value than the model does. Some limits AWS does not check
    /// in this form, and some not before the table is looked for.
    fn limit(
        &mut self,
        place: &Place<'_>,
        (what, side): (&str, &str),
        limit: i64,
        outside: impl IntoIterator<Item = Value>,
    ) {
        let introduction = format!("Member must have {what} {side} than or equal to ");
        let ours = outside.into_iter().find_map(|value| {
            let said = self.ask(place, value);
            said.constraint(&introduction)?.split([',', ' ', '\n']).next()?.parse::<i64>().ok()
        });
        let Some(ours) = ours.filter(|ours| *ours != limit) else { return };
        let word = if side == "less" { "most" } else { "least" };
        self.differences.insert(format!("limit {place} {word} {limit}, here {ours}"));
    }

    /// Looks for the names that an answer may hold.
    fn answer(&mut self, operation: &str, shape: &'m str, around: &mut Vec<&'m str>) {
        if around.contains(&shape) {
            return;
        }
        around.push(shape);
        match self.model.shape(shape) {
            Shape::Structure(members) => {
                for (name, shape) in members {
                    self.tried += 1;
                    if self.source.names(name) {
                        self.answer(operation, shape, around);
                    } else {
                        self.differences.insert(format!("answer {operation} {name}"));
                    }
                }
            }
            Shape::List { element, .. } => self.answer(operation, element, around),
            Shape::Map { value, .. } => self.answer(operation, value, around),
            _ => {}
        }
        around.pop();
    }
}

impl Model {
    /// The plainest value of a shape.
    fn example(&self, shape: &str) -> Value {
        match self.shape(shape) {
            Shape::Structure(_) | Shape::Map { .. } => json!({}),
            Shape::List { .. } => json!([]),
            Shape::Text { values, .. } => (*values.first().unwrap_or(&"xxx")).into(),
            Shape::Integer(_) => json!(1),
            Shape::Other => Value::Null,
        }
    }
}
