//! Whether a database has the SQL schema that this program makes, and nothing else.
//!
//! A schema is code: triggers, views, generated columns, `CHECK`s, defaults and indexes of expressions run inside statements of
//! ours. A file may come from anybody, so none of it is run before its text has been compared with ours, object by object.
//! What a table is called says what its text must be, so nothing else in the file has to be believed for that.
//!
//! A change to the SQL of tables made at run time (`dialect.rs`) adds to [`Forms`]: files made before keep the text they have.

use std::{collections::HashMap, fmt};

use rusqlite::{Connection, types::ValueRef};

use crate::{
    dialect::Dialect,
    error::{During, StoreError},
    migrate,
    names::quoted,
    sqlite, tables,
};

/// What a database holds that this program does not make, or lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw(String);

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a schema is not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is not ours.
    Flaw(Flaw),
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
pub(crate) struct Found(Vec<String>);

/// Compares the schema of a database, which migrations up to `version` made, with ours. Runs nothing that is in it.
///
/// Costs some 300 us, and about 3 us for each SQL table.
pub(crate) fn check(connection: &Connection, version: u32) -> Result<Found, Refusal> {
    const DURING: &str = "read the schema";
    let mut fixed = fixed_objects(version)?;
    let forms = Forms::new(version);
    let mut found = Found::default();
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
            if canonical(sql) == canonical(&ours) {
                continue;
            }
            return Err(altered(kind, name));
        }
        match forms.of(kind, name, table) {
            Some(forms) if forms.contains(&canonical(sql)) => {}
            Some(_) => return Err(altered(kind, name)),
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

impl Found {
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
    Refusal::Flaw(Flaw(text.into()))
}

/// A name out of a file, to be put into a message.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_default).collect()
}

/// A text of a row; what is none is not ours either.
fn text(value: ValueRef<'_>) -> &str {
    value.as_str().unwrap_or_default()
}

/// The objects that migrations up to `version` make, as SQLite keeps their texts.
fn fixed_objects(version: u32) -> Result<HashMap<String, String>, StoreError> {
    let reference = sqlite::open_empty()?;
    migrate::migrate_to(&reference, 0, version)?;
    let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
    let mut statement = reference.prepare(sql).during("read the schema")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).during("read the schema")?;
    rows.collect::<Result<_, _>>().during("read the schema")
}

const ITEMS: &str = "pdb_item_";
const ENTRIES: &str = "pdb_index_";
const RECORDS: &str = "pdb_stream_";
const KEPT: &str = "pdb_backup_";
const EXPIRY: &str = "pdb_expiry_";

/// The column for checksums, as a [`canonical`] text has it behind the others.
const CHECKSUM: &str = ",checksum INTEGER";

/// Stands for a table's name.
const NAME: &str = "\u{1}";
/// Stands for the name of an index's table.
const TABLE: &str = "\u{2}";

/// The texts of objects that are made at run time, by the beginning of their names. Where there are several, the first is what
/// this version makes.
struct Forms {
    items: Vec<String>,
    entries: Vec<String>,
    records: Vec<String>,
    kept: Vec<String>,
    expiry: Vec<String>,
}

impl Forms {
    fn new(version: u32) -> Self {
        let dialect = Dialect::Sqlite;
        let made = |sql: String| {
            let text = canonical(&sql.replacen(" IF NOT EXISTS", "", 1));
            // The second migration gave all of them this column.
            if version < 2 { text.replace(CHECKSUM, "") } else { text }
        };
        Self {
            items: vec![made(dialect.create_items(NAME))],
            entries: vec![made(dialect.create_entries(NAME))],
            records: vec![made(dialect.create_records(NAME))],
            kept: vec![
                made(dialect.create_kept(NAME)),
                // SQLite's own text of a table that was made as the answer to a query.
                made(format!("CREATE TABLE {NAME}(\"key\",item TEXT,size_bytes INT{CHECKSUM})")),
            ],
            expiry: vec![made(tables::expiry_index_sql(NAME, TABLE))],
        }
    }

    /// What the text of an object may be; nothing if we make none of this kind and name.
    fn of(&self, kind: &str, name: &str, table: &str) -> Option<Vec<String>> {
        let forms = match kind {
            "table" if name.starts_with(ITEMS) => &self.items,
            "table" if name.starts_with(ENTRIES) => &self.entries,
            "table" if name.starts_with(RECORDS) => &self.records,
            "table" if name.starts_with(KEPT) => &self.kept,
            "index" if name.starts_with(EXPIRY) && table.starts_with(ITEMS) => &self.expiry,
            // SQLite makes them when somebody asks it to measure the tables.
            "table" if name == "sqlite_stat1" => {
                return Some(vec!["CREATE TABLE sqlite_stat1(tbl,idx,stat)".to_owned()]);
            }
            "table" if name == "sqlite_stat4" => {
                return Some(vec!["CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)".to_owned()]);
            }
            _ => return None,
        };
        let named = |form: &String| {
            let named = form.replace(&quoted(NAME), &quoted(name)).replace(NAME, name);
            named.replace(&quoted(TABLE), &quoted(table))
        };
        Some(forms.iter().map(named).collect())
    }
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
