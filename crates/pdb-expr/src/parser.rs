//! Parsing tokens to raw syntax. This module contains what the grammars in its submodules share.
//!
//! A syntax error wins over all others, so the parser reads to the end and only notes what else is wrong. [`Notes`] keeps
//! the first finding of each kind, and the caller reports them in AWS's order.

mod condition;
mod update;

use crate::lexer::{Kind, Token, syntax_error, tokenize};
use crate::path::check_depth;
use crate::syntax::{Function, RawCall, RawElement, RawOperand, RawPath};
use crate::{ExprError, reserved};

/// The longest expression, in bytes as sent.
const MAX_BYTES: usize = 4096;
/// The most operators in an expression.
const MAX_OPERATORS: usize = 300;
/// How deep parentheses and functions may nest before the parser gives up. A legal expression spends an operator on each
/// level, so only one that has too many operators or redundant parentheses comes this far; recursion stays bounded.
const MAX_DEPTH: usize = MAX_OPERATORS;

/// What is wrong with a well-formed expression, the first finding of each kind.
#[derive(Debug, Default)]
pub(crate) struct Notes<'a> {
    operators: usize,
    redundant_parentheses: bool,
    unknown_function: Option<&'a str>,
    /// With the position of the function, because an inner one is found before an outer one.
    misuse: Option<(usize, &'static str)>,
    /// A reserved word, or another fault of a path that needs no look-up.
    path: Option<ExprError>,
    /// All `#names` in the order of the text.
    pub(crate) names: Vec<&'a str>,
    /// All `:values` in the order of the text.
    pub(crate) values: Vec<&'a str>,
}

impl<'a> Notes<'a> {
    fn note_path(&mut self, error: impl FnOnce() -> ExprError) {
        if self.path.is_none() {
            self.path = Some(error());
        }
    }

    fn note_misuse(&mut self, call: &RawCall<'a>) {
        if let Some(function) = Function::named(call.name)
            && self.misuse.is_none_or(|(start, _)| call.start < start)
        {
            self.misuse = Some((call.start, function.name()));
        }
    }

    fn check_operators(&self) -> Result<(), ExprError> {
        if self.operators > MAX_OPERATORS { Err(ExprError::TooManyOperators(self.operators)) } else { Ok(()) }
    }

    fn check_parentheses(&self) -> Result<(), ExprError> {
        if self.redundant_parentheses { Err(ExprError::RedundantParentheses) } else { Ok(()) }
    }

    fn check_functions(&self) -> Result<(), ExprError> {
        if let Some(name) = self.unknown_function {
            return Err(ExprError::InvalidFunction(name.to_owned()));
        }
        self.misuse.map_or(Ok(()), |(_, name)| Err(ExprError::FunctionMisuse(name)))
    }

    fn check_paths(&mut self) -> Result<(), ExprError> {
        self.path.take().map_or(Ok(()), Err)
    }

    /// Reports the first fault in the order for conditions.
    pub(crate) fn check_condition(&mut self) -> Result<(), ExprError> {
        self.check_operators()?;
        self.check_parentheses()?;
        self.check_functions()?;
        self.check_paths()
    }

    /// Reports the first fault in the order for updates and projections: reserved words come first.
    pub(crate) fn check_update(&mut self) -> Result<(), ExprError> {
        self.check_operators()?;
        self.check_parentheses()?;
        self.check_paths()?;
        self.check_functions()
    }
}

/// Reads one expression.
pub(crate) struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token<'a>>,
    position: usize,
    depth: usize,
    pub(crate) notes: Notes<'a>,
}

impl<'a> Parser<'a> {
    /// Returns a parser at the start of `source`, a condition.
    ///
    /// # Errors
    ///
    /// The text is too long or empty.
    pub(crate) fn of_condition(source: &'a str) -> Result<Self, ExprError> {
        Self::new(source, ExprError::TooLong)
    }

    /// Returns a parser at the start of `source`, an update or a projection.
    ///
    /// # Errors
    ///
    /// The same as [`Parser::of_condition`], except that the error for a text that is too long does not contain the size.
    pub(crate) fn of_update(source: &'a str) -> Result<Self, ExprError> {
        Self::new(source, |_| ExprError::TooLongWithoutSize)
    }

    fn new(source: &'a str, too_long: fn(usize) -> ExprError) -> Result<Self, ExprError> {
        if source.len() > MAX_BYTES {
            return Err(too_long(source.len()));
        }
        let tokens = tokenize(source);
        if tokens.len() == 1 {
            return Err(ExprError::Empty);
        }
        Ok(Self { source, tokens, position: 0, depth: 0, notes: Notes::default() })
    }

    /// Reads a projection: paths with commas between them.
    pub(crate) fn projection(&mut self) -> Result<Vec<RawPath<'a>>, ExprError> {
        let mut paths = vec![self.path()?];
        while self.accept(Kind::Comma) {
            paths.push(self.path()?);
        }
        self.end()?;
        Ok(paths)
    }

    fn peek(&self) -> Kind {
        self.tokens[self.position].kind
    }

    /// Takes the next token; the end stays where it is.
    fn next(&mut self) -> Token<'a> {
        let token = self.tokens[self.position];
        if token.kind != Kind::End {
            self.position += 1;
        }
        token
    }

    fn accept(&mut self, kind: Kind) -> bool {
        let found = self.peek() == kind;
        if found {
            self.position += 1;
        }
        found
    }

    fn expect(&mut self, kind: Kind) -> Result<Token<'a>, ExprError> {
        if self.peek() == kind { Ok(self.next()) } else { Err(self.unexpected()) }
    }

    fn end(&self) -> Result<(), ExprError> {
        if self.peek() == Kind::End { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error that the next token deserves.
    fn unexpected(&self) -> ExprError {
        syntax_error(self.source, &self.tokens, self.position)
    }

    /// Goes one level deeper.
    fn descend(&mut self) -> Result<(), ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(ExprError::RedundantParentheses) } else { Ok(()) }
    }

    fn path(&mut self) -> Result<RawPath<'a>, ExprError> {
        let attribute = self.path_name()?;
        let mut elements = Vec::new();
        loop {
            if self.accept(Kind::Dot) {
                elements.push(RawElement::Name(self.path_name()?));
            } else if self.accept(Kind::OpenBracket) {
                let digits = self.expect(Kind::Number)?.text;
                self.expect(Kind::CloseBracket)?;
                let index = digits.parse().unwrap_or_else(|_| {
                    self.notes.note_path(|| ExprError::ListIndex(digits.to_owned()));
                    0
                });
                elements.push(RawElement::Index(index));
            } else {
                break;
            }
        }
        if let Err(error) = check_depth(elements.len()) {
            self.notes.note_path(|| error);
        }
        Ok(RawPath { attribute, elements })
    }

    fn path_name(&mut self) -> Result<&'a str, ExprError> {
        match self.peek() {
            Kind::Identifier => {
                let name = self.next().text;
                if reserved::is_reserved(name) {
                    self.notes.note_path(|| ExprError::Reserved(name.to_owned()));
                }
                Ok(name)
            }
            Kind::Name => {
                let name = self.next().text;
                self.notes.names.push(name);
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn value(&mut self) -> Result<&'a str, ExprError> {
        let value = self.expect(Kind::Value)?.text;
        self.notes.values.push(value);
        Ok(value)
    }

    /// Reads a path, a value, a function or one of these in parentheses. The second result tells whether there were
    /// parentheses.
    fn operand(&mut self) -> Result<(RawOperand<'a>, bool), ExprError> {
        if !self.accept(Kind::Open) {
            return Ok((self.plain_operand()?, false));
        }
        self.descend()?;
        let (operand, enclosed) = self.operand()?;
        self.expect(Kind::Close)?;
        self.depth -= 1;
        self.notes.redundant_parentheses |= enclosed;
        Ok((operand, true))
    }

    /// Reads a path, a value or a function.
    fn plain_operand(&mut self) -> Result<RawOperand<'a>, ExprError> {
        match self.peek() {
            Kind::Value => Ok(RawOperand::Value(self.value()?)),
            Kind::Identifier if self.tokens[self.position + 1].kind == Kind::Open => {
                Ok(RawOperand::Call(self.call()?))
            }
            _ => Ok(RawOperand::Path(self.path()?)),
        }
    }

    fn call(&mut self) -> Result<RawCall<'a>, ExprError> {
        self.descend()?;
        let Token { text: name, start, .. } = self.expect(Kind::Identifier)?;
        if Function::named(name).is_none() && self.notes.unknown_function.is_none() {
            self.notes.unknown_function = Some(name);
        }
        self.expect(Kind::Open)?;
        let mut arguments = Vec::with_capacity(2);
        loop {
            arguments.push(self.operand()?.0);
            if !self.accept(Kind::Comma) {
                break;
            }
        }
        self.expect(Kind::Close)?;
        self.depth -= 1;
        Ok(RawCall { name, start, arguments })
    }
}
