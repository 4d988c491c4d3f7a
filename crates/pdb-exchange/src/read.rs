//! Reading all records of a file.

use std::io::BufRead;
use std::ops::ControlFlow;

use crate::csv::{CsvOptions, Rows};
use crate::documents::{self, DocumentError};
use crate::format::Format;
use crate::lines::{Line, Lines};
use crate::record::{Entry, ReadError, Record, RecordFault};
use crate::{UTF_16, dynamodb_json, ion, plain_json};

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Its format.
    pub format: Format,
    /// The options of [`Format::Csv`].
    pub csv: CsvOptions,
    /// Whether an item must stand in a member `Item` of its record, as in exports, in [`Format::DynamoDbJson`] and [`Format::Ion`]. Otherwise
    /// the record may be the item itself.
    pub needs_wrapper: bool,
}

impl ReadOptions {
    /// Returns the default options of a format.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, csv: CsvOptions::default(), needs_wrapper: false }
    }
}

/// Reads all records of a file, unpacked, and passes each on before it reads the next one. Holds one record at a time, which has at most
/// [`MAX_RECORD_TEXT`](crate::MAX_RECORD_TEXT) bytes. A record that cannot be read is passed on as a fault, and reading goes on behind it.
/// Stops if `each` returns [`ControlFlow::Break`].
///
/// # Errors
///
/// [`ReadError`] if the file cannot be read any further. The records before that place have been passed on.
pub fn read(
    mut reader: impl BufRead,
    options: &ReadOptions,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    if matches!(reader.fill_buf()?, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(ReadError::whole(UTF_16));
    }
    match options.format {
        Format::DynamoDbJson => {
            read_lines(reader, each, |text| dynamodb_json::record(text, options.needs_wrapper))
        }
        Format::PlainJson => read_lines(reader, each, |text| plain_json::item(text).map(Record::item)),
        Format::JsonDocument => read_document(reader, each),
        Format::Ion => ion::read(reader, options.needs_wrapper, each),
        Format::Csv => read_rows(reader, &options.csv, each),
    }
}

fn read_lines(
    reader: impl BufRead,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    parse: impl Fn(&str) -> Result<Record, String>,
) -> Result<(), ReadError> {
    let mut lines = Lines::new(reader);
    let mut ordinal = 0;
    while let Some(line) = lines.next()? {
        let record = match line {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => continue,
            Line::Whole(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => parse(text).map_err(|reason| RecordFault::with_text(reason, text)),
                Err(_) => Err(RecordFault::new("the line is not text in UTF-8")),
            },
            Line::TooLong => Err(RecordFault::new("the line is longer than an item can be")),
        };
        let entry = Entry { line: Some(lines.number()), ordinal, record };
        ordinal += 1;
        if each(entry).is_break() {
            break;
        }
    }
    Ok(())
}

fn read_document(
    reader: impl BufRead,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let mut ordinal = 0;
    let read = documents::read(reader, &mut |found| {
        let entry = Entry { line: Some(found.line), ordinal, record: Ok(Record::item(found.item)) };
        ordinal += 1;
        if each(entry).is_break() { Err(()) } else { Ok(()) }
    });
    match read {
        Ok(()) | Err(DocumentError::Caller(())) => Ok(()),
        Err(DocumentError::Read(error)) => Err(error),
    }
}

fn read_rows(
    reader: impl BufRead,
    options: &CsvOptions,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let mut rows = Rows::new(reader, options)?;
    let mut ordinal = 0;
    while let Some((line, item)) = rows.next()? {
        let entry = Entry { line: Some(line), ordinal, record: item.map(Record::item) };
        ordinal += 1;
        if each(entry).is_break() {
            break;
        }
    }
    Ok(())
}
