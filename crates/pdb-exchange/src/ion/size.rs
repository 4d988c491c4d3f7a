//! How large a value is as the parser builds it, found out before it is parsed.
//!
//! The parser calls itself for each level of nesting, so a deep value would overflow the stack, which nothing can catch; and it takes some hundred
//! bytes for each part of a value, however short its text is.

use pdb_model::MAX_NESTING;

/// The levels of a record around an attribute's value, and some more, so that the error of a value that is a little too deep names the attribute.
const MAX_DEPTH: usize = MAX_NESTING + 8;
/// More parts than the two largest items of a change can have: an item of 400 KB has less than 300,000.
const MAX_PARTS: usize = 600_000;

/// What a value consists of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    depth: usize,
    parts: usize,
    /// Whether it has an S-expression, whose parts need nothing between them.
    pub(super) has_expression: bool,
}

impl Size {
    pub(super) fn add_token(&mut self) {
        self.parts += 1;
    }

    #[cfg(test)]
    pub(super) fn depth(self) -> usize {
        self.depth
    }

    pub(super) fn add_depth(&mut self, depth: usize) {
        self.depth = self.depth.max(depth);
    }

    /// Returns why the value must not be parsed.
    pub(super) fn check(self) -> Result<(), String> {
        if self.depth > MAX_DEPTH {
            return Err(format!("values are nested deeper than {MAX_NESTING} levels"));
        }
        if self.has_expression {
            return Err("DynamoDB has no type for a value of Ion's type sexp".to_owned());
        }
        if self.parts > MAX_PARTS {
            return Err("the value has more parts than an item can have".to_owned());
        }
        Ok(())
    }

    /// Looks through a binary value and all that is in it.
    ///
    /// # Errors
    ///
    /// If a length leads out of the value.
    pub(super) fn of_binary(value: &[u8]) -> Result<Self, String> {
        const LIST: u8 = 11;
        const EXPRESSION: u8 = 12;
        const STRUCT: u8 = 13;
        const ANNOTATED: u8 = 14;
        let damaged = || "a value is damaged".to_owned();
        let mut size = Self::default();
        // The ends of the values around the place, and whether members have names there.
        let mut around: Vec<(usize, bool)> = vec![(value.len(), false)];
        let mut at = 0;
        while let Some((end, has_names)) = around.last().copied() {
            if at >= end {
                around.pop();
                continue;
            }
            if has_names {
                at = var_uint(value, at, end).ok_or_else(damaged)?.1;
            }
            let head = *value.get(at).filter(|_| at < end).ok_or_else(damaged)?;
            at += 1;
            let (kind, low) = (head >> 4, head & 0x0f);
            let (length, begin) = match (kind, low) {
                (_, 15) | (1, _) => (0, at),
                (_, 14) | (STRUCT, 1) => var_uint(value, at, end).ok_or_else(damaged)?,
                _ => (usize::from(low), at),
            };
            let until = begin.checked_add(length).filter(|until| *until <= end).ok_or_else(damaged)?;
            size.parts += 1;
            size.has_expression |= kind == EXPRESSION;
            if size.parts > MAX_PARTS || around.len() > MAX_DEPTH {
                size.depth = size.depth.max(around.len());
                return Ok(size);
            }
            at = until;
            if low == 15 || length == 0 {
                continue;
            }
            match kind {
                LIST | EXPRESSION | STRUCT => {
                    around.push((until, kind == STRUCT));
                    at = begin;
                }
                ANNOTATED => {
                    let (length, begin) = var_uint(value, begin, until).ok_or_else(damaged)?;
                    at = begin.checked_add(length).filter(|at| *at <= until).ok_or_else(damaged)?;
                    around.push((until, false));
                }
                _ => {}
            }
        }
        Ok(size)
    }
}

/// Reads a number: seven bits in each byte, the last byte with its highest bit set. Returns it with the place behind it.
fn var_uint(value: &[u8], mut at: usize, end: usize) -> Option<(usize, usize)> {
    let mut number: usize = 0;
    loop {
        let byte = *value.get(at).filter(|_| at < end)?;
        at += 1;
        number = number.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
        if byte & 0x80 != 0 {
            return Some((number, at));
        }
    }
}
