//! Files that are imported: any bytes, and pieces of each format, also very many of one.

use std::io::BufReader;
use std::ops::ControlFlow;

use pdb_exchange::{Compression, Decompressor, Format, ItemWriter, ReadOptions, Record, read};
use pretender::model::Item;

use crate::Source;

const FORMATS: [Format; 5] =
    [Format::DynamoDbJson, Format::PlainJson, Format::JsonDocument, Format::Ion, Format::Csv];

const PIECES: [&str; 58] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "{{",
    "}}",
    "\"",
    "'",
    "'''",
    "\\",
    "\\\n",
    "\\\r\n",
    "\r",
    "\n",
    "//",
    "/*",
    "*/",
    ",",
    ":",
    "::",
    ";",
    " ",
    "\"\"",
    "\"Item\"",
    "\"Keys\"",
    "\"NewImage\"",
    "\"S\"",
    "\"N\"",
    "\"L\"",
    "\"M\"",
    "\"SS\"",
    "\"BOOL\"",
    "{\"Item\":",
    "{\"id\":",
    "{\"S\":\"a\"}",
    "{\"N\":\"1e5\"}",
    "{\"NULL\":true}",
    "Item:{",
    "Record:{",
    "$ion_1_0 ",
    "$ion_symbol_table::",
    "$dynamodb_SS::[",
    "$10",
    "symbols:[",
    "id:",
    "\"a\"",
    "1",
    "1.5d2",
    "2020-01-01T",
    "null.list",
    "nan",
    "true",
    "id,n\n",
    "a,\"b\"\n",
    "ConditionExpression",
    "\u{e0}\u{1}\u{0}\u{ea}",
];

/// What begins binary Ion.
const ION: &[u8] = &[0xe0, 1, 0, 0xea];

pub(crate) fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let format = source.pick(&FORMATS);
    let needs_wrapper = source.once_in(2);
    let compression =
        source.pick(&[Compression::None, Compression::None, Compression::Gzip, Compression::Zstd]);
    let content = match source.below(4) {
        0 => source.rest().to_vec(),
        1 => [ION, source.rest()].concat(),
        _ => pieces(&mut source),
    };
    let options = ReadOptions { needs_wrapper, ..ReadOptions::new(format) };
    let items = items(&content, compression, &options);
    // What was read can be written, and is the same when it is read again.
    for format in [Format::DynamoDbJson, Format::Ion] {
        let mut written = Vec::new();
        let mut writer = ItemWriter::new(&mut written, format);
        items.iter().for_each(|item| writer.write(item).unwrap());
        drop(writer);
        let again = self::items(&written, Compression::None, &ReadOptions::new(format));
        assert_eq!(again, items, "{}", String::from_utf8_lossy(&written));
    }
}

/// The most bytes of items that are read of a file. The header of a CSV file has its names in each item, so a small file can have large items.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the items of a file; faults are no failures.
fn items(content: &[u8], compression: Compression, options: &ReadOptions) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut records, mut bytes) = (0, 0);
    let Ok(reader) = Decompressor::new(content, compression) else { return items };
    let _: Result<(), _> = read(BufReader::new(reader), options, &mut |entry| {
        assert_eq!(entry.ordinal, records, "records are counted");
        records += 1;
        if let Ok(Record::Item { item, condition: None }) = entry.record {
            bytes += item.size_bytes();
            items.push(item);
        }
        if bytes > MAX_BYTES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    items
}

/// Pieces of all formats; some of them up to five thousand times, because depth and number are what parsers suffer from.
fn pieces(source: &mut Source<'_>) -> Vec<u8> {
    let mut content = Vec::new();
    while !source.is_empty() && content.len() < 64 * 1024 {
        let piece = source.pick(&PIECES);
        let times = if source.once_in(16) { 1 + source.below(256) * 20 } else { 1 };
        content.extend(piece.as_bytes().repeat(times));
    }
    content
}
