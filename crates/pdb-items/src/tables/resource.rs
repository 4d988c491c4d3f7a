//! Resource ARNs, as tags and policies name what they belong to.
//!
//! Evidence: `validation.md` 10.16.

use pdb_model::{StreamArn, TableArn, TableName};

use super::manager::TableManager;
use super::rules::{invalid, refused};
use crate::ItemsError;

/// What a resource ARN names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Table(TableName),
    Stream(StreamArn),
}

impl Resource {
    /// The table it is, or belongs to.
    pub(crate) fn table_name(&self) -> &TableName {
        match self {
            Self::Table(name) => name,
            Self::Stream(arn) => &arn.table.name,
        }
    }
}

impl TableManager {
    /// Reads the resource ARN of a request for `operation`.
    pub(crate) fn resource(&self, arn: &str, operation: &str) -> Result<Resource, ItemsError> {
        if !arn.starts_with("arn:") {
            return Err(invalid(format!("ARNs must start with 'arn:': {arn}")));
        }
        let mut parts = arn.splitn(6, ':');
        let (service, region) = (parts.nth(2), parts.next());
        if service != Some("dynamodb") {
            return Err(invalid(format!("Provided Arn is not a DynamoDB resource arn: {arn}")));
        }
        if region != Some(self.account.region.as_str()) {
            return Err(refused(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")));
        }
        let resource = if let Ok(table) = arn.parse::<TableArn>() {
            (table.account, Resource::Table(table.name))
        } else if let Ok(stream) = arn.parse::<StreamArn>() {
            (stream.table.account.clone(), Resource::Stream(stream))
        } else {
            return Err(invalid(format!(
                "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
            )));
        };
        let (owner, resource) = resource;
        if owner != self.account.id {
            return Err(ItemsError::AccessDenied(format!(
                "User: arn:aws:iam::{}:root is not authorized to perform: dynamodb:{operation} on resource: {arn}",
                self.account.id
            )));
        }
        Ok(resource)
    }
}
