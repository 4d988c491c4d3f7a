//! Which table a request means: by name or by ARN.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_model::{ApiError, ErrorCode, IndexName, TableName};

use crate::Wire;

/// Reads a `TableName` that has passed the constraints. Given an `only_region`, an ARN has to be of it.
///
/// # Errors
///
/// `ValidationException` for a malformed ARN; `ResourceNotFoundException` for a name that no table can have and for an ARN of another region,
/// which must therefore be the last of the stateless checks.
pub(crate) fn table_name(given: &str, only_region: Option<&str>) -> Result<TableName, ApiError> {
    let name = if given.starts_with("arn:") { name_of_arn(given)? } else { given };
    if is_elsewhere(given, only_region) {
        return Err(not_found());
    }
    TableName::new(name).map_err(|_| not_found())
}

/// Whether this is the ARN of another region than the only one.
pub(crate) fn is_elsewhere(given: &str, only_region: Option<&str>) -> bool {
    let region = || given.strip_prefix("arn:")?.split(':').nth(2);
    only_region.is_some_and(|only| region().is_some_and(|region| region != only))
}

/// The refusal of a table that is not there.
pub(crate) fn not_found() -> ApiError {
    ApiError::new(ErrorCode::ResourceNotFoundException, "Requested resource not found")
}

/// Reads an `IndexName` that has passed the constraints.
///
/// # Errors
///
/// `ValidationException` for a name that no index can have.
pub(crate) fn index_name(given: Option<&str>) -> Result<Option<IndexName>, ApiError> {
    let missing =
        |given: &str| ApiError::validation(format!("The table does not have the specified index: {given}"));
    given.map(|given| IndexName::new(given).map_err(|_| missing(given))).transpose()
}

/// The tables of a request as it names them: answers repeat an ARN where the request had one.
#[derive(Debug)]
pub(crate) struct ShownTables {
    given: BTreeMap<TableName, String>,
    only_region: Option<Arc<str>>,
}

impl ShownTables {
    /// Begins with no tables.
    pub(crate) fn new(wire: &Wire) -> Self {
        Self { given: BTreeMap::new(), only_region: wire.only_region.clone() }
    }

    /// Reads a table's name and remembers how it was given.
    ///
    /// # Errors
    ///
    /// As [`table_name`].
    pub(crate) fn table_name(&mut self, given: &str) -> Result<TableName, ApiError> {
        let name = table_name(given, self.only_region.as_deref())?;
        if name.as_str() != given {
            self.given.insert(name.clone(), given.to_owned());
        }
        Ok(name)
    }

    /// Shows the table by its name from now on, because the request named it both by name and by ARN.
    pub(crate) fn show_name_of(&mut self, name: &TableName) {
        self.given.remove(name);
    }

    /// How the request names the table.
    pub(crate) fn shown<'s>(&'s self, name: &'s TableName) -> &'s str {
        self.given.get(name).map_or(name.as_str(), String::as_str)
    }
}

/// Checks the form of an ARN, so that a malformed one is reported before the attribute values.
///
/// # Errors
///
/// `ValidationException` for a malformed ARN.
pub(crate) fn check_arn(given: Option<&str>) -> Result<(), ApiError> {
    match given {
        Some(given) if given.starts_with("arn:") => name_of_arn(given).map(|_| ()),
        _ => Ok(()),
    }
}

/// The name in `arn:aws:dynamodb:<region>:<account>:table/<name>`. The account is not compared, and the
/// region by [`table_name`], where there is more than one namespace.
fn name_of_arn(arn: &str) -> Result<&str, ApiError> {
    let refused =
        |why: &str| Err(ApiError::validation(format!("1 validation error detected: {why} in '{arn}'")));
    let mut parts = arn.splitn(6, ':').skip(1);
    let (Some(partition), Some("dynamodb"), Some(region), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Valid ARN format is arn:aws:dynamodb:region:account-id:table/table-name. Given: '{arn}'"
        )));
    };
    if !matches!(partition, "aws" | "aws-cn" | "aws-us-gov") {
        return refused("Invalid AWS partition");
    }
    let is_region =
        region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if region.is_empty() || !is_region {
        return refused("Invalid AWS region");
    }
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return refused("Invalid AWS account ID");
    }
    match resource.strip_prefix("table/") {
        Some(name) if !name.contains('/') => Ok(name),
        _ => refused("Invalid resource type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_name_tables() {
        for given in [
            "Orders",
            "arn:aws:dynamodb:us-east-1:000000000000:table/Orders",
            "arn:aws:dynamodb:ddblocal:123456789012:table/Orders",
        ] {
            assert_eq!(table_name(given, None).unwrap().as_str(), "Orders");
        }
    }

    #[test]
    fn malformed_arns_are_refused() {
        for (arn, text) in [
            (
                "arn:aws:dynamodb:US_EAST:000000000000:table/Orders",
                "1 validation error detected: Invalid AWS region in 'arn:aws:dynamodb:US_EAST:000000000000:table/Orders'",
            ),
            (
                "arn:xws:dynamodb:us-east-1:000000000000:table/Orders",
                "1 validation error detected: Invalid AWS partition in 'arn:xws:dynamodb:us-east-1:000000000000:table/Orders'",
            ),
            (
                "arn:aws:dynamodb:us-east-1:000000000000:tabel/Orders",
                "1 validation error detected: Invalid resource type in 'arn:aws:dynamodb:us-east-1:000000000000:tabel/Orders'",
            ),
        ] {
            assert_eq!(table_name(arn, None).unwrap_err().message, text);
            assert_eq!(check_arn(Some(arn)).unwrap_err().message, text);
        }
        for arn in [
            "arn:",
            "arn:aws:s3:us-east-1:000000000000:table/Orders",
            "arn:aws:dynamodb:us-east-1:000000000000",
        ] {
            assert!(
                table_name(arn, None)
                    .unwrap_err()
                    .message
                    .starts_with("1 validation error detected: Valid ARN format is ")
            );
        }
        assert!(check_arn(Some("Orders")).is_ok() && check_arn(None).is_ok());
    }

    #[test]
    fn a_name_that_no_table_can_have_is_not_found() {
        assert_eq!(table_name("ab", None).unwrap_err(), not_found());
    }

    #[test]
    fn a_table_of_another_region_is_not_found_where_regions_are_apart() {
        for (given, found) in [
            ("Orders", true),
            ("arn:aws:dynamodb:us-east-1:000000000000:table/Orders", true),
            ("arn:aws:dynamodb:us-east-1:123456789012:table/Orders", true),
            ("arn:aws:dynamodb:us-west-2:000000000000:table/Orders", false),
            ("arn:aws:dynamodb:us-east-11:000000000000:table/Orders", false),
        ] {
            let expected = if found { Ok("Orders".parse().unwrap()) } else { Err(not_found()) };
            assert_eq!(table_name(given, Some("us-east-1")), expected, "{given}");
        }
        // What is malformed is said to be so, of any region.
        let malformed = "arn:aws:dynamodb:us-west-2:000000000000:tabel/Orders";
        assert_eq!(
            table_name(malformed, Some("us-east-1")).unwrap_err().code,
            ErrorCode::ValidationException
        );
    }
}
