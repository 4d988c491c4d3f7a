//! Killing a program at each system call that changes files.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::rounds::SLOW;

/// The system calls that change files.
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
/// A program that makes more calls of one kind than this runs for ever.
const MAX_CALLS: u32 = 100_000;

/// Runs a program repeatedly. Each run is killed, as by `kill -9`, just before another of its system calls that concern certain files: first
/// before each call of `openat`, then before each `write`, and so on, in all threads.
///
/// With `PRETENDER_SLOW_TESTS` it is killed before each system call of any kind.
#[derive(Debug)]
pub struct Kills {
    files: Vec<PathBuf>,
    stride: u32,
}

impl Kills {
    /// Kills before calls that concern these files. Returns `None` if `strace` is not installed, after printing that on standard error: the
    /// test has to return then.
    ///
    /// # Panics
    ///
    /// If `strace` is not installed and the variable `CI` is set.
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

    /// Kills only before every `stride`th call of a kind, except with `PRETENDER_SLOW_TESTS`.
    #[must_use]
    pub fn every(mut self, stride: u32) -> Self {
        self.stride = stride;
        self
    }

    /// Runs a program to its end, and returns where it could be killed: each system call that changes one of the files, by its name and
    /// how many calls of this name its thread had made by then.
    ///
    /// # Panics
    ///
    /// If the program fails, or if `strace` is not allowed to trace it.
    #[must_use]
    pub fn points(&self, program: &Command) -> Vec<(String, u32)> {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o"]).arg(log.path());
        self.select_files(&mut strace);
        let names: Vec<String> = CHANGING.iter().map(|name| format!("?{name}")).collect();
        strace.arg("-e").arg(format!("trace={}", names.join(",")));
        assert!(!was_killed(strace, program), "{program:?} was killed unexpectedly");
        let text = fs::read_to_string(log.path()).expect("strace writes a log");
        // `strace` counts the calls of each thread by themselves.
        let mut counts = BTreeMap::<(String, &str), u32>::new();
        for line in text.lines() {
            let Some(name) = call_of(line).filter(|name| CHANGING.contains(&name.as_str())) else { continue };
            *counts.entry((name, line.split_whitespace().next().unwrap_or_default())).or_default() += 1;
        }
        let mut most = BTreeMap::<String, u32>::new();
        for ((name, _), count) in counts {
            let known = most.entry(name).or_default();
            *known = count.max(*known);
        }
        most.into_iter().flat_map(|(name, count)| (1..=count).map(move |nth| (name.clone(), nth))).collect()
    }

    /// Runs a program, and kills it just before the `nth` call of this name of one of its threads. Returns whether it got there.
    ///
    /// # Panics
    ///
    /// If the program fails without being killed, or if `strace` is not allowed to trace it.
    #[must_use]
    pub fn kill(&self, program: &Command, call: &str, nth: u32) -> bool {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null"]);
        self.select_files(&mut strace);
        kill_at(&mut strace, call, nth);
        was_killed(strace, program)
    }

    fn select_files(&self, strace: &mut Command) {
        for file in &self.files {
            strace.arg("-P").arg(file);
        }
    }

    /// Runs the commands that `prepare` returns, and calls `check` after each run. Returns how often the program was killed.
    ///
    /// # Panics
    ///
    /// If the program fails without being killed, or if `strace` is not allowed to trace it.
    pub fn run(&self, mut prepare: impl FnMut() -> Command, mut check: impl FnMut(&str)) -> u32 {
        let slow = env::var_os(SLOW).is_some_and(|value| value == "1");
        let calls = if slow { calls_of(&prepare()) } else { CHANGING.map(str::to_owned).into() };
        let stride = if slow { 1 } else { self.stride };
        let mut kills = 0;
        for call in calls {
            for nth in (1..MAX_CALLS).step_by(stride as usize) {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-qq", "-o", "/dev/null"]);
                if !slow {
                    self.select_files(&mut strace);
                }
                kill_at(&mut strace, &call, nth);
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

/// Has `strace` kill its program before a call.
fn kill_at(strace: &mut Command, call: &str, nth: u32) {
    // The `?` ignores calls that this machine does not have.
    strace.arg("-e").arg(format!("trace=?{call}"));
    strace.arg("-e").arg(format!("inject=?{call}:signal=SIGKILL:when={nth}"));
}

/// Runs a program under `strace`. Returns whether it was killed.
fn was_killed(mut strace: Command, program: &Command) -> bool {
    strace.arg(program.get_program()).args(program.get_args()).env_clear();
    // `strace` is found on the path.
    strace.envs(env::var_os("PATH").map(|path| ("PATH", path)));
    strace.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = strace.stdin(Stdio::null()).output().expect("strace runs");
    if output.status.success() {
        return false;
    }
    // `strace` ends like its program: by a signal, which has no exit code, or with the code that a shell returns for a signal.
    let killed = matches!(output.status.code(), None | Some(137));
    assert!(killed, "{program:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    true
}

/// Returns the names of all system calls that a program makes.
fn calls_of(program: &Command) -> BTreeSet<String> {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(log.path());
    assert!(!was_killed(strace, program), "{program:?} was killed unexpectedly");
    let text = fs::read_to_string(log.path()).expect("strace writes a log");
    let names = text.lines().filter_map(call_of);
    // Before `execve` the program does not exist, and after `exit` there is nothing to check.
    names.filter(|name| !["execve", "exit", "exit_group"].contains(&name.as_str())).collect()
}

/// Returns the name of the system call in a line of the log of `strace`, if it begins there.
fn call_of(line: &str) -> Option<String> {
    let call = line.split_whitespace().nth(1)?;
    let name = call.split_once('(')?.0;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| name.to_owned())
}
