//! The only folder in which commands may read and write files.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::Refusal;

/// The required ending of a file name, so that a command cannot create a file that another program would read.
const ENDING: &str = ".db";

/// The folder for snapshot files. Commands cannot reach other files.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotFolder {
    /// The absolute path, with all links resolved.
    path: PathBuf,
}

impl SnapshotFolder {
    /// Opens the folder, which must exist.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        if path.is_dir() { Ok(Self { path }) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Returns the path for a file name. The file need not exist, but its folder must.
    ///
    /// A user who may write to the folder could put a link there right after this check, so only the server's own user
    /// should be able to write to it.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, Refusal> {
        let bad = |why: &str| Err(Refusal::Bad(format!("`{name}` {why}")));
        if !is_plain(name) {
            return bad(
                "is not a valid name of a snapshot file: it is relative to the server's snapshot folder, without `..`, control \
                 characters, backslashes and colons",
            );
        }
        if !name.strip_suffix(ENDING).is_some_and(|stem| !stem.is_empty() && !stem.ends_with('/')) {
            return bad("is not a valid name of a snapshot file: it must end in `.db`");
        }
        let path = self.path.join(name);
        let (Some(folder), Some(file_name)) = (path.parent(), path.file_name()) else {
            return bad("is not a valid name of a snapshot file");
        };
        let folder = match fs::canonicalize(folder) {
            Ok(folder) if folder.starts_with(&self.path) => folder,
            Ok(_) => return bad("is outside the server's snapshot folder"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return bad("is in a folder that does not exist in the server's snapshot folder");
            }
            Err(error) => return bad(&format!("cannot be reached: {error}")),
        };
        let path = folder.join(file_name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(path),
            Ok(_) => bad("is not a regular file"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
            Err(error) => bad(&format!("cannot be accessed: {error}")),
        }
    }
}

/// Returns whether a name only leads downwards, on every operating system.
fn is_plain(name: &str) -> bool {
    !name.chars().any(|c| c.is_control() || matches!(c, '\\' | ':'))
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(folder: &SnapshotFolder, name: &str) -> String {
        match folder.file(name) {
            Err(Refusal::Bad(text)) => text,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn names_lead_into_the_folder() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("sub")).unwrap();
        fs::write(directory.path().join("there.db"), "").unwrap();
        let folder = SnapshotFolder::open(directory.path()).unwrap();
        for name in ["seed.db", "there.db", "sub/seed.db", "./seed.db", "a.b-c_d e.db", "b\u{fc}ro.db"] {
            let path = folder.file(name).unwrap();
            assert!(
                path.starts_with(&folder.path) && path.ends_with(name.trim_start_matches("./")),
                "{}",
                path.display()
            );
        }
    }

    #[test]
    fn names_lead_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("folder.db")).unwrap();
        let folder = SnapshotFolder::open(&root).unwrap();
        let absolute = root.join("seed.db");
        for (name, why) in [
            (absolute.to_str().unwrap(), "is not a valid name of a snapshot file"),
            ("/etc/cron.d/x.db", "is not a valid name"),
            ("../seed.db", "is not a valid name"),
            ("sub/../../seed.db", "is not a valid name"),
            ("..", "is not a valid name"),
            ("..\\seed.db", "is not a valid name"),
            ("c:seed.db", "is not a valid name"),
            ("seed.db\0.db", "is not a valid name"),
            ("a\n.db", "is not a valid name"),
            ("", "must end in `.db`"),
            (".db", "must end in `.db`"),
            ("authorized_keys", "must end in `.db`"),
            ("seed.DB", "must end in `.db`"),
            ("seed.db/", "must end in `.db`"),
            ("seed.db.sh", "must end in `.db`"),
            ("missing/.db", "must end in `.db`"),
            ("missing/seed.db", "is in a folder that does not exist"),
            ("folder.db", "is not a regular file"),
        ] {
            let text = refused(&folder, name);
            assert!(text.contains(why), "{name}: {text}");
        }
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn links_do_not_lead_out() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let (root, outside) = (directory.path().join("root"), directory.path().join("outside"));
        for folder in [&root, &outside] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(outside.join("target.db"), "").unwrap();
        symlink(&outside, root.join("sub")).unwrap();
        symlink(outside.join("target.db"), root.join("link.db")).unwrap();
        symlink(outside.join("missing.db"), root.join("broken.db")).unwrap();
        let linked = directory.path().join("linked");
        symlink(&root, &linked).unwrap();
        // The folder itself may be a link, because the user has named it.
        let folder = SnapshotFolder::open(&linked).unwrap();
        assert_eq!(folder.file("seed.db").unwrap(), root.canonicalize().unwrap().join("seed.db"));
        assert!(refused(&folder, "sub/seed.db").contains("is outside"));
        assert!(refused(&folder, "link.db").contains("is not a regular file"));
        assert!(refused(&folder, "broken.db").contains("is not a regular file"));
    }

    #[test]
    fn the_folder_must_exist() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(SnapshotFolder::open(&file).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        let missing = SnapshotFolder::open(&directory.path().join("missing"));
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
