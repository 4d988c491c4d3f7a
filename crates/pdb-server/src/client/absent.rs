//! Error messages for a table or stream that does not exist.

use serde_json::{Value, json};

use super::{Api, ApiFailure, Service};

/// How many pages of a hundred table names to search for one that resembles a missing table.
const MAX_PAGES: usize = 10;
/// How many letters a name may differ from the one that the user probably meant.
const MAX_TYPOS: usize = 2;

/// A table or stream that cannot be read because it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Absent {
    #[error("no such table: `{table}` is not at {server}{}", .similar.as_ref().map_or(String::new(), |name| format!("; did you mean `{name}`?")))]
    Table { table: String, server: String, similar: Option<String> },
    #[error(
        "table `{table}` has no stream; enable one with `aws dynamodb update-table --table-name {table} \
         --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES{options}`"
    )]
    StreamOfTable { table: String, options: String },
    /// Nothing more is known, because the endpoint only has the Streams API.
    #[error("table `{table}` has no stream")]
    Unknown { table: String },
    #[error("no such stream: `{arn}` is not at {server}")]
    Stream { arn: String, server: String },
}

impl Api {
    /// Returns the reason why a table has no stream.
    pub(crate) fn why_no_stream(&self, table: &str) -> Absent {
        match self.call(Service::DynamoDb, "DescribeTable", &json!({ "TableName": table })) {
            Ok(_) => Absent::StreamOfTable { table: table.to_owned(), options: self.cli_options() },
            Err(failure) if failure.code() == Some("ResourceNotFoundException") => self.no_such_table(table),
            Err(_) => Absent::Unknown { table: table.to_owned() },
        }
    }

    /// Returns the error for a missing table, with the name of a table that is similar.
    pub(crate) fn no_such_table(&self, table: &str) -> Absent {
        // A command that waits for a table asks again and again.
        let similar = self.known_similar(table, || {
            let names = self.table_names().unwrap_or_default();
            most_similar(table, names.iter().map(String::as_str)).map(str::to_owned)
        });
        Absent::Table { table: table.to_owned(), server: self.server(Service::DynamoDb), similar }
    }

    /// Returns the error for a missing stream.
    pub(crate) fn no_such_stream(&self, arn: &str) -> Absent {
        Absent::Stream { arn: arn.to_owned(), server: self.server(Service::Streams) }
    }

    fn server(&self, service: Service) -> String {
        format!("{} in {}", self.endpoint(service), self.region())
    }

    /// Returns the options with which the AWS CLI calls the same server.
    fn cli_options(&self) -> String {
        let endpoint = self.endpoint(Service::DynamoDb);
        let region = self.region();
        if endpoint.is_aws() { format!(" --region {region}") } else { format!(" --endpoint-url {endpoint}") }
    }

    /// Returns the names of tables, up to the page limit.
    fn table_names(&self) -> Result<Vec<String>, ApiFailure> {
        let (mut names, mut input) = (Vec::new(), json!({}));
        for _ in 0..MAX_PAGES {
            let answer = self.call(Service::DynamoDb, "ListTables", &input)?;
            let page = answer["TableNames"].as_array().into_iter().flatten();
            names.extend(page.filter_map(Value::as_str).map(str::to_owned));
            let Some(last) = answer["LastEvaluatedTableName"].as_str() else { break };
            input["ExclusiveStartTableName"] = last.into();
        }
        Ok(names)
    }
}

/// Returns the most similar name, if it is similar enough that the user may have meant it. Ignores upper and lower
/// case.
fn most_similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    // Any short name is only a few letters away from another short name.
    let most = MAX_TYPOS.min(name.chars().count() / 3);
    names
        .filter(|other| other.len().abs_diff(name.len()) <= 2 * MAX_TYPOS)
        .map(|other| (strsim::osa_distance(&name, &other.to_lowercase()), other))
        .filter(|(typos, _)| *typos <= most)
        .min_by_key(|(typos, _)| *typos)
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_few_typos_is_meant() {
        for (name, meant) in [
            ("orders", Some("Orders")),
            ("odrers", Some("Orders")),
            ("order", Some("Orders")),
            ("customes", Some("Customers")),
            ("carts", None),
            ("x", None),
            ("ab", None),
            ("", None),
        ] {
            assert_eq!(most_similar(name, ["Orders", "Customers", "a"].into_iter()), meant, "{name}");
        }
    }
}
