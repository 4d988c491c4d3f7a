//! The program in `checker/`, which looks for an order of the operations.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;

use crate::Outcome;
use crate::history::History;

/// Whether there is such an order.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// There is one.
    Ok,
    /// There is none.
    Illegal,
    /// The search took too long.
    Undecided,
}

/// The checker's answer to one history.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// Whether there is an order.
    pub verdict: Decision,
    /// The length of the longest order, if there is no complete one.
    #[serde(default)]
    pub placed: usize,
    /// Operations that could not follow it.
    #[serde(default)]
    pub stuck: Vec<String>,
    /// The file that shows the history.
    #[serde(default)]
    pub picture: String,
}

/// A running checker.
#[derive(Debug)]
pub struct Checker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Checker {
    /// Starts the program. Pictures of refused histories go into the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(program: &Path, pictures: &Path, timeout_seconds: u32) -> Outcome<Self> {
        let mut child = Command::new(program)
            .arg(format!("-timeout={timeout_seconds}s"))
            .arg("-pictures")
            .arg(pictures)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Ok(Self { child, input, output: BufReader::new(output.ok_or("the checker has no output")?) })
    }

    /// Checks a history.
    ///
    /// # Errors
    ///
    /// If the checker ends, or does not understand the history.
    pub fn check(&mut self, history: &History) -> Outcome<Answer> {
        let input = self.input.as_mut().ok_or("the checker has no input")?;
        let mut line = serde_json::to_vec(history)?;
        line.push(b'\n');
        input.write_all(&line)?;
        input.flush()?;
        let mut answer = String::new();
        if self.output.read_line(&mut answer)? == 0 {
            return Err("the checker has ended".into());
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        // It ends at the end of its input.
        self.input = None;
        let _ = self.child.wait();
    }
}
