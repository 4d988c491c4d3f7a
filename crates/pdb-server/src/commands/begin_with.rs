//! Initial data of a server's database: a copy of another database, tables, items.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use pdb_seed::{SeedReport, Seeding};
use pretender::Pretender;
use pretender::model::TableName;

use crate::quantity::counted;

/// Heading of these options in the help.
const BEGIN_WITH: &str = "Initial tables and items";

/// Options for the initial data of a database.
#[derive(Args, Clone, Debug)]
pub(super) struct BeginWith {
    /// Create the tables that a file or folder defines; can be repeated
    ///
    /// Reads the JSON of CreateTable and DescribeTable, templates of CloudFormation, SAM and CDK, serverless.yml, and
    /// the output of `terraform show -json`. An existing table with the same definition stays as it is; one with a
    /// different definition is an error. See docs/seeding.md.
    #[arg(long, env = "PRETENDER_SCHEMA", value_name = "FILE", help_heading = BEGIN_WITH)]
    schema: Vec<PathBuf>,

    /// Value of a parameter or variable in a --schema file, such as `Stage=dev` or `opt:stage=dev`; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter, help_heading = BEGIN_WITH)]
    schema_parameter: Vec<(String, String)>,

    /// Put the items of a file or folder into tables that are empty; can be repeated
    ///
    /// Reads DynamoDB JSON and plain JSON, as an array or with one item per line, optionally compressed with gzip. The
    /// items go into the table that the file is named after, or that it names itself; TABLE=FILE chooses another table.
    #[arg(long, env = "PRETENDER_SEED", value_name = "[TABLE=]FILE", help_heading = BEGIN_WITH)]
    seed: Vec<PathBuf>,

    /// Start with an in-memory copy of a database file or snapshot; the file is not changed
    #[arg(long, env = "PRETENDER_SNAPSHOT", value_name = "FILE", conflicts_with = "db", help_heading = BEGIN_WITH)]
    pub(super) snapshot: Option<PathBuf>,
}

impl BeginWith {
    /// Fills the database as the options say. Returns lines for people about what was done.
    pub(super) fn apply(&self, database: &Pretender) -> Result<Vec<String>, Box<dyn Error>> {
        let Some(report) = self.fill(database)? else { return Ok(Vec::new()) };
        for note in &report.notes {
            tracing::warn!("{note}");
        }
        Ok(lines(&report))
    }

    /// Fills the database without saying so. Returns what was done; `None` if there are no tables and items to add.
    pub(super) fn fill(&self, database: &Pretender) -> Result<Option<SeedReport>, Box<dyn Error>> {
        if let Some(snapshot) = &self.snapshot {
            database.restore_snapshot_file(snapshot)?;
        }
        if self.schema.is_empty() && self.seed.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.seeding().apply(database)?))
    }

    fn seeding(&self) -> Seeding {
        let mut seeding = Seeding::new();
        // A `serverless.yml` refers to environment variables as `env:NAME`.
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                seeding = seeding.variable(format!("env:{name}"), value);
            }
        }
        for (name, value) in &self.schema_parameter {
            seeding = seeding.variable(name, value);
        }
        for path in &self.schema {
            seeding = seeding.schema(path);
        }
        for path in &self.seed {
            seeding = match table_and_file(path) {
                Some((table, file)) => seeding.seed_table(table, file),
                None => seeding.seed(path),
            };
        }
        seeding
    }
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    let parameter = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parameter.ok_or("expected NAME=VALUE, such as Stage=dev")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Splits `TABLE=FILE`, unless a file has this whole name.
fn table_and_file(path: &Path) -> Option<(TableName, PathBuf)> {
    let (table, file) = path.to_str()?.split_once('=')?;
    let table = TableName::new(table).ok()?;
    (!path.exists()).then(|| (table, file.into()))
}

fn lines(report: &SeedReport) -> Vec<String> {
    let mut lines = Vec::new();
    let names = |names: &[TableName]| names.iter().map(TableName::as_str).collect::<Vec<_>>().join(", ");
    if !report.created.is_empty() {
        lines.push(format!("Created {}", names(&report.created)));
    }
    if !report.existing.is_empty() {
        lines.push(format!("Already defined: {}", names(&report.existing)));
    }
    for seeded in &report.seeded {
        let (table, file) = (&seeded.table, seeded.file.display());
        if seeded.items_skipped > 0 {
            let items = counted(seeded.items_skipped, "item");
            lines.push(format!("Skipped {items} of {file}: {table} is not empty"));
        } else {
            lines.push(format!("Put {} from {file} into {table}", counted(seeded.items, "item")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_can_precede_the_file() {
        let taken = |text: &str| {
            table_and_file(Path::new(text)).map(|(table, file)| format!("{table} {}", file.display()))
        };
        assert_eq!(taken("orders=data/part-1.json.gz").as_deref(), Some("orders data/part-1.json.gz"));
        assert_eq!(taken("orders=a=b.json").as_deref(), Some("orders a=b.json"));
        assert_eq!(taken("orders.json"), None);
        assert_eq!(taken("data/a=b.json"), None);
    }

    #[test]
    fn parameters_have_a_name() {
        assert_eq!(parse_parameter("Stage=a=b"), Ok(("Stage".to_owned(), "a=b".to_owned())));
        assert!(parse_parameter("=x").is_err() && parse_parameter("Stage").is_err());
    }
}
