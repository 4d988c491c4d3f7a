//! The grammar of updates.

use super::Parser;
use crate::ExprError;
use crate::lexer::{Keyword, Kind};
use crate::syntax::{Function, RawAction, RawOperand, RawSetValue, Section};

impl<'a> Parser<'a> {
    /// Reads a whole update: the actions in the order of the text, and the first section that appears twice.
    pub(crate) fn update(&mut self) -> Result<(Vec<RawAction<'a>>, Option<Section>), ExprError> {
        let mut actions = Vec::new();
        let mut seen: Vec<Section> = Vec::with_capacity(4);
        let mut repeated = None;
        loop {
            let section = match self.peek() {
                Kind::Keyword(Keyword::Set) => Section::Set,
                Kind::Keyword(Keyword::Remove) => Section::Remove,
                Kind::Keyword(Keyword::Add) => Section::Add,
                Kind::Keyword(Keyword::Delete) => Section::Delete,
                Kind::End if !seen.is_empty() => return Ok((actions, repeated)),
                _ => return Err(self.unexpected()),
            };
            self.next();
            if seen.contains(&section) {
                repeated = repeated.or(Some(section));
            }
            seen.push(section);
            actions.push(self.action(section)?);
            while self.accept(Kind::Comma) {
                actions.push(self.action(section)?);
            }
        }
    }

    fn action(&mut self, section: Section) -> Result<RawAction<'a>, ExprError> {
        let path = self.path()?;
        Ok(match section {
            Section::Set => {
                self.expect(Kind::Equal)?;
                RawAction::Set(path, self.set_value()?)
            }
            Section::Remove => RawAction::Remove(path),
            Section::Add => RawAction::Add(path, self.value()?),
            Section::Delete => RawAction::Delete(path, self.value()?),
        })
    }

    /// Reads an operand, a sum or a difference, or one of these in parentheses.
    fn set_value(&mut self) -> Result<RawSetValue<'a>, ExprError> {
        if self.peek() != Kind::Open {
            let operand = self.update_operand()?.0;
            return self.arithmetic(operand);
        }
        self.next();
        self.descend()?;
        // Only after the first operand it is known whether the parentheses enclose an operand or the whole value.
        let (first, enclosed) = self.update_operand()?;
        let value = if matches!(self.peek(), Kind::Plus | Kind::Minus) {
            let value = self.arithmetic(first)?;
            self.expect(Kind::Close)?;
            value
        } else {
            self.expect(Kind::Close)?;
            self.notes.redundant_parentheses |= enclosed;
            self.arithmetic(first)?
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Reads what may follow the first operand of a value.
    fn arithmetic(&mut self, left: RawOperand<'a>) -> Result<RawSetValue<'a>, ExprError> {
        let make = match self.peek() {
            Kind::Plus => RawSetValue::Plus,
            Kind::Minus => RawSetValue::Minus,
            _ => return Ok(RawSetValue::Operand(left)),
        };
        self.next();
        self.notes.operators += 1;
        let right = self.update_operand()?.0;
        Ok(make(left, right))
    }

    fn update_operand(&mut self) -> Result<(RawOperand<'a>, bool), ExprError> {
        let (operand, enclosed) = self.operand()?;
        self.note_update_operand(&operand);
        Ok((operand, enclosed))
    }

    /// Notes functions that have no place in an update, or not this one.
    fn note_update_operand(&mut self, operand: &RawOperand<'a>) {
        let RawOperand::Call(call) = operand else { return };
        let function = Function::named(call.name);
        if !matches!(function, Some(Function::IfNotExists | Function::ListAppend)) {
            self.notes.note_misuse(call);
        }
        for argument in &call.arguments {
            if let RawOperand::Call(inner) = argument
                && function == Some(Function::ListAppend)
                && Function::named(inner.name) == Some(Function::ListAppend)
            {
                self.notes.note_misuse(inner);
            }
            self.note_update_operand(argument);
        }
    }
}
