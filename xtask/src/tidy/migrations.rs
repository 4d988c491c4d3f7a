//! Migrations: numbered from 1 without a gap, the same for every engine, and included in `pdb-migrations`.

use super::Complaints;
use crate::{Outcome, migration, workspace};

/// Checks the folders of `migrations/`.
pub(super) fn check() -> Outcome<Complaints> {
    let mut complaints = Complaints::new();
    let source = workspace::read(&workspace::migrations().join("src/lib.rs"))?;
    let mut first: Option<(String, Vec<String>)> = None;
    for engine in migration::engines()? {
        let shown = workspace::shown(&engine).to_string();
        let mut names = Vec::new();
        for path in workspace::files(&engine, ".sql")? {
            names.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        complaints.extend(gaps(&names).into_iter().map(|complaint| format!("{shown}: {complaint}")));
        let included = |name: &String| source.contains(&format!("/{name}\")"));
        for name in names.iter().filter(|name| !included(name)) {
            complaints.push(format!("{shown}: pdb-migrations does not include {name}"));
        }
        match &first {
            None => first = Some((shown, names)),
            Some((other, theirs)) if *theirs != names => {
                complaints.push(format!("{other} and {shown} do not hold the same migrations"));
            }
            Some(_) => {}
        }
    }
    Ok(complaints)
}

/// Checks that sorted file names are numbered 1, 2, 3 and so on.
fn gaps(names: &[String]) -> Complaints {
    let mut complaints = Complaints::new();
    for (expected, name) in (1..).zip(names) {
        match migration::parse(name) {
            Err(complaint) => complaints.push(complaint),
            Ok((number, _)) if number != expected => {
                complaints.push(format!("{name} should have number {expected:04}"));
                break;
            }
            Ok(_) => {}
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_wrong_names_are_reported() {
        let check = |names: &[&str]| gaps(&names.iter().map(ToString::to_string).collect::<Vec<_>>()).len();
        assert_eq!(check(&["0001_a.sql", "0002_b.sql"]), 0);
        assert_eq!(check(&["0001_a.sql", "0003_b.sql"]), 1);
        assert_eq!(check(&["0002_a.sql"]), 1);
        assert_eq!(check(&["first.sql"]), 1);
    }
}
