//! What options of a server can be.

use std::time::Duration;

use clap::ValueEnum;
use pdb_server::{ConsoleAccess, Span};
use pretender::Habits;

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DurabilityArg {
    /// Survives a power failure. Each commit waits for the disk
    Full,
    /// Survives a crash of the process. A power failure may lose the most recent writes
    Normal,
    /// Survives a crash of the process. A power failure may damage the file
    Off,
}

/// Who may open the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ConsoleArg {
    /// Nobody
    Off,
    /// Browsers on this machine
    Loopback,
    /// Everybody who reaches the server
    Anywhere,
}

impl From<ConsoleArg> for ConsoleAccess {
    fn from(console: ConsoleArg) -> Self {
        match console {
            ConsoleArg::Off => Self::Off,
            ConsoleArg::Loopback => Self::Loopback,
            ConsoleArg::Anywhere => Self::Anywhere,
        }
    }
}

/// Which generation of messages to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MessageLayerArg {
    /// Classic validation messages (2015 to 2026)
    Classic,
    /// Validation messages introduced in 2026
    #[value(name = "2026")]
    Modern2026,
}

/// Another server to imitate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LikeArg {
    /// DynamoDB Local: its status of `GET /`, its messages for missing tables and failed conditions, its longer answer
    /// to DeleteTable, its order of attribute definitions (unused ones included), throughput of on-demand indexes, and
    /// quick expiry of items
    DynamodbLocal,
}

impl LikeArg {
    pub(super) fn habits(self) -> Habits {
        match self {
            Self::DynamodbLocal => Habits::dynamodb_local(),
        }
    }

    pub(super) fn root_status(self) -> u16 {
        match self {
            Self::DynamodbLocal => 400,
        }
    }

    pub(super) fn expiry_interval(self) -> Span {
        match self {
            Self::DynamodbLocal => Span(Some(Duration::from_secs(1))),
        }
    }
}

/// Returns the name of a value on the command line.
pub(super) fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

pub(super) fn span(Span(length): &Span) -> String {
    length.map_or_else(|| "off".to_owned(), |length| format!("{length:?}"))
}

/// Region names that do not have AWS's form, but that other emulators and their users use.
const OTHER_REGIONS: [&str; 4] = ["local", "localhost", "local-env", "ddblocal"];

/// Reads a region: any name that has AWS's form, or one of `OTHER_REGIONS`.
pub(in crate::commands) fn parse_region(text: &str) -> Result<String, String> {
    let (place, number) = text.rsplit_once('-').unwrap_or((text, ""));
    let words: Vec<&str> = place.split('-').collect();
    let has_form = words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if has_form || OTHER_REGIONS.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err("not a region: expected a name such as us-east-1, or local or ddblocal".to_owned())
    }
}

pub(super) fn parse_status(text: &str) -> Result<u16, String> {
    // Three of these statuses mean that there is no body, but the answer has one.
    let is_fit = |status: &u16| (200..600).contains(status) && ![204, 205, 304].contains(status);
    text.parse().ok().filter(is_fit).ok_or_else(|| {
        "not the status of an answer with a body: expected a number such as 200 or 400".to_owned()
    })
}

pub(super) fn parse_account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("an account ID has 12 digits".to_owned()) }
}
