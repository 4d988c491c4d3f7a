//! From trees back to text.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use pdb_model::AttributeValue;

use super::{ConditionExpression, Operand};
use crate::lexer::{Kind, tokenize};
use crate::{Path, PathElement, Placeholders, is_reserved};

/// An expression as a request carries it: a text, and the placeholders it refers to.
///
/// Parsing the text with these placeholders gives the tree it was printed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrintedExpression {
    /// The expression.
    pub text: String,
    /// `ExpressionAttributeNames`.
    pub names: BTreeMap<String, String>,
    /// `ExpressionAttributeValues`.
    pub values: BTreeMap<String, AttributeValue>,
}

impl PrintedExpression {
    /// Returns the placeholders to parse the text with.
    #[must_use]
    pub fn placeholders(&self) -> Placeholders {
        Placeholders::new(self.names.clone(), self.values.clone())
    }
}

/// Writes expressions. It either collects values as placeholders, or writes them in place for people to read.
pub(crate) struct Printer {
    printed: PrintedExpression,
    in_place: bool,
}

impl Printer {
    /// Returns a printer of a request's text with placeholders.
    pub(crate) fn new() -> Self {
        Self { printed: PrintedExpression::default(), in_place: false }
    }

    /// Returns a printer for people.
    pub(crate) fn in_place() -> Self {
        Self { printed: PrintedExpression::default(), in_place: true }
    }

    pub(crate) fn finish(self) -> PrintedExpression {
        self.printed
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.printed.text.push_str(text);
    }

    /// Writes items with `, ` between them.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.text(", ");
            }
            write(self, item);
        }
    }

    pub(crate) fn path(&mut self, path: &Path) {
        self.name(&path.attribute);
        for element in &path.elements {
            match element {
                PathElement::Name(name) => {
                    self.text(".");
                    self.name(name);
                }
                PathElement::Index(index) => {
                    write!(self.printed.text, "[{index}]").expect("a string takes all text");
                }
            }
        }
    }

    fn name(&mut self, name: &str) {
        if is_plain(name) {
            return self.text(name);
        }
        let known = self.printed.names.iter().find(|(_, known)| *known == name).map(|(key, _)| key.clone());
        let key = known.unwrap_or_else(|| format!("#n{}", self.printed.names.len()));
        self.text(&key);
        self.printed.names.insert(key, name.to_owned());
    }

    pub(crate) fn value(&mut self, value: &AttributeValue) {
        if self.in_place {
            let text = value.to_string();
            return self.text(&text);
        }
        let key = format!(":v{}", self.printed.values.len());
        self.text(&key);
        self.printed.values.insert(key, value.clone());
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Value(value) => self.value(value),
            Operand::Size(operand) => self.call("size", [&**operand]),
        }
    }

    fn call<'a>(&mut self, name: &str, operands: impl IntoIterator<Item = &'a Operand>) {
        self.text(name);
        self.text("(");
        self.list(operands, Self::operand);
        self.text(")");
    }

    /// Writes a condition, in parentheses if it binds no closer than `strength`.
    fn condition(&mut self, condition: &ConditionExpression, strength: u8) {
        let enclosed = binding(condition) <= strength;
        if enclosed {
            self.text("(");
        }
        match condition {
            ConditionExpression::And(parts) => self.joined(parts, " AND ", binding(condition)),
            ConditionExpression::Or(parts) => self.joined(parts, " OR ", binding(condition)),
            ConditionExpression::Not(inner) => {
                self.text("NOT ");
                // `NOT NOT a` needs no parentheses.
                self.condition(inner, binding(condition) - 1);
            }
            ConditionExpression::Compare(comparator, left, right) => {
                self.operand(left);
                self.text(" ");
                self.text(comparator.symbol());
                self.text(" ");
                self.operand(right);
            }
            ConditionExpression::Between { operand, lower, upper } => {
                self.operand(operand);
                self.text(" BETWEEN ");
                self.operand(lower);
                self.text(" AND ");
                self.operand(upper);
            }
            ConditionExpression::In { operand, list } => {
                self.operand(operand);
                self.text(" IN ");
                self.call("", list);
            }
            ConditionExpression::AttributeExists(path) => self.path_call("attribute_exists", path),
            ConditionExpression::AttributeNotExists(path) => self.path_call("attribute_not_exists", path),
            ConditionExpression::AttributeType(operand, attribute_type) => {
                self.text("attribute_type(");
                self.operand(operand);
                self.text(", ");
                self.value(&attribute_type.name().into());
                self.text(")");
            }
            ConditionExpression::BeginsWith(whole, prefix) => self.call("begins_with", [whole, prefix]),
            ConditionExpression::Contains(whole, part) => self.call("contains", [whole, part]),
        }
        if enclosed {
            self.text(")");
        }
    }

    fn joined(&mut self, parts: &[ConditionExpression], between: &str, strength: u8) {
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                self.text(between);
            }
            self.condition(part, strength);
        }
    }

    fn path_call(&mut self, name: &str, path: &Path) {
        self.text(name);
        self.text("(");
        self.path(path);
        self.text(")");
    }
}

/// How closely a condition holds together: `OR`, `AND`, `NOT`, predicate.
fn binding(condition: &ConditionExpression) -> u8 {
    match condition {
        ConditionExpression::Or(_) => 1,
        ConditionExpression::And(_) => 2,
        ConditionExpression::Not(_) => 3,
        _ => 4,
    }
}

/// Returns whether a name can be written without a placeholder.
fn is_plain(name: &str) -> bool {
    !is_reserved(name)
        && matches!(tokenize(name).as_slice(), [token, _] if token.kind == Kind::Identifier && token.text == name)
}

impl ConditionExpression {
    /// Returns the condition as a request would carry it. Parsing it gives an equal tree, if the tree could come from
    /// text at all (joined conditions have two parts or more, constants suit their operators).
    #[must_use]
    pub fn printed(&self) -> PrintedExpression {
        let mut printer = Printer::new();
        printer.condition(self, 0);
        printer.finish()
    }
}

/// For people: as [`ConditionExpression::printed`], with values in place.
impl fmt::Display for ConditionExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printer = Printer::in_place();
        printer.condition(self, 0);
        f.write_str(&printer.finish().text)
    }
}
