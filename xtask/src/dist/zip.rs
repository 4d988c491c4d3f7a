//! Zip files that are the same each time: sorted entries, one time, no attributes.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::Crc;
use flate2::write::DeflateEncoder;

use crate::Outcome;

/// The time of all entries, in the form of the format: the 1st of January 1980, which is the earliest.
const TIME: [u8; 4] = [0, 0, 0x21, 0];
/// The compression method that `DeflateEncoder` produces.
const DEFLATED: u16 = 8;
/// The version of the format that readers must know: 2.0.
const NEEDED_VERSION: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;

/// A zip file in memory.
#[derive(Default)]
pub(crate) struct Zip {
    entries: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    /// Adds a file.
    ///
    /// # Errors
    ///
    /// If it is larger than the format without extensions allows.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) -> Outcome {
        let mut crc = Crc::new();
        crc.update(content);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(content).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| format!("cannot compress {name}: {error}"))?;
        let too_large = |_| format!("{name} is too large for a zip file");
        let length_of = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(too_large);
        // What the header before the content and the one in the directory share.
        let mut header = Vec::new();
        header.extend(NEEDED_VERSION.to_le_bytes());
        header.extend(FLAGS.to_le_bytes());
        header.extend(DEFLATED.to_le_bytes());
        header.extend(TIME);
        header.extend(crc.sum().to_le_bytes());
        header.extend(length_of(&packed)?.to_le_bytes());
        header.extend(length_of(content)?.to_le_bytes());
        header.extend(u16::try_from(name.len()).map_err(too_large)?.to_le_bytes());
        header.extend([0; 2]); // no extra fields

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(NEEDED_VERSION.to_le_bytes());
        self.directory.extend(&header);
        self.directory.extend([0; 10]); // no comment, first disk, no attributes
        self.directory.extend(length_of(&self.entries)?.to_le_bytes());
        self.directory.extend(name.as_bytes());

        self.entries.extend(b"PK\x03\x04");
        self.entries.extend(header);
        self.entries.extend(name.as_bytes());
        self.entries.extend(packed);
        self.count += 1;
        Ok(())
    }

    /// Writes the file.
    pub(crate) fn write(self, path: &Path) -> Outcome {
        let too_large = |_| "a zip file would be too large".to_owned();
        let directory_begin = u32::try_from(self.entries.len()).map_err(too_large)?;
        let directory_length = u32::try_from(self.directory.len()).map_err(too_large)?;
        let mut content = self.entries;
        content.extend(self.directory);
        content.extend(b"PK\x05\x06");
        content.extend([0; 4]); // one disk
        content.extend(self.count.to_le_bytes());
        content.extend(self.count.to_le_bytes());
        content.extend(directory_length.to_le_bytes());
        content.extend(directory_begin.to_le_bytes());
        content.extend([0; 2]); // no comment
        std::fs::write(path, content).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}
