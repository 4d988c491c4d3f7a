//! `pretender sql`.

use std::error::Error;

use clap::Args;
use serde_json::{Value, json};

use super::items::value_of;
use super::output::{Closed, ItemPrinter, Output, items_of, note};
use crate::client::{Connection, Service};

/// Run a PartiQL statement: SELECT, INSERT, UPDATE or DELETE.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sql {
    /// The statement; names with other characters than letters, digits and underscores stand in double quotes
    statement: String,

    /// A value for the next `?` of the statement: JSON, or else a text; may be repeated
    #[arg(long, short, value_name = "VALUE", allow_hyphen_values = true)]
    param: Vec<String>,

    /// Print at most this many items
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// Print all items, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,

    #[command(flatten)]
    output: Output,

    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  pretender sql \"SELECT * FROM orders WHERE id = 'o1'\"
  pretender sql 'SELECT id, total FROM \"my-orders\" WHERE total > ?' -p 10
  pretender sql \"INSERT INTO orders VALUE {'id': 'o2', 'total': 7}\"
  pretender sql \"UPDATE orders SET total = 8 WHERE id = 'o2'\"";

impl Sql {
    /// Runs the statement.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        let api = self.connection.api::<&str>(&[])?;
        let mut input = json!({ "Statement": self.statement });
        if !self.param.is_empty() {
            let params: Result<Vec<Value>, _> = self.param.iter().map(|text| value_of(text)).collect();
            input["Parameters"] = params?.into();
        }
        let mut printer = ItemPrinter::new(self.output, Vec::new());
        let mut left = if self.all { u64::MAX } else { u64::from(self.limit) };
        let mut printed = 0;
        loop {
            let answer = api.call(Service::DynamoDb, "ExecuteStatement", &input)?;
            let mut items = items_of(&answer)?;
            let is_cut = items.len() as u64 > left;
            items.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            (left, printed) = (left - items.len() as u64, printed + items.len());
            if let Err(closed) = printer.page(&items) {
                return closed.or_error();
            }
            let next = answer["NextToken"].as_str();
            if left == 0 && (is_cut || next.is_some()) {
                note(&format!("These are the first {}; --all prints all.", self.limit));
            }
            match next {
                Some(next) if left > 0 => input["NextToken"] = next.into(),
                _ => break,
            }
        }
        printer.end();
        let is_select =
            self.statement.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"));
        if printed == 0 && !is_select {
            return super::output::print("Done.\n").or_else(Closed::or_error);
        }
        Ok(())
    }
}
