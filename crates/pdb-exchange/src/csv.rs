//! CSV, with the rules of AWS's import: a header names the attributes, and every value is text, but for the attributes of keys.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, ErrorKind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use pdb_model::{AttributeValue, Item, ScalarType};

use crate::MAX_RECORD_TEXT;
use crate::record::{ReadError, RecordFault};

/// The most cells of a row.
const MAX_CELLS: usize = 64 * 1024;

/// How a CSV file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// The character between two cells, which must be ASCII.
    pub delimiter: u8,
    /// The names of the columns. Without them, the first line has them.
    pub header: Option<Vec<String>>,
    /// The types of the attributes of keys; other attributes are texts.
    pub types: BTreeMap<String, ScalarType>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', header: None, types: BTreeMap::new() }
    }
}

/// The rows of a file.
pub(crate) struct Rows<'o, R> {
    reader: R,
    machine: Reader,
    options: &'o CsvOptions,
    header: Vec<String>,
    cells: Vec<u8>,
    ends: Vec<usize>,
    line: u64,
}

/// A row: its cells are in the buffers of [`Rows`].
struct Row {
    bytes: usize,
    cells: usize,
}

/// An item with the line in which its row begins.
type NumberedItem = (u64, Result<Item, RecordFault>);

impl<'o, R: BufRead> Rows<'o, R> {
    /// Reads the header.
    pub(crate) fn new(mut reader: R, options: &'o CsvOptions) -> Result<Self, ReadError> {
        // A byte order mark is no part of the first name.
        if reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            reader.consume(3);
        }
        let machine = ReaderBuilder::new().delimiter(options.delimiter).build();
        let mut rows = Self {
            reader,
            machine,
            options,
            header: Vec::new(),
            cells: vec![0; 4096],
            ends: vec![0; 64],
            line: 1,
        };
        rows.header = match &options.header {
            Some(header) => header.clone(),
            None => {
                let Some(row) = rows.row()? else { return Ok(rows) };
                let cells: Result<Vec<_>, _> = rows.cells(&row).map(|cell| cell.map(str::to_owned)).collect();
                cells.map_err(|reason| ReadError::at_line(1, reason))?
            }
        };
        let mut seen = BTreeSet::new();
        for name in &rows.header {
            if name.is_empty() {
                return Err(ReadError::at_line(1, "a column has no name in the header"));
            }
            if !seen.insert(name) {
                return Err(ReadError::at_line(1, format!("the header has the column `{name}` twice")));
            }
        }
        Ok(rows)
    }

    /// Reads the next row as an item. Returns it with the line in which it begins.
    pub(crate) fn next(&mut self) -> Result<Option<NumberedItem>, ReadError> {
        let Some(row) = self.row()? else { return Ok(None) };
        let item = self.item(&row).map_err(|reason| {
            let text = String::from_utf8_lossy(&self.cells[..row.bytes.min(200)]).into_owned();
            RecordFault { reason, text: Some(text) }
        });
        Ok(Some((self.line, item)))
    }

    fn item(&self, row: &Row) -> Result<Item, String> {
        if row.cells != self.header.len() {
            return Err(format!("the row has {} cells, and the header has {}", row.cells, self.header.len()));
        }
        let cells = self.header.iter().zip(self.cells(row));
        cells.map(|(name, cell)| Ok((name.clone(), value(name, cell?, self.options)?))).collect()
    }

    fn cells(&self, row: &Row) -> impl Iterator<Item = Result<&str, String>> {
        let ends = &self.ends[..row.cells];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| {
            std::str::from_utf8(&self.cells[start..*end])
                .map_err(|_| "the row is not text in UTF-8".to_owned())
        })
    }

    fn row(&mut self) -> Result<Option<Row>, ReadError> {
        let (mut written, mut cells) = (0, 0);
        let mut begins_in = None;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            // Empty lines before the row belong to it for the machine.
            if begins_in.is_none() && written == 0 {
                let blank = chunk.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
                if blank < chunk.len() {
                    let lines = chunk[..blank].iter().filter(|byte| **byte == b'\n').count();
                    begins_in = Some(self.machine.line() + lines as u64);
                }
            }
            let (result, read, wrote, ended) =
                self.machine.read_record(chunk, &mut self.cells[written..], &mut self.ends[cells..]);
            self.reader.consume(read);
            written += wrote;
            cells += ended;
            let too_long = |line: Option<u64>| {
                let text = "a row is longer than an item can be: is a quotation mark missing?";
                ReadError::at_line(line.unwrap_or(1), text)
            };
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.cells.len() >= MAX_RECORD_TEXT => {
                    return Err(too_long(begins_in));
                }
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_CELLS => {
                    return Err(too_long(begins_in));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => {
                    self.line = begins_in.unwrap_or(1);
                    return Ok(Some(Row { bytes: written, cells }));
                }
            }
        }
    }
}

fn value(name: &str, cell: &str, options: &CsvOptions) -> Result<AttributeValue, String> {
    let Some(scalar_type) = options.types.get(name) else { return Ok(cell.into()) };
    if cell.is_empty() {
        return Err(format!("attribute `{name}`: the cell is empty, and the attribute is a key"));
    }
    let refused = |reason: String| format!("attribute `{name}`: {reason}");
    match scalar_type {
        ScalarType::S => Ok(cell.into()),
        ScalarType::N => cell
            .parse()
            .map(AttributeValue::N)
            .map_err(|error: pdb_model::NumberError| refused(format!("{error}: {cell}"))),
        ScalarType::B => {
            BASE64.decode(cell).map(AttributeValue::B).map_err(|_| refused(format!("`{cell}` is not Base64")))
        }
    }
}

/// Appends a row for an item.
pub(crate) fn write_row(item: &Item, columns: &[String], delimiter: u8, out: &mut String) {
    let delimiter = char::from(delimiter);
    for (n, name) in columns.iter().enumerate() {
        if n > 0 {
            out.push(delimiter);
        }
        let cell = match item.get(name) {
            None | Some(AttributeValue::Null) => String::new(),
            Some(AttributeValue::S(text)) => text.clone(),
            Some(AttributeValue::B(bytes)) => BASE64.encode(bytes),
            Some(other) => {
                let mut plain = String::new();
                other.write_plain_json(&mut plain);
                plain
            }
        };
        // A single empty cell would be an empty line, which is no row.
        write_cell(&cell, delimiter, columns.len() == 1, out);
    }
    out.push('\n');
}

/// Appends a header.
pub(crate) fn write_header(columns: &[String], delimiter: u8, out: &mut String) {
    for (n, name) in columns.iter().enumerate() {
        if n > 0 {
            out.push(char::from(delimiter));
        }
        write_cell(name, char::from(delimiter), false, out);
    }
    out.push('\n');
}

fn write_cell(text: &str, delimiter: char, is_alone: bool, out: &mut String) {
    let must_be_quoted = text.contains([delimiter, '"', '\n', '\r']) || (text.is_empty() && is_alone);
    // A mark at the beginning of a file would be taken for that of the byte order.
    if !must_be_quoted && !text.starts_with('\u{feff}') {
        out.push_str(text);
        return;
    }
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn rows(text: &str, options: &CsvOptions, buffer: usize) -> Vec<String> {
        let mut rows = Rows::new(BufReader::with_capacity(buffer, text.as_bytes()), options).unwrap();
        let mut seen = Vec::new();
        while let Some((line, item)) = rows.next().unwrap() {
            seen.push(match item {
                Ok(item) => format!("{line} {item}"),
                Err(fault) => format!("{line} {fault}"),
            });
        }
        seen
    }

    #[test]
    fn cells_are_texts_but_for_keys() {
        let options = CsvOptions { types: [("n".to_owned(), ScalarType::N)].into(), ..CsvOptions::default() };
        let text = "\u{feff}pk,n,x\r\na,1.50,\"say \"\"hi\"\",\nthere\"\n\nb,,2\nc,x,3\nd,4\n";
        for buffer in [4, 5, 7, 100] {
            assert_eq!(
                rows(text, &options, buffer),
                [
                    r#"2 {"n":{"N":"1.5"},"pk":{"S":"a"},"x":{"S":"say \"hi\",\nthere"}}"#,
                    "5 attribute `n`: the cell is empty, and the attribute is a key",
                    "6 attribute `n`: The parameter cannot be converted to a numeric value: x",
                    "7 the row has 2 cells, and the header has 3",
                ],
                "buffers of {buffer}"
            );
        }
    }

    #[test]
    fn a_header_and_a_delimiter_can_be_given() {
        let header = Some(vec!["pk".to_owned(), "x".to_owned()]);
        let options = CsvOptions { delimiter: b'\t', header, ..CsvOptions::default() };
        assert_eq!(rows("a\t1,2\n", &options, 100), [r#"1 {"pk":{"S":"a"},"x":{"S":"1,2"}}"#]);
    }

    #[test]
    fn a_row_without_end_is_refused() {
        let text = format!("pk\n\"{}", "x".repeat(MAX_RECORD_TEXT + 1));
        let options = CsvOptions::default();
        let mut rows = Rows::new(text.as_bytes(), &options).unwrap();
        let error = rows.next().unwrap_err();
        assert!(error.to_string().contains("is a quotation mark missing?"), "{error}");
        assert_eq!(error.line(), Some(2));
    }
}
