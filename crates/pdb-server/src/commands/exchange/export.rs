//! `pretender export`.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, ValueEnum};
use pdb_exchange::{Compression, Format, Rules};

use super::STANDARD;
use super::import::parse_delimiter;
use super::sink::{Columns, FileOptions, Sink};
use super::source::{self, ReadItem};
use super::table::{TableInfo, Tables};
use crate::client::Connection;
use crate::progress::{Progress, Step, Unit};
use crate::quantity::counted;
use crate::signals;
use crate::terminal::visible;

/// Shares of the total time, for the progress bar, if columns are looked for first.
const LOOKING: (f64, f64) = (0.0, 0.4);
const EXPORTING: (f64, f64) = (0.4, 1.0);
/// How often progress is shown, in items.
const SHOW_EVERY: u64 = 512;

/// Write the items of a table to a file, or to a folder like an export to S3.
///
/// The file gets its name when it is complete. With --db, the items are those of one moment; no server may have the
/// database open. Otherwise they are read from a server page by page, so what is written meanwhile may be among them or
/// not. See docs/import-export.md.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// File to write, which must not exist yet; "-" for standard output; with --layout aws, a folder
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The table to read
    #[arg(long, short, value_name = "TABLE")]
    table: String,

    /// Database to open: a file, or "postgres://USER:PASSWORD@HOST/DATABASE"
    #[arg(long, short, value_name = "DB", conflicts_with_all = ["endpoint", "region", "profile"])]
    db: Option<String>,

    /// Format: dynamodb-json, json, ion or csv [default: by the ending of the name, or else dynamodb-json]
    #[arg(long, value_name = "FORMAT", value_parser = parse_format)]
    format: Option<Format>,

    /// Compression: none, gzip or zstd [default: by the ending of the name, .gz or .zst]
    #[arg(long, value_name = "COMPRESSION", conflicts_with = "layout")]
    compression: Option<Compression>,

    /// Layout: one file, or a folder like that of an export to S3
    #[arg(long, value_name = "LAYOUT", default_value = "file")]
    layout: Layout,

    /// Replace, hash or drop attributes, as the rules in this file say
    #[arg(long, value_name = "RULES")]
    anonymize: Option<PathBuf>,

    /// Columns of a CSV file, separated by commas [default: those of the key, then all others by name]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Option<Vec<String>>,

    /// Character between two values in CSV: , ; : | "tab" or "space"
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = parse_delimiter)]
    delimiter: u8,

    /// Write sets as lists and bytes as Base64 in plain JSON, which has neither; otherwise they are refused
    #[arg(long)]
    lossy: bool,

    /// Replace an existing file
    #[arg(long, short)]
    force: bool,

    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  pretender export orders.jsonl.gz --table orders
  pretender export exports/ --table orders --db pretender.db --layout aws
  pretender export customers.csv --table customers --anonymize rules.toml";

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// One file
    File,
    /// A folder `AWSDynamoDB/<id>` with data files, manifests and checksums
    Aws,
}

fn parse_format(text: &str) -> Result<Format, String> {
    match text.parse() {
        Ok(Format::JsonDocument) | Err(_) => Err("expected one of dynamodb-json, json, ion, csv".to_owned()),
        Ok(format) => Ok(format),
    }
}

impl Export {
    /// Exports.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let interrupted = signals::interruption();
        let rules = super::rules::read(self.anonymize.as_deref())?;
        let (format, compression) = self.format_and_compression()?;
        let tables = Tables::open(self.db.as_deref(), &self.connection, &self.table, false)?;
        let Some(table) = tables.find(&self.table)? else { return Err(tables.missing(&self.table, "")) };
        super::rules::check(rules.as_ref(), self.anonymize.as_deref(), &table)?;
        let run = Run {
            export: &self,
            tables: &tables,
            table: &table,
            rules: RefCell::new(rules),
            progress: RefCell::new(Progress::new()),
            interrupted: &interrupted,
        };
        let (count, file) = run.run(format, compression)?;
        let rules = run.rules.into_inner();
        drop(run.progress);
        if self.file.as_os_str() != STANDARD {
            let said = format!("Wrote {} of {} to {}.", counted(count, "item"), table.name, file.display());
            writeln!(std::io::stdout(), "{}", visible(&said))?;
        }
        super::rules::warn_about_unused(rules.as_ref(), &table);
        if let Tables::Opened(db) = tables {
            db.close();
        }
        Ok(())
    }

    fn format_and_compression(&self) -> Result<(Format, Compression), String> {
        let name = self.file.to_string_lossy().to_ascii_lowercase();
        let compression = self.compression.unwrap_or_else(|| {
            let packed = [Compression::Gzip, Compression::Zstd];
            packed.into_iter().find(|packed| name.ends_with(packed.extension())).unwrap_or_default()
        });
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        let format = self.format.unwrap_or(match name.rsplit_once('.') {
            Some((_, "csv" | "tsv")) => Format::Csv,
            Some((_, "ion")) => Format::Ion,
            _ => Format::DynamoDbJson,
        });
        match (self.layout, format) {
            (Layout::Aws, Format::DynamoDbJson | Format::Ion) | (Layout::File, _) => {
                Ok((format, compression))
            }
            (Layout::Aws, _) => Err("--layout aws has the formats dynamodb-json and ion".to_owned()),
        }
    }
}

/// An export that is under way.
struct Run<'a> {
    export: &'a Export,
    tables: &'a Tables,
    table: &'a TableInfo,
    rules: RefCell<Option<Rules>>,
    progress: RefCell<Progress>,
    interrupted: &'a AtomicBool,
}

impl Run<'_> {
    /// Returns how many items were written, and the name of the file or folder.
    fn run(&self, format: Format, compression: Compression) -> Result<(u64, PathBuf), Box<dyn Error>> {
        let export = self.export;
        let options = FileOptions {
            format,
            compression,
            delimiter: export.delimiter,
            is_lossy: export.lossy,
            may_replace: export.force,
        };
        let looks_for_columns = format == Format::Csv && export.columns.is_none();
        let columns = RefCell::new(Columns::default());
        let sink = RefCell::new(match (export.layout, looks_for_columns) {
            (Layout::Aws, _) => Some(Sink::folder(&export.file, format)?),
            (Layout::File, true) => None,
            (Layout::File, false) => {
                let columns = export.columns.clone().unwrap_or_default();
                Some(Sink::file(&export.file, options, columns)?)
            }
        });
        let (looked, count) = (Cell::new(0_u64), Cell::new(0_u64));
        let begin = || -> Result<(), Box<dyn Error>> {
            if sink.borrow().is_none() {
                let names = columns.take().names(self.table);
                *sink.borrow_mut() = Some(Sink::file(&export.file, options, names)?);
            }
            Ok(())
        };
        let mut look = |item: ReadItem<'_>| {
            self.step("looking for columns of", &looked, LOOKING)?;
            let item = self.anonymized(item)?.decode()?;
            Ok(columns.borrow_mut().add(&item)?)
        };
        let mut write = |item: ReadItem<'_>| {
            begin()?;
            self.step("exporting", &count, if looks_for_columns { EXPORTING } else { (0.0, 1.0) })?;
            let item = self.anonymized(item)?;
            sink.borrow_mut().as_mut().map_or(Ok(()), |sink| sink.write(item))
        };
        if looks_for_columns {
            source::read(self.tables, self.table, &mut [&mut look, &mut write])?;
        } else {
            source::read(self.tables, self.table, &mut [&mut write])?;
        }
        begin()?;
        let file = sink.into_inner().map(|sink| sink.finish(self.table)).transpose()?;
        Ok((count.get(), file.unwrap_or_default()))
    }

    fn anonymized<'i>(&self, item: ReadItem<'i>) -> Result<ReadItem<'i>, Box<dyn Error>> {
        let mut rules = self.rules.borrow_mut();
        let Some(rules) = rules.as_mut() else { return Ok(item) };
        let mut item = item.decode()?;
        rules.apply(&self.table.name, &mut item);
        Ok(ReadItem::Decoded(item))
    }

    fn step(&self, what: &str, count: &Cell<u64>, share: (f64, f64)) -> Result<(), Box<dyn Error>> {
        let done = count.get() + 1;
        count.set(done);
        if self.interrupted.load(Ordering::Relaxed) {
            return Err("interrupted: nothing is left of the file".into());
        }
        if done % SHOW_EVERY == 1 {
            let what = format!("{what} {}", self.table.name);
            let total = Some(self.table.item_count.max(done));
            self.progress
                .borrow_mut()
                .show(&Step::new(&what, done, total, Unit::Things("item")).within(share));
        }
        Ok(())
    }
}
