//! Whether a database has the SQL schema that this program makes, and nothing else.
//!
//! A schema is code: triggers, views, generated columns, `CHECK`s, defaults and indexes of expressions run inside statements of
//! ours. A file may come from anybody, so none of it is run before its text has been compared with ours, object by object.
//! What a table is called says what its text must be, so nothing else in the file has to be believed for that.
//!
//! A change to the SQL of tables made at run time (`texts.rs`) adds to [`KnownTexts`]: files made before keep the text they have.

use std::{collections::HashMap, fmt, path::Path};

use rusqlite::{Connection, types::ValueRef};

use crate::{
    dialect::Dialect,
    error::{During, OpenError, StoreError},
    sql::texts::{self, EntryKind},
    sqlite::{connection, migrate, refusals::refused_store},
};

/// What a database holds that this program does not make, or lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaFlaw(String);

impl fmt::Display for SchemaFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a schema is not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is not ours.
    Flaw(SchemaFlaw),
    /// It could not be read.
    Failed(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// The names of SQL tables that one database has for its tables, indexes and streams.
#[derive(Debug, Default)]
pub(crate) struct FoundTables(Vec<String>);

/// Compares the schema of a database, which migrations up to `version` made, with ours. Runs nothing that is in it.
///
/// Takes some ten microseconds, and a few for each SQL table.
pub(crate) fn check(connection: &Connection, version: u32) -> Result<FoundTables, Refusal> {
    const DURING: &str = "read the schema";
    let mut fixed = fixed_objects(version)?;
    let forms = KnownTexts::new(version);
    let mut found = FoundTables::default();
    let mut statement = connection
        .prepare(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL OR type <> 'index'",
        )
        .during(DURING)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().during(DURING)? {
        let column = |at| row.get_ref(at).during(DURING).map(text);
        let (kind, name, table, sql) = (column(0)?, column(1)?, column(2)?, column(3)?);
        if let Some(ours) = fixed.remove(name) {
            if canonical(sql) == ours {
                continue;
            }
            return Err(altered(kind, name));
        }
        match forms.of(kind, name, table) {
            Some(forms) => {
                let text = canonical(sql);
                if !forms.iter().any(|form| fits(form, &text, name, table)) {
                    return Err(altered(kind, name));
                }
            }
            None => return Err(foreign(kind, name)),
        }
        if kind == "table" && is_named(name) {
            found.0.push(name.to_owned());
        }
    }
    if let Some(absent) = fixed.keys().min() {
        return Err(flaw(format!("`{absent}` is missing")));
    }
    Ok(found)
}

/// Refuses a database whose schema is not one that we make.
pub(crate) fn check_schema(
    path: &Path,
    connection: &Connection,
    version: u32,
) -> Result<FoundTables, StoreError> {
    check(connection, version).map_err(|refusal| schema_refused(path, refusal))
}

pub(crate) fn schema_refused(path: &Path, refusal: Refusal) -> StoreError {
    match refusal {
        Refusal::Flaw(flaw) => OpenError::Altered { path: path.into(), what: flaw.to_string() }.into(),
        Refusal::Failed(error) => refused_store(path, error),
    }
}

impl FoundTables {
    /// Checks that the tables are those that the rows of the database name, no more and no fewer; of backups only that they look
    /// like those.
    pub(crate) fn agree(mut self, mut named: Vec<String>) -> Result<(), Refusal> {
        self.0.sort_unstable();
        named.sort_unstable();
        named.dedup();
        if let Some(extra) = self.0.iter().find(|name| named.binary_search(name).is_err()) {
            return Err(flaw(format!("the table `{extra}` belongs to nothing")));
        }
        if let Some(absent) = named.iter().find(|name| self.0.binary_search(name).is_err()) {
            return Err(flaw(format!("the table `{absent}` is missing")));
        }
        Ok(())
    }
}

/// Whether rows of the database say that there is a table of this name.
fn is_named(table: &str) -> bool {
    table.starts_with("pdb_") && !table.starts_with(KEPT)
}

fn altered(kind: &str, name: &str) -> Refusal {
    flaw(format!("the {} `{}` is not as this program makes it", shown(kind), shown(name)))
}

fn foreign(kind: &str, name: &str) -> Refusal {
    flaw(format!("it holds the {} `{}`, which this program does not make", shown(kind), shown(name)))
}

fn flaw(text: impl Into<String>) -> Refusal {
    Refusal::Flaw(SchemaFlaw(text.into()))
}

/// A name out of a file, to be put into a message.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_default).collect()
}

/// A text of a row; what is none is not ours either.
fn text(value: ValueRef<'_>) -> &str {
    value.as_str().unwrap_or_default()
}

/// The texts of the objects that all migrations make, one a line. A test makes them; here they are read, since making them takes
/// a millisecond, and a server is to answer soon after its start.
const NEWEST_OBJECTS: &str = include_str!("schema/newest.sql");

/// The objects that migrations up to `version` make, by name, as [`canonical`] texts.
fn fixed_objects(version: u32) -> Result<HashMap<String, String>, StoreError> {
    if version < migrate::NEWEST {
        return made_objects(version);
    }
    let named = |text: &str| {
        // CREATE TABLE name(..., CREATE INDEX name ON ...
        let name = text.split([' ', '(']).nth(2).unwrap_or_default();
        (name.to_owned(), text.to_owned())
    };
    Ok(NEWEST_OBJECTS.lines().map(named).collect())
}

/// The same, from a database to which these migrations were applied.
fn made_objects(version: u32) -> Result<HashMap<String, String>, StoreError> {
    let reference = connection::open_empty()?;
    migrate::migrate_to(&reference, 0, version)?;
    let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
    let mut statement = reference.prepare(sql).during("read the schema")?;
    let object = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, canonical(&row.get::<_, String>(1)?)));
    let rows = statement.query_map([], object).during("read the schema")?;
    rows.collect::<Result<_, _>>().during("read the schema")
}

const ITEMS: &str = "pdb_item_";
const ENTRIES: &str = "pdb_index_";
const VECTORS: &str = "pdb_vector_";
const RECORDS: &str = "pdb_stream_";
const HISTORY: &str = "pdb_history_";
const KEPT: &str = "pdb_backup_";
const EXPIRY: &str = "pdb_expiry_";

/// The column for checksums, as a [`canonical`] text has it behind the others.
const CHECKSUM: &str = ",checksum INTEGER";

/// Stands for a table's name.
const NAME: char = '\u{1}';
/// Stands for the name of an index's table.
const TABLE: char = '\u{2}';

/// The texts of objects that are made at run time, by the beginning of their names. Where there are several, the first is what
/// this version makes.
struct KnownTexts {
    items: Vec<String>,
    entries: Vec<String>,
    vectors: Vec<String>,
    records: Vec<String>,
    history: Vec<String>,
    kept: Vec<String>,
    expiry: Vec<String>,
    measures: Vec<String>,
}

impl KnownTexts {
    fn new(version: u32) -> Self {
        let (dialect, name) = (Dialect::Sqlite, &NAME.to_string());
        let made = |sql: String| {
            let text = canonical(&sql.replacen(" IF NOT EXISTS", "", 1));
            // The second migration gave all of them this column.
            if version < 2 { text.replace(CHECKSUM, "") } else { text }
        };
        Self {
            items: vec![made(dialect.create_items(name))],
            entries: vec![made(dialect.create_entries(name, EntryKind::Key))],
            vectors: vec![made(dialect.create_entries(name, EntryKind::Vector))],
            records: vec![made(dialect.create_records(name))],
            history: vec![made(dialect.create_history(name))],
            kept: vec![
                made(dialect.create_kept(name)),
                // SQLite's own text of a table that was made as the answer to a query.
                made(format!("CREATE TABLE {name}(\"key\",item TEXT,size_bytes INT{CHECKSUM})")),
            ],
            expiry: vec![made(texts::create_expiry_index(name, &TABLE.to_string()))],
            measures: vec![
                format!("CREATE TABLE {name}(tbl,idx,stat)"),
                format!("CREATE TABLE {name}(tbl,idx,neq,nlt,ndlt,sample)"),
            ],
        }
    }

    /// What the text of an object may be; nothing if we make none of this kind and name.
    fn of(&self, kind: &str, name: &str, table: &str) -> Option<&[String]> {
        // A name with a quotation mark in it could hold a text of its own.
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let forms = match kind {
            _ if !is_plain(name) || !is_plain(table) => return None,
            "table" if name.starts_with(ITEMS) => &self.items,
            "table" if name.starts_with(ENTRIES) => &self.entries,
            "table" if name.starts_with(VECTORS) => &self.vectors,
            "table" if name.starts_with(RECORDS) => &self.records,
            "table" if name.starts_with(HISTORY) => &self.history,
            "table" if name.starts_with(KEPT) => &self.kept,
            "index" if name.starts_with(EXPIRY) && table.starts_with(ITEMS) => &self.expiry,
            // SQLite makes them when somebody asks it to measure the tables.
            "table" if name == "sqlite_stat1" || name == "sqlite_stat4" => &self.measures,
            _ => return None,
        };
        Some(forms)
    }
}

/// Whether a text is this form, with these names.
fn fits(form: &str, text: &str, name: &str, table: &str) -> bool {
    let mut rest = Some(text);
    for piece in form.split_inclusive([NAME, TABLE]) {
        let (literal, value) = match (piece.strip_suffix(NAME), piece.strip_suffix(TABLE)) {
            (Some(literal), _) => (literal, name),
            (_, Some(literal)) => (literal, table),
            (None, None) => (piece, ""),
        };
        rest = rest.and_then(|rest| rest.strip_prefix(literal)?.strip_prefix(value));
    }
    rest == Some("")
}

/// A text without blanks where they mean nothing: the texts of earlier versions had more of them.
fn canonical(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    for word in sql.split_ascii_whitespace() {
        if !text.is_empty() && !text.ends_with(['(', ')', ',']) && !word.starts_with(['(', ')', ',']) {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests;
