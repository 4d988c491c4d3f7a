//! Killing a program at each system call that changes files.

use std::{
    collections::BTreeSet,
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::rounds::SLOW;

/// The calls that change what is on a disk.
const CHANGING: [&str; 18] = [
    "openat",
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "link",
    "linkat",
    "chmod",
    "fchmod",
];
/// A program that makes more of a call than this does not end.
const MOST: u32 = 100_000;

/// Runs a program again and again, killed each time, as by `kill -9`, just before another of its system calls that concern some
/// files: first at each opening, then at each write, and so on, in each of its threads.
///
/// With `PRETENDER_SLOW_TESTS` at each call whatsoever.
#[derive(Debug)]
pub struct Kills {
    files: Vec<PathBuf>,
    stride: u32,
}

impl Kills {
    /// Kills at calls that concern these files. `None` if `strace` is not installed: then the test is to return, and this has said why
    /// on standard error.
    ///
    /// # Panics
    ///
    /// If `strace` is not installed, but the variable `CI` is set.
    #[must_use]
    pub fn at(files: &[PathBuf]) -> Option<Self> {
        let found = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
        match found {
            Ok(status) if status.success() => Some(Self { files: files.to_vec(), stride: 1 }),
            _ if env::var_os("CI").is_none() => {
                eprintln!("SKIPPED, for lack of strace: `apt-get install strace`");
                None
            }
            found => panic!("no strace for tests: {found:?}"),
        }
    }

    /// Kills at every `stride`th call of a kind only, unless the test is to be slow.
    #[must_use]
    pub fn every(mut self, stride: u32) -> Self {
        self.stride = stride;
        self
    }

    /// Has `prepare` make each run's program, and `check` look at what it left. Returns how often it was killed.
    ///
    /// # Panics
    ///
    /// If the program fails when it is not killed, or `strace` may not trace it.
    pub fn run(&self, mut prepare: impl FnMut() -> Command, mut check: impl FnMut(&str)) -> u32 {
        let slow = env::var_os(SLOW).is_some_and(|value| value == "1");
        let calls = if slow { calls_of(&prepare()) } else { CHANGING.map(str::to_owned).into() };
        let stride = if slow { 1 } else { self.stride };
        let mut kills = 0;
        for call in calls {
            for nth in (1..MOST).step_by(stride as usize) {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-qq", "-o", "/dev/null"]);
                if !slow {
                    for file in &self.files {
                        strace.arg("-P").arg(file);
                    }
                }
                // `?`: not every machine has every call.
                strace.arg("-e").arg(format!("trace=?{call}"));
                strace.arg("-e").arg(format!("inject=?{call}:signal=SIGKILL:when={nth}"));
                if was_killed(strace, &prepare()) {
                    kills += 1;
                    check(&format!("killed at {call} {nth}"));
                } else {
                    check(&format!("not killed: fewer than {nth} {call}"));
                    break;
                }
            }
        }
        kills
    }
}

/// Runs a program under `strace`; returns whether it was killed.
fn was_killed(mut strace: Command, program: &Command) -> bool {
    strace.arg(program.get_program()).args(program.get_args()).env_clear();
    // Where `strace` is.
    strace.envs(env::var_os("PATH").map(|path| ("PATH", path)));
    strace.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = strace.stdin(Stdio::null()).output().expect("strace runs");
    if output.status.success() {
        return false;
    }
    // It ends as its program did: by a signal, without a code, or with the code that a shell makes of it.
    let killed = matches!(output.status.code(), None | Some(137));
    assert!(killed, "{program:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    true
}

/// The names of all calls that a program makes.
fn calls_of(program: &Command) -> BTreeSet<String> {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(log.path());
    assert!(!was_killed(strace, program), "{program:?} was killed before anybody asked for it");
    let text = fs::read_to_string(log.path()).expect("strace writes a log");
    let names = text.lines().filter_map(|line| {
        let call = line.split_whitespace().nth(1)?;
        let name = call.split_once('(')?.0;
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| name.to_owned())
    });
    // The program is not there before its first call, and does not return from its last.
    names.filter(|name| !["execve", "exit", "exit_group"].contains(&name.as_str())).collect()
}
