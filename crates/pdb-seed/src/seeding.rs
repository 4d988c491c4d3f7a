//! Creating tables and writing items from files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pdb_model::TableName;
use pretender::Pretender;

use crate::items::{self, SeedFile, Writer};
use crate::report::SeedReport;
use crate::schema::{self, Surroundings};
use crate::{SeedError, apply};

/// Creates the tables and writes the items of files.
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
/// assert_eq!(report.created[0].as_str(), "dev-orders");
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
    /// Returns a seeding without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or all files of a folder, that define tables.
    pub fn schema(mut self, path: impl Into<PathBuf>) -> Self {
        self.schemas.push(path.into());
        self
    }

    /// Adds a file of items, or all files of a folder. The name of a file, or its content, says for which table its items are.
    pub fn seed(mut self, path: impl Into<PathBuf>) -> Self {
        self.seeds.push((None, path.into()));
        self
    }

    /// Adds a file of items for `table`, or all files of a folder.
    pub fn seed_table(mut self, table: TableName, path: impl Into<PathBuf>) -> Self {
        self.seeds.push((Some(table), path.into()));
        self
    }

    /// Sets the value of a template parameter (`Stage`, `AWS::StackName`), or of a variable in a `serverless.yml` (`opt:stage`,
    /// `env:NAME`, `param:name`).
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Creates the tables and writes the items.
    ///
    /// All definitions are checked first. If one of them is invalid, nothing is changed. A table that exists already with the same definition is
    /// left alone. Items are written like those of clients, with stream records, in the order of the files, and only into tables that are empty
    /// when the call begins. Tables are active when the call returns, even with a transition delay.
    ///
    /// # Errors
    ///
    /// [`SeedError`], which names the file and the place. The items before that place have been written.
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
        let mut report =
            SeedReport { created: applied.created, existing: applied.existing, ..SeedReport::default() };
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
