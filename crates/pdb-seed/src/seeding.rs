//! What a database is to begin with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pdb_model::TableName;
use pretender::Pretender;

use crate::items::{self, SeedFile, Writer};
use crate::report::SeedReport;
use crate::schema::{self, Surroundings};
use crate::{SeedError, apply};

/// Files that say which tables and items a database begins with.
///
/// # Examples
///
/// ```
/// use pdb_seed::Seeding;
/// use pretender::Pretender;
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("template.yml"), "
/// Resources:
///   Orders:
///     Type: AWS::DynamoDB::Table
///     Properties:
///       TableName: !Sub '${Stage}-orders'
///       BillingMode: PAY_PER_REQUEST
///       AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
///       KeySchema: [{AttributeName: id, KeyType: HASH}]
/// Parameters:
///   Stage: {Type: String, Default: dev}
/// ")?;
/// std::fs::write(folder.path().join("dev-orders.json"), r#"[{"id": "1", "total": 12}, {"id": "2"}]"#)?;
///
/// let db = Pretender::in_memory()?;
/// let report = Seeding::new()
///     .schema(folder.path().join("template.yml"))
///     .seed(folder.path().join("dev-orders.json"))
///     .apply(&db)?;
/// assert_eq!(report.made[0].as_str(), "dev-orders");
/// assert_eq!(report.seeded[0].items, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Seeding {
    schemas: Vec<PathBuf>,
    seeds: Vec<(Option<TableName>, PathBuf)>,
    variables: BTreeMap<String, String>,
}

impl Seeding {
    /// Returns one without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the tables that a file defines, or all files of a folder.
    pub fn schema(mut self, path: impl Into<PathBuf>) -> Self {
        self.schemas.push(path.into());
        self
    }

    /// Writes the items of a file, or of all files of a folder, into the tables that the files are named after, or that they name.
    pub fn seed(mut self, path: impl Into<PathBuf>) -> Self {
        self.seeds.push((None, path.into()));
        self
    }

    /// Writes the items of a file, or of all files of a folder, into a table.
    pub fn seed_table(mut self, table: TableName, path: impl Into<PathBuf>) -> Self {
        self.seeds.push((Some(table), path.into()));
        self
    }

    /// Gives a value to a parameter of a template (`Stage`, `AWS::StackName`), or to a variable of a `serverless.yml` (`opt:stage`,
    /// `env:NAME`, `param:name`).
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Makes the tables and writes the items.
    ///
    /// Definitions are checked first, all of them; if one cannot be carried out, nothing is changed. A table that is there already with the
    /// same definition stays as it is. Items are written as clients write them, with stream records, in the order of the files, and only into
    /// tables that have none when the call begins. Tables are ready when it returns, also with a transition delay.
    ///
    /// # Errors
    ///
    /// [`SeedError`] names the file and the place. Items before it have been written.
    pub fn apply(&self, database: &Pretender) -> Result<SeedReport, SeedError> {
        let surroundings = Surroundings { account: database.account(), variables: &self.variables };
        let mut defined = Vec::new();
        for path in &self.schemas {
            defined.extend(schema::read(path, &surroundings)?);
        }
        let mut seeds: Vec<SeedFile> = Vec::new();
        for (table, path) in &self.seeds {
            seeds.extend(items::find(path, table.as_ref())?);
        }
        let applied = apply::apply(&defined, database)?;
        let mut report = SeedReport { made: applied.made, found: applied.found, ..SeedReport::default() };
        for file in defined {
            let of_tables = file.tables.into_iter().flat_map(|table| table.notes);
            report.notes.extend(file.notes.into_iter().chain(of_tables).map(|note| note.in_file(&file.file)));
        }
        let quiet = database.without_faults();
        let mut writer = Writer::new(&quiet);
        for seed in &seeds {
            items::write(seed, &mut writer)?;
        }
        report.seeded = writer.finish();
        Ok(report)
    }
}
