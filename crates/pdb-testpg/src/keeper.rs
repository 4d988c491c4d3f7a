//! The keeper of a server: a shell that runs commands as an ordinary user, and cleans up after this process has ended.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::programs::{Failure, User};

/// The script of the shell. It runs each line of its input as a command, and prints `done` or `failed` after it. At the end of the input it
/// stops the server in `data` and removes the directory.
///
/// It ignores signals from the terminal, because it has to clean up after them. Commands do not inherit its pipes: a server that kept the
/// output open would keep this process waiting.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
directory=$1 pg_ctl=$2
cd "$directory" || exit 1
while IFS= read -r line; do
  if eval "$line" >>log </dev/null 2>&1; then echo "done"; else echo "failed"; fi
done
if [ -f data/postmaster.pid ]; then "$pg_ctl" -D data -m immediate -w stop >>log 2>&1 </dev/null; fi
cd / && rm -rf "$directory"
"#;

/// A running keeper, in its temporary directory.
#[derive(Debug)]
pub(crate) struct Keeper {
    directory: PathBuf,
    shell: Child,
    /// `None` after the keeper was told to end.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    /// Creates the directory and starts the shell in it.
    pub(crate) fn start(pg_ctl: &Path) -> Result<Self, Failure> {
        let user = User::ordinary()?;
        let directory = make_directory(user.as_ref())?;
        let mut command = user.as_ref().map_or_else(|| Command::new("sh"), |user| user.command("sh"));
        let shell = command
            .args(["-c", SCRIPT, "keeper"])
            .args([&directory, pg_ctl])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let started = shell.map_err(|e| e.to_string()).and_then(|mut shell| {
            let commands = shell.stdin.take().ok_or("the shell has no input")?;
            let answers = shell.stdout.take().ok_or("the shell has no output")?;
            let answers = BufReader::new(answers);
            Ok(Self { directory: directory.clone(), shell, commands: Some(commands), answers })
        });
        started.map_err(|why| {
            let _ = fs::remove_dir_all(&directory);
            Failure::Failed(format!("a shell for the server could not be started: {why}"))
        })
    }

    /// Runs a command. The error contains the last lines that it printed.
    pub(crate) fn run(&mut self, line: &str) -> Result<(), Failure> {
        let commands =
            self.commands.as_mut().ok_or_else(|| Failure::Failed("the keeper has ended".into()))?;
        let mut answer = String::new();
        let asked = writeln!(commands, "{line}").and_then(|()| self.answers.read_line(&mut answer));
        if asked.is_ok() && answer.trim() == "done" {
            return Ok(());
        }
        Err(Failure::Failed(format!("`{line}` failed:\n{}", self.last_output())))
    }

    /// Returns the directory, in which commands run.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the last lines that the commands and the server have printed.
    fn last_output(&self) -> String {
        let mut output = String::new();
        for file in ["log", "server.log"] {
            let text = fs::read_to_string(self.directory.join(file)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            for line in &lines[lines.len().saturating_sub(15)..] {
                output.push_str(line);
                output.push('\n');
            }
        }
        output
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Closing its input ends the shell. Wait for it, so that the directory is removed when this returns.
        self.commands = None;
        let _ = self.shell.wait();
    }
}

/// Creates a directory that only the user can access.
fn make_directory(user: Option<&User>) -> Result<PathBuf, Failure> {
    let failed = |e: std::io::Error| Failure::Failed(format!("cannot create a temporary directory: {e}"));
    let temporary = std::env::temp_dir();
    for attempt in 0_u32.. {
        let directory = temporary.join(format!("pretender-postgres-{}-{attempt}", std::process::id()));
        match fs::create_dir(&directory) {
            Ok(()) => {
                if let Some(user) = user {
                    std::os::unix::fs::chown(&directory, Some(user.id), Some(user.group)).map_err(failed)?;
                }
                let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
                fs::set_permissions(&directory, private).map_err(failed)?;
                return Ok(directory);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(e)),
        }
    }
    Err(Failure::Failed("all names of temporary directories are taken".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_the_keeper_removes_the_directory() {
        let mut keeper = Keeper::start(Path::new("/nonexistent")).unwrap();
        let directory = keeper.directory().to_owned();
        keeper.run("echo hello > file").unwrap();
        assert!(directory.join("file").exists());
        let Err(Failure::Failed(why)) = keeper.run("echo this went wrong; false") else {
            panic!("it worked")
        };
        assert!(why.contains("this went wrong"), "{why}");
        keeper.run("true").unwrap();
        drop(keeper);
        assert!(!directory.exists());
    }

    #[test]
    fn a_killed_process_leaves_no_directory() {
        let mut keeper = Keeper::start(Path::new("/nonexistent")).unwrap();
        let directory = keeper.directory().to_owned();
        // When a process is killed, the operating system closes its end of the pipe, and nothing else happens.
        let mut shell = {
            keeper.commands = None;
            std::mem::replace(&mut keeper.shell, Command::new("true").spawn().unwrap())
        };
        assert!(shell.wait().unwrap().success());
        assert!(!directory.exists());
    }
}
