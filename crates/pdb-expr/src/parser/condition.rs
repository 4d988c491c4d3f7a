//! The grammar of conditions, filters and key conditions.

use super::Parser;
use crate::ExprError;
use crate::lexer::{Keyword, Kind};
use crate::syntax::{Comparator, Function, RawCall, RawCondition, RawOperand};

/// Something read where both a condition and the start of one may stand.
enum Term<'a> {
    Condition(RawCondition<'a>),
    /// An operand whose operator must follow; a function may yet turn out to be a condition.
    Operand(RawOperand<'a>),
}

/// A term, and whether parentheses enclose it directly.
type Enclosed<'a> = (Term<'a>, bool);

impl<'a> Parser<'a> {
    /// Reads a whole condition.
    pub(crate) fn condition(&mut self) -> Result<RawCondition<'a>, ExprError> {
        let (term, _) = self.disjunction(false)?;
        self.end()?;
        self.settled(term)
    }

    /// Reads conditions joined by `AND` and `OR`; directly inside parentheses it may find a lone operand instead.
    ///
    /// One function for both operators keeps the stack of deeply nested conditions small.
    fn disjunction(&mut self, inside: bool) -> Result<Enclosed<'a>, ExprError> {
        let mut alternatives = Vec::new();
        let mut parts = Vec::new();
        loop {
            let is_first = parts.is_empty() && alternatives.is_empty();
            let (term, enclosed) = self.negation(inside && is_first)?;
            if is_first && !matches!(self.peek(), Kind::Keyword(Keyword::And | Keyword::Or)) {
                return Ok((term, enclosed));
            }
            parts.push(self.settled(term)?);
            if self.accept(Kind::Keyword(Keyword::And)) {
                self.notes.operators += 1;
                continue;
            }
            alternatives.push(joined(std::mem::take(&mut parts), RawCondition::And));
            if self.accept(Kind::Keyword(Keyword::Or)) {
                self.notes.operators += 1;
                continue;
            }
            return Ok((Term::Condition(joined(alternatives, RawCondition::Or)), false));
        }
    }

    /// Returns the condition of a term that is beside an operator.
    fn settled(&self, term: Term<'a>) -> Result<RawCondition<'a>, ExprError> {
        match term {
            Term::Condition(condition) => Ok(condition),
            Term::Operand(_) => Err(self.unexpected()),
        }
    }

    fn negation(&mut self, inside: bool) -> Result<Enclosed<'a>, ExprError> {
        let mut negations = 0;
        while self.accept(Kind::Keyword(Keyword::Not)) {
            negations += 1;
        }
        self.notes.operators += negations;
        let (term, enclosed) = self.primary(inside && negations == 0)?;
        if negations == 0 {
            return Ok((term, enclosed));
        }
        let condition = self.settled(term)?;
        let negated = (0..negations).fold(condition, |inner, _| RawCondition::Not(Box::new(inner)));
        Ok((Term::Condition(negated), false))
    }

    fn primary(&mut self, inside: bool) -> Result<Enclosed<'a>, ExprError> {
        let enclosed = self.accept(Kind::Open);
        let term = if enclosed {
            self.descend()?;
            let (term, again) = self.disjunction(true)?;
            self.expect(Kind::Close)?;
            self.depth -= 1;
            self.notes.redundant_parentheses |= again;
            term
        } else {
            Term::Operand(self.plain_operand()?)
        };
        let operand = match term {
            Term::Condition(_) => return Ok((term, enclosed)),
            Term::Operand(operand) => operand,
        };
        if let Some(comparator) = comparator(self.peek()) {
            self.next();
            return self.comparison(comparator, operand);
        }
        if self.accept(Kind::Keyword(Keyword::Between)) {
            return self.between(operand);
        }
        if self.accept(Kind::Keyword(Keyword::In)) {
            return self.membership(operand);
        }
        let closes = inside && self.peek() == Kind::Close;
        match operand {
            _ if closes => Ok((Term::Operand(operand), enclosed)),
            RawOperand::Call(call) => Ok((Term::Condition(self.predicate(call)), enclosed)),
            RawOperand::Path(_) | RawOperand::Value(_) => Err(self.unexpected()),
        }
    }

    fn comparison(
        &mut self,
        comparator: Comparator,
        left: RawOperand<'a>,
    ) -> Result<Enclosed<'a>, ExprError> {
        self.notes.operators += 1;
        let right = self.operand()?.0;
        self.note_operands([&left, &right]);
        Ok((Term::Condition(RawCondition::Compare(comparator, Box::new([left, right]))), false))
    }

    fn between(&mut self, operand: RawOperand<'a>) -> Result<Enclosed<'a>, ExprError> {
        self.notes.operators += 1;
        let lower = self.operand()?.0;
        self.expect(Kind::Keyword(Keyword::And))?;
        let upper = self.operand()?.0;
        self.note_operands([&operand, &lower, &upper]);
        Ok((Term::Condition(RawCondition::Between(Box::new([operand, lower, upper]))), false))
    }

    fn membership(&mut self, operand: RawOperand<'a>) -> Result<Enclosed<'a>, ExprError> {
        self.notes.operators += 1;
        self.expect(Kind::Open)?;
        let mut list = vec![self.operand()?.0];
        while self.accept(Kind::Comma) {
            list.push(self.operand()?.0);
        }
        self.expect(Kind::Close)?;
        self.note_operands([&operand]);
        self.note_operands(&list);
        Ok((Term::Condition(RawCondition::In(Box::new(operand), list)), false))
    }

    /// Makes a function a condition.
    fn predicate(&mut self, call: RawCall<'a>) -> RawCondition<'a> {
        if Function::named(call.name).is_some_and(|function| !function.is_condition()) {
            self.notes.note_misuse(&call);
        }
        self.note_operands(&call.arguments);
        RawCondition::Call(call)
    }

    /// Notes functions among operands that give no value.
    fn note_operands<'b>(&mut self, operands: impl IntoIterator<Item = &'b RawOperand<'a>>)
    where
        'a: 'b,
    {
        for operand in operands {
            if let RawOperand::Call(call) = operand {
                if Function::named(call.name) != Some(Function::Size) {
                    self.notes.note_misuse(call);
                }
                self.note_operands(&call.arguments);
            }
        }
    }
}

/// Returns the one condition, or all of them joined.
fn joined<'a>(
    mut conditions: Vec<RawCondition<'a>>,
    join: impl FnOnce(Vec<RawCondition<'a>>) -> RawCondition<'a>,
) -> RawCondition<'a> {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        last => {
            conditions.extend(last);
            join(conditions)
        }
    }
}

fn comparator(kind: Kind) -> Option<Comparator> {
    match kind {
        Kind::Equal => Some(Comparator::Equal),
        Kind::NotEqual => Some(Comparator::NotEqual),
        Kind::Less => Some(Comparator::Less),
        Kind::LessOrEqual => Some(Comparator::LessOrEqual),
        Kind::Greater => Some(Comparator::Greater),
        Kind::GreaterOrEqual => Some(Comparator::GreaterOrEqual),
        _ => None,
    }
}
