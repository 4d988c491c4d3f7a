//! `pretender sql`.

use std::error::Error;

use clap::Args;
use serde_json::{Value, json};

use super::items::value_of;
use super::output::{ItemPrinter, Output, items_of, note};
use crate::client::{Api, Connection, Service};

/// Run a PartiQL statement: SELECT, INSERT, UPDATE or DELETE.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sql {
    /// The statement; put a name in double quotes if it has characters other than letters, digits and underscores
    statement: String,

    /// A value for the next `?` in the statement: JSON, or else a string; can be repeated
    #[arg(long, short, value_name = "VALUE", allow_hyphen_values = true)]
    param: Vec<String>,

    /// Print at most this many items
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// Print all items, without a limit
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = include_str!("sql.txt");

impl Sql {
    /// Runs the statement.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api::<&str>(&[])?;
        let mut input = json!({ "Statement": self.statement });
        if !self.param.is_empty() {
            let params: Result<Vec<Value>, _> = self.param.iter().map(|text| value_of(text)).collect();
            input["Parameters"] = params?.into();
        }
        let is_select =
            self.statement.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"));
        let execute = if is_select { Api::call } else { Api::call_once };
        let mut printer = ItemPrinter::new(self.output, Vec::new());
        let mut left = if self.all { u64::MAX } else { u64::from(self.limit) };
        let mut printed = 0;
        loop {
            let answer = match execute(&api, Service::DynamoDb, "ExecuteStatement", &input) {
                Ok(answer) => answer,
                Err(failure) if failure.code() == Some("ResourceNotFoundException") => {
                    return Err("no such table or index; `pretender ls` lists the tables".into());
                }
                Err(failure) => return Err(failure.into()),
            };
            let mut items = items_of(&answer)?;
            let is_cut = items.len() as u64 > left;
            items.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            (left, printed) = (left - items.len() as u64, printed + items.len());
            if let Err(closed) = printer.page(&items) {
                return closed.unless_gone();
            }
            let next = answer["NextToken"].as_str();
            if left == 0 && is_cut {
                note(&format!("These are the first {}; --all prints all.", self.limit));
            } else if left == 0 && next.is_some() {
                note(&format!("These are the first {}; there may be more: --all prints all.", self.limit));
            }
            match next {
                Some(next) if left > 0 => input["NextToken"] = next.into(),
                _ => break,
            }
        }
        if is_select || printed > 0 {
            printer.end();
        } else {
            note("Done.");
        }
        Ok(())
    }
}
