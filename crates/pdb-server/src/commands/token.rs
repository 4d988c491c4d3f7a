//! The control token, on the command line and in the environment.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};
use pdb_server::{ControlToken, NotAToken};

/// Reads a token. clap's own parsers would repeat a refused value in the error, which may end in a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenParser;

impl TypedValueParser for TokenParser {
    type Value = ControlToken;

    fn parse_ref(
        &self,
        command: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<ControlToken, clap::Error> {
        value
            .to_str()
            .ok_or(NotAToken)
            .and_then(str::parse)
            .map_err(|error| command.clone().error(ErrorKind::ValueValidation, error))
    }
}
