//! Files that are cut short, of another format, hostile or huge: reading ends with an error or with faults, and takes no memory.

use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use pdb_exchange::{Compression, Decompressor, Format, ItemWriter, Packer, ReadError, ReadOptions, read};
use pdb_model::Item;
use proptest::collection::vec;
use proptest::prelude::*;

const FORMATS: [Format; 5] =
    [Format::DynamoDbJson, Format::PlainJson, Format::JsonDocument, Format::Ion, Format::Csv];

/// Reads to the end. Returns how many records and faults there were, and how it ended.
fn outcome(
    reader: impl Read + Send,
    format: Format,
    compression: Compression,
) -> (u64, u64, Result<(), ReadError>) {
    let (mut records, mut faults) = (0, 0);
    let unpacked = Decompressor::new(reader, compression).unwrap();
    let ended = read(unpacked, &ReadOptions::new(format), &mut |entry| {
        if entry.record.is_ok() {
            records += 1
        } else {
            faults += 1
        }
        ControlFlow::Continue(())
    });
    (records, faults, ended)
}

fn packed(compression: Compression) -> Vec<u8> {
    let mut writer = ItemWriter::new(Packer::new(Vec::new(), compression).unwrap(), Format::DynamoDbJson);
    for n in 0..2000_u32 {
        writer
            .write(&Item::from([
                ("id", n.into()),
                ("text", format!("{:x}", u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15)).into()),
            ]))
            .unwrap();
    }
    writer.finish().unwrap().finish().unwrap()
}

#[test]
fn a_packed_file_that_is_cut_short_is_refused() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let whole = packed(compression);
        assert!(outcome(&*whole, Format::DynamoDbJson, compression).2.is_ok());
        for length in [whole.len() - 1, whole.len() / 2] {
            let (records, _, ended) = outcome(&whole[..length], Format::DynamoDbJson, compression);
            let error = ended.unwrap_err().to_string();
            assert!(error.contains("cut short") || error.contains("damaged"), "{compression}: {error}");
            assert!(records <= 2000);
        }
    }
}

#[test]
fn what_is_not_packed_is_refused() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let (records, _, ended) = outcome(&b"{\"Item\":{}}\n"[..], Format::DynamoDbJson, compression);
        assert_eq!(records, 0);
        let error = ended.unwrap_err().to_string();
        assert!(error.contains("is not in the format of"), "{error}");
    }
    let utf_16 = outcome(&b"\xff\xfe{\0"[..], Format::DynamoDbJson, Compression::None).2;
    assert!(utf_16.unwrap_err().to_string().contains("UTF-16"));
}

/// A gigabyte that is made as it is read: what a sparse file, or a packed one of some megabytes, unpacks to.
fn huge(byte: u8, begin: &'static [u8]) -> impl Read + Send {
    begin.chain(std::io::repeat(byte).take(1 << 30))
}

#[test]
fn a_line_of_a_gigabyte_is_a_fault_and_is_not_held() {
    let before = peak_kilobytes();
    for format in [Format::DynamoDbJson, Format::PlainJson, Format::Ion] {
        let (records, faults, ended) = outcome(huge(0, b""), format, Compression::None);
        assert!(records == 0 && (faults == 1 || ended.is_err()), "{format}: {records} {faults} {ended:?}");
    }
    for (format, begin) in [
        (Format::Csv, &b"id\n\""[..]),
        (Format::JsonDocument, b"[\"a"),
        (Format::Ion, b"{Item:{a:\""),
        (Format::Ion, b"\xe0\x01\x00\xea\xde\x7f\x7f\x7f\xff"),
    ] {
        let (records, faults, ended) = outcome(huge(b' ', begin), format, Compression::None);
        assert!(records == 0 && (faults == 1 || ended.is_err()), "{format}: {records} {faults} {ended:?}");
    }
    let Some((before, after)) = before.zip(peak_kilobytes()) else { return };
    assert!(after - before < 128 * 1024, "peak memory grew from {before} to {after} KiB");
}

/// Returns the peak memory of this process, where the system tells it.
fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn reading_stops_when_it_is_told_to() {
    let whole = packed(Compression::None);
    let mut seen = 0;
    read(BufReader::new(&*whole), &ReadOptions::new(Format::DynamoDbJson), &mut |_| {
        seen += 1;
        if seen == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(seen, 7);
}

proptest! {
    /// Any bytes end in records, faults or an error, but not in a panic, in all formats and compressions.
    #[test]
    fn any_bytes_are_survived(
        bytes in vec(prop_oneof![any::<u8>(), Just(b'{'), Just(b'"'), Just(b'\n'), Just(0xe0)], 0..60),
        begin in prop_oneof![Just(&b""[..]), Just(&b"{\"Item\":"[..]), Just(&b"\xe0\x01\x00\xea"[..]), Just(&b"{Item:{"[..]), Just(&b"\x28\xb5\x2f\xfd"[..]), Just(&b"\x1f\x8b\x08"[..])],
    ) {
        let whole = [begin, &bytes].concat();
        for format in FORMATS {
            for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
                let _ = outcome(&*whole, format, compression);
            }
        }
    }

    /// A file with one byte changed is read without a panic, and its other records are still read if lines are records.
    #[test]
    fn a_changed_byte_concerns_two_lines_at_most(at in 0_usize..2000, new in any::<u8>()) {
        let mut text = Vec::new();
        for n in 0..40 {
            text.extend_from_slice(format!("{{\"Item\":{{\"id\":{{\"S\":\"{n}\"}},\"n\":{{\"N\":\"{n}\"}}}}}}\n").as_bytes());
        }
        let at = at % text.len();
        text[at] = new;
        let (records, _, ended) = outcome(&*text, Format::DynamoDbJson, Compression::None);
        // A mark of another encoding at the beginning ends the reading.
        prop_assert!(records >= 38 || ended.is_err(), "{} records", records);
    }
}
