//! The subcommands, one file each.

mod ctl;
mod serve;
mod tail;

use std::error::Error;

use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Serve>),
    Ctl(ctl::Ctl),
    Tail(tail::Tail),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Ctl(ctl) => ctl.run(),
            Self::Tail(tail) => tail.run(),
        }
    }
}
