//! Writing items to a file.

use std::io::{self, Write};

use pdb_model::{EpochMillis, Item};

use crate::format::Format;
use crate::{csv, dynamodb_json, ion, plain_json};

/// Writes items in a format, one per line.
#[derive(Debug)]
pub struct ItemWriter<W> {
    out: W,
    format: Format,
    columns: Vec<String>,
    delimiter: u8,
    is_lossy: bool,
    line: String,
    written_bytes: u64,
}

/// The error for an item that plain JSON cannot express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plain JSON cannot express the attribute `{attribute}`, which has {content}")]
pub struct NotPlain {
    /// The attribute.
    pub attribute: String,
    /// What it has: a set, or bytes.
    pub content: &'static str,
}

/// A change that is written as a line of an incremental export. Images are canonical DynamoDB JSON.
#[derive(Clone, Copy, Debug)]
pub struct ChangeLine<'a> {
    /// When the item was changed last.
    pub changed: EpochMillis,
    /// The key of the item.
    pub keys: &'a Item,
    /// The item after the change, unless it was deleted.
    pub new_image: Option<&'a str>,
    /// The item before the change, if the export has it.
    pub old_image: Option<&'a str>,
}

impl<W: Write> ItemWriter<W> {
    /// Returns a writer. [`Format::JsonDocument`] is written like [`Format::PlainJson`], and a CSV file needs [`csv`](Self::csv).
    pub fn new(out: W, format: Format) -> Self {
        Self {
            out,
            format,
            columns: Vec::new(),
            delimiter: b',',
            is_lossy: false,
            line: String::new(),
            written_bytes: 0,
        }
    }

    /// Returns a writer of a CSV file with these columns, and writes its header.
    ///
    /// Numbers and nested values are written like in plain JSON, bytes in Base64. An attribute that is missing and one that is null both
    /// become empty cells.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn csv(out: W, columns: Vec<String>, delimiter: u8) -> io::Result<Self> {
        let mut writer = Self { columns, delimiter, ..Self::new(out, Format::Csv) };
        csv::write_header(&writer.columns, delimiter, &mut writer.line);
        writer.write_line()?;
        Ok(writer)
    }

    /// Sets whether plain JSON gets sets as lists and bytes as texts in Base64. Otherwise such items are refused, because they cannot be
    /// read again as they were.
    #[must_use]
    pub fn lossy(mut self, is_lossy: bool) -> Self {
        self.is_lossy = is_lossy;
        self
    }

    /// Writes an item.
    ///
    /// # Errors
    ///
    /// Those of the output. [`NotPlain`] within an error of the kind [`io::ErrorKind::Unsupported`]; nothing has been written then.
    pub fn write(&mut self, item: &Item) -> io::Result<()> {
        match self.format {
            Format::DynamoDbJson => dynamodb_json::write_item(&item.to_string(), &mut self.line),
            Format::Ion => ion::write_item(item, &mut self.line),
            Format::Csv => csv::write_row(item, &self.columns, self.delimiter, &mut self.line),
            Format::PlainJson | Format::JsonDocument => {
                if let Some((attribute, content)) = plain_json::not_plain(item).filter(|_| !self.is_lossy) {
                    let refused = NotPlain { attribute: attribute.to_owned(), content };
                    return Err(io::Error::new(io::ErrorKind::Unsupported, refused));
                }
                self.line.push_str(&item.to_plain_json());
                self.line.push('\n');
            }
        }
        self.write_line()
    }

    /// Writes an item that is already in canonical DynamoDB JSON, as the database stores it.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write); [`io::ErrorKind::InvalidData`] if the text is not an item.
    pub fn write_encoded(&mut self, json: &str) -> io::Result<()> {
        if self.format == Format::DynamoDbJson {
            dynamodb_json::write_item(json, &mut self.line);
            return self.write_line();
        }
        let item =
            Item::from_json(json).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.write(&item)
    }

    /// Writes a change, in DynamoDB JSON or Ion.
    ///
    /// # Errors
    ///
    /// Those of the output; [`io::ErrorKind::InvalidData`] if an image is not an item, [`io::ErrorKind::Unsupported`] in another format.
    pub fn write_change(&mut self, change: &ChangeLine<'_>) -> io::Result<()> {
        match self.format {
            Format::DynamoDbJson => dynamodb_json::write_change(change, &mut self.line),
            Format::Ion => {
                let image = |json: Option<&str>| json.map(Item::from_json).transpose();
                let images = image(change.new_image)
                    .and_then(|new| Ok((new, image(change.old_image)?)))
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                ion::write_change(change, images, &mut self.line);
            }
            Format::PlainJson | Format::JsonDocument | Format::Csv => {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "this format has no changes"));
            }
        }
        self.write_line()
    }

    /// Returns how many bytes were written.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Returns the output.
    ///
    /// # Errors
    ///
    /// Those of the output when it is flushed.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_line(&mut self) -> io::Result<()> {
        let written = self.out.write_all(self.line.as_bytes());
        self.written_bytes += self.line.len() as u64;
        self.line.clear();
        written
    }
}
