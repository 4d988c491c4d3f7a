//! `pretender help`.

use std::error::Error;
use std::io::{ErrorKind, Write};

use clap::{Args, CommandFactory};

/// Show the help of a command, or explain a topic: streams, faults, clock.
#[derive(Args, Debug)]
pub(crate) struct Help {
    /// A command, such as `ctl clock`, or a topic: streams, faults, clock
    #[arg(value_name = "COMMAND|TOPIC")]
    words: Vec<String>,
}

/// Topics besides the commands: name and text. The lines of the texts fit 80 columns.
const TOPICS: [(&str, &str); 3] = [
    ("streams", include_str!("help/streams.txt")),
    ("faults", include_str!("help/faults.txt")),
    ("clock", include_str!("help/clock.txt")),
];

impl Help {
    /// Prints the help.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let mut stdout = std::io::stdout().lock();
        let written = match self.topic() {
            Some(text) => stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()),
            None => self.command()?.print_long_help(),
        };
        match written {
            // The reader has closed the pipe, which is not an error.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }

    fn topic(&self) -> Option<&'static str> {
        let [word] = self.words.as_slice() else { return None };
        TOPICS.iter().find(|(name, _)| name == word).map(|(_, text)| *text)
    }

    fn command(&self) -> Result<clap::Command, String> {
        let mut command = crate::Cli::command();
        // Fills in the full path in usage lines, and the options that all subcommands share.
        command.build();
        for word in &self.words {
            let Some(next) = command.find_subcommand(word) else {
                return Err(format!(
                    "there is no help for `{}`: expected a command, or one of the topics streams, faults, clock",
                    self.words.join(" ")
                ));
            };
            command = next.clone();
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_fit_a_terminal() {
        for (name, text) in TOPICS {
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
            assert!(text.ends_with('\n'), "{name}");
        }
    }

    #[test]
    fn each_command_has_help() {
        let help = |words: &str| Help { words: words.split(' ').map(str::to_owned).collect() };
        for words in ["serve", "ctl clock", "ctl fault add", "tail", "top"] {
            let shown = help(words).command().unwrap().render_long_help().to_string();
            assert!(shown.contains(&format!("pretender {words}")), "{words}: {shown}");
        }
        assert!(help("ctl nonsense").command().unwrap_err().contains("ctl nonsense"));
        assert!(help("streams").topic().is_some());
        assert!(help("ctl streams").topic().is_none());
    }

    /// Descriptions wrap; what is written line by line, as examples are, must fit by itself.
    #[test]
    fn examples_fit_a_terminal() {
        fn check(command: &clap::Command) {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in examples.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&crate::Cli::command());
    }
}
