//! The grammar of expressions.

use super::{Parser, UNEXPECTED_TERM};
use crate::partiql::error::PartiqlError;
use crate::partiql::lexer::Kind;
use crate::partiql::syntax::{RawExpr, RawKind, RawStep, Span};

/// How deep an expression may nest before the parser gives up, so that recursion is bounded. No limit of AWS is known.
const MAX_DEPTH: usize = 250;

const MISSING_RIGHT: PartiqlError =
    PartiqlError::Malformed("Missing right-hand side expression of infix operator");

/// How closely operators bind.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;

impl<'a> Parser<'a> {
    pub(super) fn expression(&mut self) -> Result<RawExpr, PartiqlError> {
        self.operation(OR)
    }

    /// Reads an expression of operators that bind at least as closely as `least`.
    fn operation(&mut self, least: u8) -> Result<RawExpr, PartiqlError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(PartiqlError::Malformed(""));
        }
        let mut left = if least <= NOT && *self.peek() == Kind::Keyword("NOT") {
            self.negation()?
        } else {
            self.term()?
        };
        // Operators that do not join conditions nest to the left, so the length of a chain has to be limited too.
        let mut chain = self.depth;
        while let Some(binding) = self.infix().filter(|binding| *binding >= least) {
            left = match binding {
                OR | AND => self.junction(left, binding)?,
                COMPARISON => self.comparison(left)?,
                _ => self.arithmetic(left, binding)?,
            };
            chain += 1;
            if chain > MAX_DEPTH {
                return Err(PartiqlError::Malformed(""));
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn negation(&mut self) -> Result<RawExpr, PartiqlError> {
        let mut spans = Vec::new();
        while *self.peek() == Kind::Keyword("NOT") {
            spans.push(self.span());
            self.next();
        }
        if spans.len() > MAX_DEPTH {
            return Err(PartiqlError::Malformed(""));
        }
        let inner = self.operation(COMPARISON)?;
        Ok(spans
            .into_iter()
            .rev()
            .fold(inner, |inner, span| RawExpr { kind: RawKind::Not(Box::new(inner)), span }))
    }

    /// Returns the precedence of the next operator, if there is one.
    fn infix(&self) -> Option<u8> {
        match self.peek() {
            Kind::Keyword("OR") => Some(OR),
            Kind::Keyword("AND") => Some(AND),
            Kind::Keyword("IS" | "IN" | "BETWEEN" | "LIKE") => Some(COMPARISON),
            Kind::Keyword("NOT") => match self.tokens.get(self.position + 1)?.kind {
                Kind::Keyword("IN" | "BETWEEN" | "LIKE") => Some(COMPARISON),
                _ => None,
            },
            Kind::Operator("=" | "<>" | "<" | "<=" | ">" | ">=") => Some(COMPARISON),
            Kind::Operator("+" | "-" | "||") => Some(SUM),
            Kind::Operator("*" | "/" | "%") => Some(PRODUCT),
            _ => None,
        }
    }

    /// Reads the right-hand side of an operator.
    fn right(&mut self, least: u8) -> Result<RawExpr, PartiqlError> {
        if *self.peek() == Kind::End { Err(MISSING_RIGHT) } else { self.operation(least) }
    }

    /// Reads all that the same `AND` or `OR` joins.
    fn junction(&mut self, first: RawExpr, binding: u8) -> Result<RawExpr, PartiqlError> {
        let keyword = Kind::Keyword(if binding == OR { "OR" } else { "AND" });
        let span = first.span;
        let mut parts = vec![first];
        while self.accept(&keyword) {
            parts.push(self.right(binding + 1)?);
        }
        let kind = if binding == OR { RawKind::Or(parts) } else { RawKind::And(parts) };
        Ok(RawExpr { kind, span })
    }

    fn arithmetic(&mut self, left: RawExpr, binding: u8) -> Result<RawExpr, PartiqlError> {
        let span = left.span;
        let Kind::Operator(operator) = self.next().kind else { return Err(self.no_term()) };
        let right = self.right(binding + 1)?;
        Ok(RawExpr { kind: RawKind::Binary(operator, Box::new([left, right])), span })
    }

    fn comparison(&mut self, left: RawExpr) -> Result<RawExpr, PartiqlError> {
        let span = left.span;
        let is_negated = self.accept(&Kind::Keyword("NOT"));
        let (kind, is_negated) = match self.next().kind {
            Kind::Operator(operator) => {
                (RawKind::Binary(operator, Box::new([left, self.right(SUM)?])), is_negated)
            }
            Kind::Keyword("IS") => {
                let is_negated = self.accept(&Kind::Keyword("NOT"));
                (RawKind::Is(Box::new(left), self.type_name()?), is_negated)
            }
            Kind::Keyword("IN") => (RawKind::In(Box::new([left, self.right(SUM)?])), is_negated),
            Kind::Keyword("LIKE") => (RawKind::Like(Box::new([left, self.right(SUM)?])), is_negated),
            Kind::Keyword("BETWEEN") => {
                let lower = self.right(SUM)?;
                self.expect(&Kind::Keyword("AND"), UNEXPECTED_TERM)?;
                (RawKind::Between(Box::new([left, lower, self.right(SUM)?])), is_negated)
            }
            _ => return Err(UNEXPECTED_TERM),
        };
        let expression = RawExpr { kind, span };
        if is_negated {
            return Ok(RawExpr { kind: RawKind::Not(Box::new(expression)), span });
        }
        Ok(expression)
    }

    fn type_name(&mut self) -> Result<String, PartiqlError> {
        let name = match self.peek() {
            Kind::Identifier(name) => name.to_ascii_uppercase(),
            Kind::Keyword(name) => (*name).to_owned(),
            _ => return Err(PartiqlError::Malformed("Expected type name")),
        };
        if !TYPES.contains(&name.as_str()) {
            return Err(PartiqlError::Malformed("Expected type name"));
        }
        self.next();
        Ok(name)
    }

    fn term(&mut self) -> Result<RawExpr, PartiqlError> {
        let span = self.span();
        let kind = match self.peek().clone() {
            Kind::Text(text) => RawKind::Text(text),
            Kind::Number(number) => RawKind::Number(number.to_owned()),
            Kind::Parameter(position) => RawKind::Parameter(position),
            Kind::Keyword("TRUE") => RawKind::Bool(true),
            Kind::Keyword("FALSE") => RawKind::Bool(false),
            Kind::Keyword("NULL") => RawKind::Null,
            Kind::Keyword("MISSING") => RawKind::Missing,
            Kind::Keyword(word) if self.is_function(word) => return self.call(word, span),
            Kind::Identifier(word) if self.is_called() => return self.call(word, span),
            Kind::Identifier(_) | Kind::Quoted(_) => return self.path(),
            Kind::Operator(sign @ ("-" | "+")) => return self.signed(sign, span),
            Kind::Punctuation("(") => return self.parenthesised(span),
            Kind::Punctuation("[") => {
                self.next();
                let list = self.elements("]")?;
                return Ok(RawExpr { kind: RawKind::List(list), span });
            }
            Kind::Punctuation("<<") => {
                self.next();
                let bag = self.elements(">>")?;
                return Ok(RawExpr { kind: RawKind::Bag(bag), span });
            }
            Kind::Punctuation("{") => return self.tuple(span),
            _ => return Err(self.no_term()),
        };
        self.next();
        Ok(RawExpr { kind, span })
    }

    /// Returns whether a parenthesis follows the next token.
    fn is_called(&self) -> bool {
        self.tokens.get(self.position + 1).is_some_and(|token| token.kind == Kind::Punctuation("("))
    }

    fn is_function(&self, keyword: &str) -> bool {
        FUNCTIONS.contains(&keyword) && self.is_called()
    }

    fn call(&mut self, name: &str, span: Span) -> Result<RawExpr, PartiqlError> {
        self.next();
        self.next();
        let arguments = if self.accept(&Kind::Operator("*")) {
            self.expect(&Kind::Punctuation(")"), UNEXPECTED_TERM)?;
            vec![RawExpr { kind: RawKind::Star, span }]
        } else {
            self.elements(")")?
        };
        Ok(RawExpr { kind: RawKind::Call(name.to_ascii_lowercase(), arguments), span })
    }

    /// Reads expressions with commas between them up to `close`.
    fn elements(&mut self, close: &'static str) -> Result<Vec<RawExpr>, PartiqlError> {
        let mut elements = Vec::new();
        if self.accept(&Kind::Punctuation(close)) {
            return Ok(elements);
        }
        loop {
            elements.push(self.expression()?);
            if !self.accept(&Kind::Punctuation(",")) {
                break;
            }
        }
        self.expect(&Kind::Punctuation(close), UNEXPECTED_TERM)?;
        Ok(elements)
    }

    /// Reads an expression in parentheses, or a list of several.
    fn parenthesised(&mut self, span: Span) -> Result<RawExpr, PartiqlError> {
        self.next();
        let first = self.expression()?;
        if self.accept(&Kind::Punctuation(")")) {
            return Ok(first);
        }
        self.expect(&Kind::Punctuation(","), UNEXPECTED_TERM)?;
        let mut list = vec![first];
        list.extend(self.elements(")")?);
        Ok(RawExpr { kind: RawKind::List(list), span })
    }

    fn tuple(&mut self, span: Span) -> Result<RawExpr, PartiqlError> {
        self.next();
        let mut entries = Vec::new();
        if !self.accept(&Kind::Punctuation("}")) {
            loop {
                let key = self.expression()?;
                self.expect(&Kind::Punctuation(":"), UNEXPECTED_TERM)?;
                entries.push((key, self.expression()?));
                if !self.accept(&Kind::Punctuation(",")) {
                    break;
                }
            }
            self.expect(&Kind::Punctuation("}"), UNEXPECTED_TERM)?;
        }
        Ok(RawExpr { kind: RawKind::Tuple(entries), span })
    }

    /// Reads a number with a sign.
    fn signed(&mut self, sign: &str, span: Span) -> Result<RawExpr, PartiqlError> {
        self.next();
        match self.peek().clone() {
            Kind::Number(number) => {
                self.next();
                let number = if sign == "-" { format!("-{number}") } else { number.to_owned() };
                Ok(RawExpr { kind: RawKind::Number(number), span })
            }
            _ => Err(self.no_term()),
        }
    }

    pub(super) fn path(&mut self) -> Result<RawExpr, PartiqlError> {
        let span = self.span();
        let root = self.name()?;
        let mut steps = Vec::new();
        loop {
            if self.accept(&Kind::Punctuation(".")) {
                steps.push(RawStep::Name(self.name()?));
            } else if self.accept(&Kind::Punctuation("[")) {
                steps.push(match self.next().kind {
                    Kind::Number(digits) => RawStep::Index(digits.to_owned()),
                    Kind::Text(name) => RawStep::Name(name),
                    _ => return Err(UNEXPECTED_TERM),
                });
                self.expect(&Kind::Punctuation("]"), UNEXPECTED_TERM)?;
            } else {
                return Ok(RawExpr { kind: RawKind::Path(root, steps), span });
            }
        }
    }
}

/// The names that may follow `IS`.
const TYPES: [&str; 34] = [
    "ANY",
    "BAG",
    "BIGINT",
    "BINARY",
    "BLOB",
    "BOOL",
    "BOOLEAN",
    "CHAR",
    "CHARACTER",
    "CLOB",
    "DATE",
    "DEC",
    "DECIMAL",
    "FLOAT",
    "INT",
    "INT2",
    "INT4",
    "INT8",
    "INTEGER",
    "INTEGER4",
    "LIST",
    "MISSING",
    "NULL",
    "NUMBER",
    "NUMERIC",
    "REAL",
    "SEXP",
    "SMALLINT",
    "STRING",
    "STRUCT",
    "SYMBOL",
    "TIMESTAMP",
    "TUPLE",
    "VARCHAR",
];

/// Keywords that are functions in front of a parenthesis.
const FUNCTIONS: [&str; 18] = [
    "AVG",
    "BIT_LENGTH",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "COALESCE",
    "COUNT",
    "EXISTS",
    "EXTRACT",
    "LOWER",
    "MAX",
    "MIN",
    "NULLIF",
    "OCTET_LENGTH",
    "SIZE",
    "SUBSTRING",
    "SUM",
    "TRIM",
    "UPPER",
];
