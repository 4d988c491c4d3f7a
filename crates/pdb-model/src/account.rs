//! The account that owns the tables, and ARNs.

use std::fmt;
use std::str::FromStr;

use crate::{IndexName, ParseError, StreamLabel, TableName};

/// The region and account in ARNs. They are not compared with the caller's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The account: 12 digits.
    pub id: String,
}

impl Default for Account {
    fn default() -> Self {
        Self { region: "us-east-1".to_owned(), id: "000000000000".to_owned() }
    }
}

impl Account {
    /// Returns the ARN of a table of this account.
    #[must_use]
    pub fn table_arn(&self, name: &TableName) -> TableArn {
        TableArn {
            partition: self.partition().to_owned(),
            region: self.region.clone(),
            account: self.id.clone(),
            name: name.clone(),
        }
    }

    /// Returns the ARN of a user of this account.
    #[must_use]
    pub fn user_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:user/{name}", self.partition(), self.id)
    }

    /// Returns the ARN of a stream of a table of this account.
    #[must_use]
    pub fn stream_arn(&self, name: &TableName, label: &StreamLabel) -> StreamArn {
        StreamArn { table: self.table_arn(name), label: label.clone() }
    }

    fn partition(&self) -> &'static str {
        if self.region.starts_with("cn-") {
            "aws-cn"
        } else if self.region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

/// The ARN of a table: `arn:aws:dynamodb:<region>:<account>:table/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableArn {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The region.
    pub region: String,
    /// The account: 12 digits.
    pub account: String,
    /// The table.
    pub name: TableName,
}

impl TableArn {
    /// Returns the ARN of the table to which an ARN belongs: that of the table itself, or of one of its indexes, streams or backups.
    #[must_use]
    pub fn at_start_of(arn: &str) -> Option<Self> {
        let (table, rest) = parse_table_arn(arn)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(table)
    }

    /// Returns the ARN of an index of the table.
    #[must_use]
    pub fn index_arn(&self, index: &IndexName) -> String {
        format!("{self}/index/{index}")
    }
}

impl fmt::Display for TableArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, name } = self;
        write!(f, "arn:{partition}:dynamodb:{region}:{account}:table/{name}")
    }
}

impl FromStr for TableArn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (arn, rest) = parse_table_arn(text).ok_or_else(|| ParseError::new("table ARN", text))?;
        if rest.is_empty() { Ok(arn) } else { Err(ParseError::new("table ARN", text)) }
    }
}

/// The ARN of a stream: the table's ARN, `/stream/` and the stream's label.
///
/// # Examples
///
/// ```
/// use pdb_model::StreamArn;
///
/// let text = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";
/// let arn: StreamArn = text.parse()?;
/// assert_eq!(arn.table.name.as_str(), "Orders");
/// assert_eq!(arn.to_string(), text);
/// # Ok::<(), pdb_model::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamArn {
    /// The table that has the stream.
    pub table: TableArn,
    /// Distinguishes the streams of one table.
    pub label: StreamLabel,
}

impl fmt::Display for StreamArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/stream/{}", self.table, self.label)
    }
}

impl FromStr for StreamArn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parsed = parse_table_arn(text).and_then(|(table, rest)| {
            let label = rest.strip_prefix("/stream/")?.parse().ok()?;
            Some(Self { table, label })
        });
        parsed.ok_or_else(|| ParseError::new("stream ARN", text))
    }
}

impl serde::Serialize for StreamArn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for StreamArn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Returns the table ARN at the start of `text`, and what follows the table's name.
fn parse_table_arn(text: &str) -> Option<(TableArn, &str)> {
    let mut parts = text.splitn(6, ':');
    if parts.next()? != "arn" {
        return None;
    }
    let partition = parts.next()?;
    let service = parts.next()?;
    let (region, account) = (parts.next()?, parts.next()?);
    let resource = parts.next()?.strip_prefix("table/")?;
    let (name, rest) = resource.split_at(resource.find('/').unwrap_or(resource.len()));
    let well_formed = partition.starts_with("aws")
        && service == "dynamodb"
        && !region.is_empty()
        // Nothing else that could be taken for a part of an ARN.
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit());
    let arn = TableArn {
        partition: partition.to_owned(),
        region: region.to_owned(),
        account: account.to_owned(),
        name: TableName::new(name).ok()?,
    };
    well_formed.then_some((arn, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_arns_are_refused() {
        let good = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";
        good.parse::<StreamArn>().unwrap();
        for bad in [
            "",
            "arn:aws:dynamodb:us-east-1:000000000000:table/Orders",
            "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/",
            "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/yesterday",
            "arn:aws:dynamodb:us-east-1:00000000000:table/Orders/stream/2026-03-01T09:15:42.017",
            "arn:aws:kinesis:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017",
            "arn:aws:dynamodb:us-east-1:000000000000:table/O/stream/2026-03-01T09:15:42.017",
            "xarn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017",
        ] {
            assert!(bad.parse::<StreamArn>().is_err(), "{bad}");
        }
    }
}
