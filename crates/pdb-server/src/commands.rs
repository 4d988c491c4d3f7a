//! The subcommands, one file each.

mod ctl;
mod place;
mod serve;
mod stop;
mod tail;
mod trigger;

use std::error::Error;

use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<serve::Serve>),
    Ctl(ctl::Ctl),
    Tail(tail::Tail),
    Trigger(Box<trigger::Trigger>),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Ctl(ctl) => ctl.run(),
            Self::Tail(tail) => tail.run(),
            Self::Trigger(trigger) => trigger.run(),
        }
    }
}
