//! `pretender import`.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::Args;
use pdb_exchange::{Compression, CsvOptions, Entry, Format, ReadError, ReadOptions, Record, Rules, read};
use pdb_model::ScalarType;

use super::endpoint_load::EndpointLoad;
use super::input::{Forced, Input, Inputs};
use super::load::Load;
use super::place::Place;
use super::refusals::{Refusal, Refusals};
use super::table::{TableInfo, Tables, definition, parse_key};
use crate::client::Connection;
use crate::progress::{Progress, Step, Unit};
use crate::quantity::{bytes, counted, thousands};
use crate::signals;
use crate::terminal::visible;

/// How often progress is shown, in records.
const SHOW_EVERY: u64 = 512;
/// Shares of the total time, for the progress bar, if checksums are compared first.
const VERIFYING: (f64, f64) = (0.0, 0.1);
const IMPORTING: (f64, f64) = (0.1, 1.0);

/// Put the items of files into a table.
///
/// Reads DynamoDB JSON, plain JSON, Amazon Ion and CSV, also packed with gzip or Zstandard, and the folders that DynamoDB
/// exports to S3, full or incremental. Files can have any size. Items are ordinary changes: an existing item with the same
/// key is replaced, and the stream of the table gets a record. The import stops at the first item that cannot be put, and
/// names its file and line; what was written before stays. See docs/import-export.md.
///
/// With --db, the database is opened, so no server may have it open. Otherwise the items go to a server with
/// BatchWriteItem, which is slower.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// Files, or folders: of an export to S3, or with files of items; "-" reads from standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The table to put the items into
    #[arg(long, short, value_name = "TABLE")]
    table: String,

    /// Database to open: a file, or "postgres://USER:PASSWORD@HOST/DATABASE"
    #[arg(long, short, value_name = "DB", conflicts_with_all = ["endpoint", "region", "profile"])]
    db: Option<String>,

    /// Create the table if it does not exist; needs --key
    #[arg(long, requires = "key")]
    create: bool,

    /// Key of the table to create, with types: "id:S", or "device:S,at:N"
    #[arg(long, value_name = "NAME:TYPE", value_parser = parse_key_list, requires = "create")]
    key: Option<KeyList>,

    /// Format of the files: dynamodb-json, json, json-document, ion or csv [default: recognised by name and content]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// Compression of the files: none, gzip or zstd [default: recognised by content]
    #[arg(long, value_name = "COMPRESSION")]
    compression: Option<Compression>,

    /// Character between two values in CSV: , ; : | "tab" or "space"
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = parse_delimiter)]
    delimiter: u8,

    /// Names of the columns in CSV, separated by commas; without this option, the first line has them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    header: Option<Vec<String>>,

    /// Replace, hash or drop attributes, as the rules in this file say
    #[arg(long, value_name = "RULES")]
    anonymize: Option<PathBuf>,

    /// Only check: say what would be refused and why, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Go on after items that are refused, and note them in this new file, which can be corrected and imported
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,

    /// How many items may be refused before the import stops [default: none; any number with --errors or --dry-run]
    #[arg(long, value_name = "COUNT")]
    max_errors: Option<u64>,

    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  pretender import orders.jsonl.gz --table orders --dry-run
  pretender import exports/ --table orders --create --key id:S
  pretender import customers.csv --table customers --anonymize rules.toml";

type KeyList = std::sync::Arc<Vec<(String, ScalarType)>>;

fn parse_key_list(text: &str) -> Result<KeyList, String> {
    parse_key(text).map(Arc::new)
}

/// Reads the value of `--delimiter`: one of AWS's.
pub(super) fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text {
        "," | ";" | ":" | "|" | "\t" | " " => Ok(text.as_bytes()[0]),
        "tab" => Ok(b'\t'),
        "space" => Ok(b' '),
        _ => Err("expected one of , ; : | tab space".to_owned()),
    }
}

impl Import {
    /// Imports.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let interrupted = signals::interruption();
        let mut rules = super::rules::read(self.anonymize.as_deref())?;
        let inputs = Inputs::find(&self.files)?;
        let may_create = self.create && !self.dry_run;
        // A trial with a table that does not exist yet needs no database.
        let is_new_file = self.create && self.db.as_deref().is_some_and(is_missing_file);
        let tables = if is_new_file && self.dry_run {
            None
        } else {
            Some(Tables::open(self.db.as_deref(), &self.connection, &self.table, may_create)?)
        };
        let (table, was_created) = self.table(tables.as_ref())?;
        super::rules::check(rules.as_ref(), self.anonymize.as_deref(), &table)?;

        let mut progress = Progress::new();
        if !verify(&inputs, &mut progress, &interrupted)? {
            return Err("interrupted: nothing was imported".into());
        }
        for export in &inputs.exports {
            if let Some(other) = export.summary.table_name().filter(|name| *name != table.name) {
                let note = format!("These items were exported from the table `{other}`.");
                progress.suspend(|| crate::commands::data::note(&note));
            }
        }
        let most = match (self.max_errors, self.errors.is_some() || self.dry_run) {
            (Some(most), _) => Some(most),
            (None, true) => None,
            (None, false) => Some(0),
        };
        let run = Run {
            import: &self,
            interrupted: &interrupted,
            load: self.load(tables.as_ref(), &table)?,
            refusals: Refusals::new(self.errors.as_deref(), most)?,
            rules: rules.take(),
            has_exports: !inputs.exports.is_empty(),
            table,
            progress,
            records: 0,
            read: Arc::new(AtomicU64::new(0)),
        };
        let outcome = run.run(inputs, was_created);
        if let Some(Tables::Opened(db)) = tables {
            db.close();
        }
        outcome
    }

    /// Returns the table, and whether it was created.
    fn table(&self, tables: Option<&Tables>) -> Result<(TableInfo, bool), Box<dyn Error>> {
        let found = tables.map(|tables| tables.find(&self.table)).transpose()?.flatten();
        match (found, &self.key, tables) {
            (Some(table), ..) => Ok((table, false)),
            (None, Some(key), Some(tables)) if !self.dry_run => {
                let definition = definition(&Tables::name(&self.table)?, key);
                Ok((tables.create(&definition)?, true))
            }
            (None, Some(key), _) => {
                let db = pretender::Pretender::builder().in_memory().sweep_interval(None).open()?;
                let definition = definition(&Tables::name(&self.table)?, key);
                Ok((Tables::Opened(db).create(&definition)?, false))
            }
            (None, None, Some(tables)) => {
                Err(tables.missing(&self.table, ": create it first, or add --create --key NAME:TYPE"))
            }
            (None, None, None) => Err(format!("there is no table `{}`", self.table).into()),
        }
    }

    fn load(&self, tables: Option<&Tables>, table: &TableInfo) -> Result<Load, Box<dyn Error>> {
        let name = Tables::name(&table.name)?;
        match tables {
            Some(Tables::Opened(db)) if !self.dry_run => Ok(Load::Bulk(db.bulk_load(&name))),
            Some(Tables::Endpoint(api)) if !self.dry_run => {
                Ok(Load::Endpoint(EndpointLoad::new(api, table)?))
            }
            _ => Ok(Load::Bulk(table.trial()?.bulk_trial(&name))),
        }
    }
}

fn is_missing_file(db: &str) -> bool {
    let builder = pretender::Pretender::builder().try_database(db);
    builder.is_ok_and(|builder| !builder.is_on_server()) && !std::path::Path::new(db).exists()
}

/// Compares exports with their checksums, so that one that is cut short is refused before anything is written. Returns whether the end was
/// reached.
fn verify(
    inputs: &Inputs,
    progress: &mut Progress,
    interrupted: &AtomicBool,
) -> Result<bool, Box<dyn Error>> {
    let total: u64 = inputs.exports.iter().map(pdb_exchange::ExportFolder::bytes).sum();
    let mut done = 0;
    inputs.verify(&mut |read| {
        done += read;
        progress.show(&Step::new("comparing checksums", done, Some(total), Unit::Bytes).within(VERIFYING));
        if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

/// An import that is under way.
struct Run<'a> {
    import: &'a Import,
    interrupted: &'a AtomicBool,
    table: TableInfo,
    load: Load,
    rules: Option<Rules>,
    refusals: Refusals,
    progress: Progress,
    has_exports: bool,
    /// Records that were read.
    records: u64,
    /// Bytes that were read of all files, as they are stored.
    read: Arc<AtomicU64>,
}

impl Run<'_> {
    fn run(mut self, inputs: Inputs, was_created: bool) -> Result<(), Box<dyn Error>> {
        let count = inputs.files.len() as u64;
        let total = inputs.bytes;
        let mut outcome: Result<(), Box<dyn Error>> = Ok(());
        for input in &inputs.files {
            outcome = self.file(input, total);
            if outcome.is_err() {
                break;
            }
        }
        // Also after a failure: what was read before it is written, and what is written is reported.
        let written = self.load.finish();
        // A write is refused some time after it was read, so these come before the record at which reading has stopped.
        let mut late = Ok(());
        for refusal in self.load.take_refused() {
            late = late.and(self.refusals.add(&refusal, &self.progress));
        }
        let noted = self.refusals.finish();
        let report = self.load.report();
        drop(self.progress);
        if let Err(error) = late.and(outcome).and(written).and(noted) {
            let advice =
                if self.import.dry_run || self.import.errors.is_some() || self.import.max_errors.is_some() {
                    ""
                } else {
                    "; --dry-run only checks, and --errors FILE goes on after items that are refused"
                };
            let done = match self.import.dry_run {
                true => format!("{} checked before the end", counted(self.records, "item")),
                false => format!("{} written, which stay", counted(report.put, "item")),
            };
            return Err(format!("{error} ({done}{advice})").into());
        }
        let created = if was_created { format!("Created {}. ", self.table.name) } else { String::new() };
        let mut said = if self.import.dry_run {
            format!("Checked {} of {}: ", counted(self.records, "item"), counted(count, "file"))
                + &format!("{} would be put into {}", thousands(report.put), self.table.name)
        } else {
            let (items, files) = (counted(report.put, "item"), counted(count, "file"));
            format!("{created}Put {items} of {files}, {}, into {}", bytes(report.bytes), self.table.name)
        };
        if report.deleted > 0 {
            said.push_str(&format!(", {} deleted", thousands(report.deleted)));
        }
        if report.conditions_failed > 0 {
            said.push_str(&format!(
                ", {} left as they were by their conditions",
                thousands(report.conditions_failed)
            ));
        }
        said.push('.');
        writeln!(std::io::stdout(), "{}", visible(&said))?;
        super::rules::warn_about_unused(self.rules.as_ref(), &self.table);
        match (self.refusals.count, &self.import.errors) {
            (0, _) => Ok(()),
            (refused, Some(file)) => {
                Err(format!("{} refused: see {}", counted(refused, "item"), file.display()).into())
            }
            (refused, None) => Err(format!("{} refused", counted(refused, "item")).into()),
        }
    }

    fn file(&mut self, input: &Input, total: Option<u64>) -> Result<(), Box<dyn Error>> {
        let forced = Forced { format: self.import.format, compression: self.import.compression };
        let opened = input.open(forced, &self.read)?;
        let csv = CsvOptions {
            delimiter: self.import.delimiter,
            header: self.import.header.clone(),
            types: self.table.types.clone(),
        };
        let options = ReadOptions { csv, ..ReadOptions::new(opened.format) };
        let name = input.name();
        let what = format!("importing {name}");
        let mut found = 0_u64;
        let mut failed = None;
        let outcome = read(opened.content, &options, &mut |entry| {
            found += 1;
            if self.records.is_multiple_of(SHOW_EVERY) {
                let done = self.read.load(Ordering::Relaxed);
                let share = if self.has_exports { IMPORTING } else { (0.0, 1.0) };
                self.progress.show(&Step::new(&what, done, total, Unit::Bytes).within(share));
            }
            self.records += 1;
            match self.entry(&name, entry) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        outcome.map_err(|error| explained(&name, &error))?;
        match input.expected_items() {
            Some(expected) if expected != found => Err(format!(
                "{name}: the file has {}, and the manifest says {expected}",
                counted(found, "item")
            )
            .into()),
            _ => Ok(()),
        }
    }

    fn entry(&mut self, name: &Arc<str>, entry: Entry) -> Result<(), Box<dyn Error>> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err("interrupted".into());
        }
        let place = Place { file: name.clone(), line: entry.line, ordinal: entry.ordinal };
        match entry.record {
            Err(fault) => {
                let text = fault.text.map(|text| format!(": {text}")).unwrap_or_default();
                let refusal = Refusal { place, record: None, reason: format!("{}{text}", fault.reason) };
                self.refusals.add(&refusal, &self.progress)?;
            }
            Ok(mut record) => {
                if let Some(rules) = &mut self.rules {
                    rules.apply_to_record(&self.table.name, &mut record);
                }
                self.push(place, record)?;
            }
        }
        for refusal in self.load.take_refused() {
            self.refusals.add(&refusal, &self.progress)?;
        }
        Ok(())
    }

    fn push(&mut self, place: Place, record: Record) -> Result<(), Box<dyn Error>> {
        let shown = place.to_string();
        self.load.push(place, record).map_err(|error| format!("near {shown}: {error}").into())
    }
}

fn explained(name: &str, error: &ReadError) -> Box<dyn Error> {
    match error.line() {
        Some(line) => format!("{name}:{line}: {error}").into(),
        None => format!("{name}: {error}").into(),
    }
}
