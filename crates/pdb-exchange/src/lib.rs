#![doc = include_str!("../README.md")]

mod anonymize;
mod compression;
mod csv;
mod cursor;
mod detect;
pub mod documents;
mod dynamodb_json;
mod folder;
mod format;
mod ion;
pub mod item_json;
pub mod json;
mod lines;
pub mod node;
mod plain_json;
mod read;
mod record;
mod repeated;
mod write;

pub use anonymize::{Rules, RulesError, UnusedRule};
pub use compression::{Compression, Decompressor, Packer};
pub use csv::CsvOptions;
pub use detect::{UTF_16, detect};
pub use dynamodb_json::refused_line;
pub use folder::{
    ExportFile, ExportFolder, ExportFolderWriter, ExportKind, ExportSummary, ExportTarget, ExportWriter,
    FolderError, ManifestFile, checksum, data_file_name, export_id, manifest_files, s3_etag,
};
pub use format::{Format, UnknownName};
pub use read::{ReadOptions, read};
pub use record::{Entry, ReadError, Record, RecordCondition, RecordFault};
pub use write::{ChangeLine, ItemWriter, NotPlain};

/// The longest text of a record. An item has at most 400 KB, and its JSON at most six times as much; a change has two items.
pub const MAX_RECORD_TEXT: usize = 8 * 1024 * 1024;

/// What is wrong with an item that stands by itself where a record needs a member for it.
pub(crate) const NO_ITEM: &str =
    "the record has no member `Item`, with the item, or has unknown members beside it";
