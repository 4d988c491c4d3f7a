//! The grammar of statements.

mod expression;

use super::Returning;
use super::error::{PartiqlError, Position};
use super::lexer::{Kind, Token, tokenize};
use super::syntax::{RawExpr, RawOperation, RawSelect, RawSource, RawStatement, Span};

const UNEXPECTED_TERM: PartiqlError = PartiqlError::Malformed("Unexpected term");
const EXPECTED_OPERATION: PartiqlError = PartiqlError::Malformed("Expected data manipulation");
const LEFTOVER: PartiqlError = PartiqlError::Malformed("Unexpected token after expression");

/// Reads a statement; also returns how many parameters it has.
pub(super) fn parse(text: &str) -> Result<(RawStatement, usize), PartiqlError> {
    let mut parser = Parser { text, tokens: tokenize(text)?, position: 0, depth: 0, is_aliased: false };
    let statement = parser.statement()?;
    if parser.is_aliased {
        return Err(PartiqlError::Aliasing);
    }
    let is_parameter = |token: &&Token<'_>| matches!(token.kind, Kind::Parameter(_));
    Ok((statement, parser.tokens.iter().filter(is_parameter).count()))
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    position: usize,
    depth: usize,
    /// Whether an alias was met; all syntax errors win over it.
    is_aliased: bool,
}

impl<'a> Parser<'a> {
    fn statement(&mut self) -> Result<RawStatement, PartiqlError> {
        let statement = match self.peek() {
            Kind::Keyword("SELECT") => RawStatement::Select(self.select()?),
            Kind::Keyword("INSERT") => self.insert()?,
            Kind::Keyword("UPDATE") => self.update()?,
            Kind::Keyword("FROM") => self.from()?,
            Kind::Keyword("DELETE") => self.delete()?,
            Kind::Keyword("EXISTS") => self.exists()?,
            _ => {
                let expression = self.expression().map_err(|_| EXPECTED_OPERATION)?;
                self.end().map_err(|_| EXPECTED_OPERATION)?;
                return Ok(RawStatement::Expression(expression));
            }
        };
        self.end()?;
        Ok(statement)
    }

    fn select(&mut self) -> Result<RawSelect, PartiqlError> {
        self.next();
        let list = if self.accept(&Kind::Operator("*")) {
            None
        } else {
            let mut list = vec![self.expression()?];
            self.alias();
            while self.accept(&Kind::Punctuation(",")) {
                list.push(self.expression()?);
                self.alias();
            }
            Some(list)
        };
        self.expect(&Kind::Keyword("FROM"), UNEXPECTED_TERM)?;
        if !matches!(self.peek(), Kind::Identifier(_) | Kind::Quoted(_)) {
            return Err(self.no_term());
        }
        let source = self.source()?;
        self.alias();
        let condition = self.condition()?;
        self.refuse_clause(&["GROUP", "HAVING"])?;
        let order_by = self.order_by()?;
        self.refuse_clause(&["LIMIT"])?;
        Ok(RawSelect { list, source, condition, order_by })
    }

    fn order_by(&mut self) -> Result<Vec<(RawExpr, bool)>, PartiqlError> {
        let mut parts = Vec::new();
        if !self.accept(&Kind::Keyword("ORDER")) {
            return Ok(parts);
        }
        self.expect(&Kind::Keyword("BY"), UNEXPECTED_TERM)?;
        loop {
            let key = self.expression()?;
            let is_descending = self.accept(&Kind::Keyword("DESC"));
            if !is_descending {
                self.accept(&Kind::Keyword("ASC"));
            }
            parts.push((key, is_descending));
            if !self.accept(&Kind::Punctuation(",")) {
                return Ok(parts);
            }
        }
    }

    fn refuse_clause(&self, clauses: &[&str]) -> Result<(), PartiqlError> {
        match self.peek() {
            Kind::Keyword(word) if clauses.contains(word) => {
                let Span { start, end } = self.span();
                let position = Position::of(self.text, start, end);
                Err(PartiqlError::UnsupportedClause { clause: (*word).to_owned(), position })
            }
            _ => Ok(()),
        }
    }

    fn exists(&mut self) -> Result<RawStatement, PartiqlError> {
        self.next();
        self.expect(&Kind::Punctuation("("), EXPECTED_OPERATION)?;
        if *self.peek() != Kind::Keyword("SELECT") {
            return Err(self.no_term());
        }
        let select = self.select()?;
        self.expect(&Kind::Punctuation(")"), UNEXPECTED_TERM)?;
        Ok(RawStatement::Exists(select))
    }

    fn insert(&mut self) -> Result<RawStatement, PartiqlError> {
        self.next();
        self.expect(&Kind::Keyword("INTO"), UNEXPECTED_TERM)?;
        let source = self.simple_source()?;
        self.expect(&Kind::Keyword("VALUE"), LEFTOVER)?;
        Ok(RawStatement::Insert { source, value: self.expression()? })
    }

    fn update(&mut self) -> Result<RawStatement, PartiqlError> {
        self.next();
        let source = self.simple_source()?;
        self.alias();
        let operations = self.operations()?;
        let condition = self.condition()?;
        let returning = self.returning()?;
        Ok(RawStatement::Update { source, operations, condition, returning })
    }

    fn from(&mut self) -> Result<RawStatement, PartiqlError> {
        self.next();
        if !matches!(self.peek(), Kind::Identifier(_) | Kind::Quoted(_)) {
            return Err(self.no_term());
        }
        let source = self.source()?;
        self.alias();
        let condition = self.condition()?;
        let operations = self.operations()?;
        let returning = self.returning()?;
        Ok(RawStatement::Update { source, operations, condition, returning })
    }

    fn delete(&mut self) -> Result<RawStatement, PartiqlError> {
        self.next();
        self.expect(&Kind::Keyword("FROM"), UNEXPECTED_TERM)?;
        let source = self.simple_source()?;
        self.alias();
        let condition = self.condition()?;
        let returning = self.returning()?;
        Ok(RawStatement::Delete { source, condition, returning })
    }

    /// Reads the `SET` and `REMOVE` clauses. There must be at least one.
    fn operations(&mut self) -> Result<Vec<RawOperation>, PartiqlError> {
        let mut operations = Vec::new();
        loop {
            let is_set = match self.peek() {
                Kind::Keyword("SET") => true,
                Kind::Keyword("REMOVE") => false,
                _ if operations.is_empty() => return Err(EXPECTED_OPERATION),
                _ => return Ok(operations),
            };
            self.next();
            loop {
                operations.push(if is_set {
                    self.assignment()?
                } else {
                    RawOperation::Remove(self.target()?)
                });
                if !self.accept(&Kind::Punctuation(",")) {
                    break;
                }
            }
        }
    }

    fn assignment(&mut self) -> Result<RawOperation, PartiqlError> {
        let target = self.target()?;
        self.expect(&Kind::Operator("="), UNEXPECTED_TERM)?;
        Ok(RawOperation::Set(target, self.expression()?))
    }

    fn target(&mut self) -> Result<RawExpr, PartiqlError> {
        self.check_simple_path()?;
        self.path()
    }

    fn condition(&mut self) -> Result<Option<RawExpr>, PartiqlError> {
        if self.accept(&Kind::Keyword("WHERE")) { self.expression().map(Some) } else { Ok(None) }
    }

    fn returning(&mut self) -> Result<Option<Returning>, PartiqlError> {
        if !self.accept(&Kind::Keyword("RETURNING")) {
            return Ok(None);
        }
        let is_all = self.accept(&Kind::Keyword("ALL"));
        if !is_all && !self.accept_word("MODIFIED") {
            return Err(UNEXPECTED_TERM);
        }
        let is_old = self.accept_word("OLD");
        if !is_old && !self.accept_word("NEW") {
            return Err(UNEXPECTED_TERM);
        }
        self.expect(&Kind::Operator("*"), UNEXPECTED_TERM)?;
        Ok(Some(match (is_all, is_old) {
            (true, true) => Returning::AllOld,
            (true, false) => Returning::AllNew,
            (false, true) => Returning::ModifiedOld,
            (false, false) => Returning::ModifiedNew,
        }))
    }

    fn simple_source(&mut self) -> Result<RawSource, PartiqlError> {
        self.check_simple_path()?;
        self.source()
    }

    fn check_simple_path(&self) -> Result<(), PartiqlError> {
        match self.peek() {
            Kind::Identifier(_) | Kind::Quoted(_) => Ok(()),
            _ => Err(PartiqlError::Malformed("Expected identifier for simple path")),
        }
    }

    /// Reads a table and perhaps more components, the first of which is known to be a name.
    fn source(&mut self) -> Result<RawSource, PartiqlError> {
        let mut components = vec![self.name()?];
        while self.accept(&Kind::Punctuation(".")) {
            components.push(self.name()?);
        }
        Ok(components)
    }

    fn name(&mut self) -> Result<String, PartiqlError> {
        match self.next().kind {
            Kind::Identifier(name) => Ok(name.to_owned()),
            Kind::Quoted(name) => Ok(name),
            _ => Err(PartiqlError::Malformed("Invalid path dot component")),
        }
    }

    /// Reads an alias if there is one.
    fn alias(&mut self) {
        let has_word = self.accept(&Kind::Keyword("AS"));
        if matches!(self.peek(), Kind::Identifier(_) | Kind::Quoted(_)) {
            self.next();
            self.is_aliased = true;
        } else if has_word {
            self.is_aliased = true;
        }
    }

    fn peek(&self) -> &Kind<'a> {
        &self.tokens[self.position].kind
    }

    fn span(&self) -> Span {
        let Token { start, end, .. } = self.tokens[self.position];
        Span { start, end }
    }

    /// Takes the next token; the end stays where it is.
    fn next(&mut self) -> Token<'a> {
        let token = self.tokens[self.position].clone();
        if token.kind != Kind::End {
            self.position += 1;
        }
        token
    }

    fn accept(&mut self, kind: &Kind<'_>) -> bool {
        let found = self.peek() == kind;
        if found {
            self.position += 1;
        }
        found
    }

    /// Takes a word that means something only here.
    fn accept_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Kind::Identifier(name) if name.eq_ignore_ascii_case(word));
        if found {
            self.position += 1;
        }
        found
    }

    fn expect(&mut self, kind: &Kind<'_>, error: PartiqlError) -> Result<(), PartiqlError> {
        if self.accept(kind) { Ok(()) } else { Err(error) }
    }

    fn end(&mut self) -> Result<(), PartiqlError> {
        self.accept(&Kind::Punctuation(";"));
        if *self.peek() == Kind::End { Ok(()) } else { Err(LEFTOVER) }
    }

    /// The error for a token that begins no term.
    fn no_term(&self) -> PartiqlError {
        match self.peek() {
            Kind::Keyword(_) => PartiqlError::Malformed("Unexpected keyword"),
            Kind::Operator(_) => PartiqlError::Malformed("Unexpected operator"),
            _ => UNEXPECTED_TERM,
        }
    }
}
