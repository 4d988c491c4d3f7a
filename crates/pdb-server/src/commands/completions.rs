//! `pretender completions`.

use std::error::Error;
use std::io::{ErrorKind, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a script that completes commands and options in a shell.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// Shell that the script is for
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  . <(pretender completions bash)                                 in ~/.bashrc
  pretender completions zsh > ~/.zfunc/_pretender
  pretender completions fish > ~/.config/fish/completions/pretender.fish";

impl Completions {
    /// Prints the script.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let script = script(self.shell);
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(&script).and_then(|()| stdout.flush()) {
            // The reader has closed the pipe, which is not an error.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::Cli::command(), "pretender", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn scripts_know_commands_and_options() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();
            for word in ["serve", "advance", "stop-on-stdin-close"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
