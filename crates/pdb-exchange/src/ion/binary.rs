//! Cutting binary Ion into values. Their lengths stand at their beginnings, so no value needs to be held that is too long.

use std::io::{BufRead, ErrorKind, Read};
use std::ops::ControlFlow;

use super::size::Size;
use super::{BINARY_MARK, parsed, records};
use crate::MAX_RECORD_TEXT;
use crate::record::{Entry, ReadError, RecordFault};

const CUT_SHORT: &str = "the file is cut short: its last value is not complete";

/// Reads all records.
pub(super) fn read(
    mut reader: impl BufRead,
    needs_wrapper: bool,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    // The version and the tables of symbols that values need.
    let mut context: Vec<u8> = Vec::new();
    let mut ordinal = 0;
    let mut piece = Vec::new();
    while let Some(kind) = next_value(&mut reader, &mut piece)? {
        match kind {
            Piece::Padding => {}
            Piece::Version => context.clone_from(&piece),
            Piece::Value => {
                if let Err(reason) = Size::of_binary(&piece).and_then(Size::check) {
                    let entry = Entry { line: None, ordinal, record: Err(RecordFault::new(reason)) };
                    ordinal += 1;
                    if each(entry).is_break() {
                        return Ok(());
                    }
                    continue;
                }
                if is_symbol_table(&context, &piece) {
                    if context.len() + piece.len() > MAX_RECORD_TEXT {
                        return Err(ReadError::whole("the tables of symbols are too large"));
                    }
                    context.extend_from_slice(&piece);
                    continue;
                }
                let whole = [context.as_slice(), piece.as_slice()].concat();
                for record in records(&whole, needs_wrapper) {
                    let entry = Entry { line: None, ordinal, record };
                    ordinal += 1;
                    if each(entry).is_break() {
                        return Ok(());
                    }
                }
            }
        }
    }
    Ok(())
}

enum Piece {
    Version,
    Padding,
    Value,
}

/// Reads the bytes of the next value.
fn next_value(reader: &mut impl BufRead, piece: &mut Vec<u8>) -> Result<Option<Piece>, ReadError> {
    piece.clear();
    let Some(head) = byte(reader)? else { return Ok(None) };
    piece.push(head);
    if head == BINARY_MARK[0] {
        read_exactly(reader, 3, piece)?;
        if piece != BINARY_MARK {
            return Err(ReadError::whole("this version of Ion is not known"));
        }
        return Ok(Some(Piece::Version));
    }
    let (kind, low) = (head >> 4, head & 0x0f);
    let length = match (kind, low) {
        // Null values and booleans have no content.
        (_, 15) | (1, _) => 0,
        (_, 14) | (13, 1) => var_uint(reader, piece)?,
        _ => u64::from(low),
    };
    let is_padding = kind == 0 && low != 15;
    if is_padding {
        let skipped = std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        if skipped < length {
            return Err(ReadError::whole(CUT_SHORT));
        }
        return Ok(Some(Piece::Padding));
    }
    match usize::try_from(length) {
        Ok(length) if length <= MAX_RECORD_TEXT => read_exactly(reader, length, piece)?,
        _ => return Err(ReadError::whole("a value is longer than an item can be")),
    }
    Ok(Some(Piece::Value))
}

fn byte(reader: &mut impl BufRead) -> Result<Option<u8>, ReadError> {
    let mut one = [0];
    loop {
        match reader.read(&mut one) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(one[0])),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn read_exactly(reader: &mut impl BufRead, length: usize, piece: &mut Vec<u8>) -> Result<(), ReadError> {
    let read = reader.by_ref().take(length as u64).read_to_end(piece)?;
    if read < length { Err(ReadError::whole(CUT_SHORT)) } else { Ok(()) }
}

/// Reads a length: seven bits in each byte, the last byte with its highest bit set.
fn var_uint(reader: &mut impl BufRead, piece: &mut Vec<u8>) -> Result<u64, ReadError> {
    let mut value: u64 = 0;
    for _ in 0..9 {
        let next = byte(reader)?.ok_or_else(|| ReadError::whole(CUT_SHORT))?;
        piece.push(next);
        value = (value << 7) | u64::from(next & 0x7f);
        if next & 0x80 != 0 {
            return Ok(value);
        }
    }
    Err(ReadError::whole("a value has a length that is not valid"))
}

/// Returns whether a value is a table of symbols: the reader takes it for itself, and nothing comes out.
fn is_symbol_table(context: &[u8], piece: &[u8]) -> bool {
    // Only annotated values can be one.
    piece[0] >> 4 == 14 && parsed(&[context, piece].concat()).is_ok_and(|values| values.is_empty())
}
