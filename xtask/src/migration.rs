//! `cargo xtask migration NAME`: creates the next migration, with the same number for every engine.

use std::fs;
use std::path::PathBuf;

use crate::{Outcome, workspace};

/// Options of the command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What the migration does, in a few words: `add_shard_size`
    name: String,
}

/// Creates the next migration, an empty file with a comment, in each folder of `migrations/`.
pub(crate) fn run(options: &Options) -> Outcome {
    let name = snake_case(&options.name)?;
    let engines = engines()?;
    if engines.is_empty() {
        return Err("migrations/ has no folder for an engine".to_owned());
    }
    let mut last = 0;
    for engine in &engines {
        for path in workspace::files(engine, ".sql")? {
            let (number, _) = parse(&path.file_name().unwrap_or_default().to_string_lossy())?;
            last = last.max(number);
        }
    }
    for engine in &engines {
        let path = engine.join(format!("{:04}_{name}.sql", last + 1));
        fs::write(&path, format!("-- {}\n", options.name))
            .map_err(|error| format!("{} cannot be written: {error}", workspace::shown(&path)))?;
        println!("{}", workspace::shown(&path));
    }
    Ok(())
}

/// Lists the folders of `migrations/` with the SQL of one engine each.
///
/// # Errors
///
/// If a folder cannot be read.
pub(crate) fn engines() -> Outcome<Vec<PathBuf>> {
    let mut engines = Vec::new();
    for path in workspace::entries(&workspace::migrations())? {
        if !workspace::files(&path, ".sql")?.is_empty() {
            engines.push(path);
        }
    }
    Ok(engines)
}

/// Splits the file name of a migration, `0003_stream_columns.sql`, into its number and its name.
///
/// # Errors
///
/// If it is not four digits, an underscore, a name, and `.sql`.
pub(crate) fn parse(file_name: &str) -> Outcome<(u32, &str)> {
    file_name
        .strip_suffix(".sql")
        .and_then(|stem| stem.split_once('_'))
        .filter(|(number, name)| number.len() == 4 && !name.is_empty())
        .and_then(|(number, name)| Some((number.parse().ok()?, name)))
        .ok_or_else(|| format!("migration `{file_name}` is not named like 0001_what_it_does.sql"))
}

fn snake_case(name: &str) -> Outcome<String> {
    let name = name.to_ascii_lowercase().replace([' ', '-'], "_");
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("the name of a migration can contain only letters, digits and `_`".to_owned());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_have_a_number_and_a_name() {
        assert_eq!(parse("0003_stream_columns.sql"), Ok((3, "stream_columns")));
        for wrong in ["3_a.sql", "0003.sql", "0003_.sql", "0003_a.txt", "abcd_a.sql"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_become_snake_case() {
        assert_eq!(snake_case("Add shard-size"), Ok("add_shard_size".to_owned()));
        assert!(snake_case("../x").is_err());
    }
}
