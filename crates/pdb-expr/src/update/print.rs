//! From updates back to text.

use std::fmt;

use super::{SetValue, UpdateAction, UpdateExpression, UpdateOperand};
use crate::condition::{PrintedExpression, Printer};
use crate::syntax::Section;

impl UpdateExpression {
    /// Returns the update as a request would carry it; actions of one section come together.
    ///
    /// Parsing it gives an equal tree, if the tree could come from text at all.
    #[must_use]
    pub fn printed(&self) -> PrintedExpression {
        let mut printer = Printer::new();
        self.print(&mut printer);
        printer.finish()
    }

    fn print(&self, printer: &mut Printer) {
        let mut sections: Vec<Section> = Vec::with_capacity(4);
        for action in &self.actions {
            if !sections.contains(&section(action)) {
                sections.push(section(action));
            }
        }
        for (position, wanted) in sections.into_iter().enumerate() {
            if position > 0 {
                printer.text(" ");
            }
            printer.text(wanted.name());
            printer.text(" ");
            printer.list(self.actions.iter().filter(|action| section(action) == wanted), Printer::action);
        }
    }
}

/// For people: as [`UpdateExpression::printed`], with values in place.
impl fmt::Display for UpdateExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printer = Printer::in_place();
        self.print(&mut printer);
        f.write_str(&printer.finish().text)
    }
}

fn section(action: &UpdateAction) -> Section {
    match action {
        UpdateAction::Set(..) => Section::Set,
        UpdateAction::Remove(_) => Section::Remove,
        UpdateAction::Add(..) => Section::Add,
        UpdateAction::Delete(..) => Section::Delete,
    }
}

impl Printer {
    fn action(&mut self, action: &UpdateAction) {
        self.path(action.target());
        match action {
            UpdateAction::Set(_, value) => {
                self.text(" = ");
                match value {
                    SetValue::Operand(operand) => self.update_operand(operand),
                    SetValue::Plus(left, right) => self.arithmetic(left, " + ", right),
                    SetValue::Minus(left, right) => self.arithmetic(left, " - ", right),
                }
            }
            UpdateAction::Remove(_) => {}
            UpdateAction::Add(_, value) | UpdateAction::Delete(_, value) => {
                self.text(" ");
                self.value(value);
            }
        }
    }

    fn arithmetic(&mut self, left: &UpdateOperand, sign: &str, right: &UpdateOperand) {
        self.update_operand(left);
        self.text(sign);
        self.update_operand(right);
    }

    fn update_operand(&mut self, operand: &UpdateOperand) {
        match operand {
            UpdateOperand::Path(path) => self.path(path),
            UpdateOperand::Value(value) => self.value(value),
            UpdateOperand::IfNotExists(path, other) => {
                self.text("if_not_exists(");
                self.path(path);
                self.text(", ");
                self.update_operand(other);
                self.text(")");
            }
            UpdateOperand::ListAppend(first, second) => {
                self.text("list_append(");
                self.update_operand(first);
                self.text(", ");
                self.update_operand(second);
                self.text(")");
            }
        }
    }
}
