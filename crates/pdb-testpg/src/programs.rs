//! Finding the programs of PostgreSQL, and the user that runs them.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Why a server could not be started or used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// PostgreSQL is not installed, or no user can run it. The text says what was searched.
    Missing(String),
    /// PostgreSQL is installed, but a command failed. The text says which one.
    Failed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Missing(why) | Self::Failed(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for Failure {}

/// The programs of one installation of PostgreSQL.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds the programs: on the `PATH`, in the folders of Debian (the newest version first), and in the folder that `pg_config` prints.
    ///
    /// # Errors
    ///
    /// [`Failure::Missing`].
    pub fn find() -> Result<Self, Failure> {
        let mut folders = Vec::new();
        if let Some(path) = env::var_os("PATH") {
            // The program on the path may be a link. The other programs are beside the target of the link.
            folders.extend(
                env::split_paths(&path)
                    .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
                    .filter_map(|program| program.parent().map(Path::to_owned)),
            );
        }
        folders.extend(debian_folders());
        folders.extend(output("pg_config", &["--bindir"]).map(PathBuf::from));
        let complete = |folder: &PathBuf| {
            ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file())
        };
        let folder = folders.into_iter().find(complete).ok_or_else(|| {
            Failure::Missing(
                "no initdb, pg_ctl and postgres on the PATH, below /usr/lib/postgresql, or where pg_config says"
                    .to_owned(),
            )
        })?;
        Ok(Self { folder })
    }

    /// Returns the path of one of the programs, such as `pgbench`.
    #[must_use]
    pub fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Returns the folder of the programs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Runs SQL with `psql`, which supports every way to log in. Returns one line for each row, with values separated by `|`.
///
/// # Errors
///
/// [`Failure::Failed`] with the message of the server or the client.
pub fn sql(url: &str, sql: &str) -> Result<String, Failure> {
    run("psql", &["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
}

/// Runs a file of SQL of any length with `psql`.
///
/// # Errors
///
/// As [`sql`].
pub fn sql_file(url: &str, path: &Path) -> Result<(), Failure> {
    let path = path.to_string_lossy();
    run("psql", &["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-o", "/dev/null", "-f", &path]).map(drop)
}

/// Returns the SQL that makes a schema again, with all that is in it, as `pg_dump` writes it: rows as `INSERT`, without owners and
/// privileges.
///
/// # Errors
///
/// As [`sql`].
pub fn dump(url: &str, schema: &str) -> Result<String, Failure> {
    let schema = format!("--schema={schema}");
    run("pg_dump", &["--no-owner", "--no-privileges", "--rows-per-insert=100", &schema, "-d", url])
}

/// Runs a client program; returns what it prints.
fn run(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    // With a server elsewhere there may be no programs of a server here, only clients.
    let path = Programs::find().map_or_else(|_| PathBuf::from(program), |programs| programs.path(program));
    let output = Command::new(path)
        .args(arguments)
        // Without notices, such as those of `DROP ... IF EXISTS`.
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failure::Failed(format!("{program} cannot be started: {e}")))?;
    if !output.status.success() {
        return Err(Failure::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Returns Debian's folders, the newest version first.
fn debian_folders() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// A user that runs a server, other than the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) group: u32,
}

impl User {
    /// Returns the user that runs servers: `None` for the current user, or an ordinary user if the current one is root.
    pub(crate) fn ordinary() -> Result<Option<Self>, Failure> {
        if output("id", &["-u"]).as_deref() != Some("0") {
            return Ok(None);
        }
        let number = |flag: &str, name: &str| output("id", &[flag, name])?.parse::<u32>().ok();
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| {
                Some(Self { name: name.to_owned(), id: number("-u", name)?, group: number("-g", name)? })
            })
            .map(Some)
            .ok_or_else(|| {
                Failure::Missing(
                    "PostgreSQL does not run as root, and there is no user postgres or nobody".into(),
                )
            })
    }

    /// Returns a command that runs as this user.
    pub(crate) fn command(&self, program: &str) -> Command {
        if works("setpriv") {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", &self.id.to_string(), "--regid", &self.group.to_string()]);
            command.args(["--clear-groups", "--", program]);
            return command;
        }
        let mut command = Command::new("runuser");
        command.args(["-u", &self.name, "--", program]);
        command
    }
}

fn works(program: &str) -> bool {
    output(program, &["--version"]).is_some()
}

/// Returns what a program prints, without white space around it, if it runs and succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_never_root() {
        if let Some(user) = User::ordinary().unwrap() {
            assert_ne!(user.id, 0);
            let id = user.command("id").arg("-u").output().unwrap();
            assert_eq!(String::from_utf8_lossy(&id.stdout).trim(), user.id.to_string());
        }
    }

    #[test]
    fn a_missing_or_failing_program_has_no_output() {
        assert_eq!(output("no-such-program", &[]), None);
        assert_eq!(output("false", &[]), None);
        assert_eq!(output("echo", &["a b"]).as_deref(), Some("a b"));
    }
}
