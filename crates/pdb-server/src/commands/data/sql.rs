//! `pretender sql`.

use std::error::Error;

use clap::Args;
use serde_json::{Value, json};

use super::items::value_of;
use super::output::{Limit, LimitedPrinter, Output, items_of, note};
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

    #[command(flatten)]
    limit: Limit,

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
        let mut printer = LimitedPrinter::new(self.output, self.limit, Vec::new());
        loop {
            let answer = match execute(&api, Service::DynamoDb, "ExecuteStatement", &input) {
                Ok(answer) => answer,
                Err(failure) if failure.code() == Some("ResourceNotFoundException") => {
                    return Err("no such table or index; `pretender ls` lists all tables".into());
                }
                Err(failure) => return Err(failure.into()),
            };
            let next = answer["NextToken"].as_str();
            match printer.page(items_of(&answer)?, next.is_some()) {
                Ok(true) => {}
                Ok(false) => break,
                Err(closed) => return closed.unless_gone(),
            }
            input["NextToken"] = next.into();
        }
        if is_select || printer.has_printed() {
            printer.end();
        } else {
            note("Done.");
        }
        Ok(())
    }
}
