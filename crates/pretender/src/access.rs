//! What a caller may do: limits for the callers of a front end, checked once for each typed call.
//!
//! This is not IAM: a caller may read only, or use only tables whose names begin in a certain way, or both.
//! [`Pretender::for_caller`](crate::Pretender::for_caller) is a handle with such limits. A call beyond them fails with AWS's `AccessDeniedException` and has no effect.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use pretender::access::Access;
//! use pretender::prelude::*;
//!
//! let db = Pretender::in_memory()?;
//! let reports = db.for_caller(&Arc::new(Access::new("reports").read_only()));
//! let input = CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None);
//! let error = reports.create_table(input).unwrap_err();
//! assert_eq!(error.code, ErrorCode::AccessDeniedException);
//! assert!(error.message.starts_with(
//!     "User: arn:aws:iam::000000000000:user/reports is not authorized to perform: dynamodb:CreateTable on resource: \
//!      arn:aws:dynamodb:us-east-1:000000000000:table/Orders because"
//! ));
//! assert!(reports.list_tables(&ListTablesInput::default()).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod caller;
mod needs;
mod rules;

use std::fmt;

use pdb_model::{Account, ApiError, ErrorCode, IndexName, Operation, TableName};

pub(crate) use needs::NeedsPermissions;
use rules::{Rule, rule};

/// The limits of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    user: String,
    is_read_only: bool,
    /// Empty if all tables may be used.
    table_prefixes: Vec<String>,
}

impl Access {
    /// Returns the access of a user, without limits. The name is for messages.
    #[must_use]
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), is_read_only: false, table_prefixes: Vec::new() }
    }

    /// Lets the caller only read.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { is_read_only: true, ..self }
    }

    /// Lets the caller use only tables whose names begin with one of these prefixes. Then it may list nothing that is not of one table.
    #[must_use]
    pub fn tables_with_prefixes(self, prefixes: impl IntoIterator<Item = String>) -> Self {
        Self { table_prefixes: prefixes.into_iter().collect(), ..self }
    }

    /// Returns whether there is any limit.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.is_read_only || !self.table_prefixes.is_empty()
    }

    fn allows(&self, permission: &Permission) -> bool {
        if self.is_read_only && permission.effect == Effect::Write {
            return false;
        }
        match permission.resource.table() {
            _ if self.table_prefixes.is_empty() => true,
            Some(table) => self.table_prefixes.iter().any(|prefix| table.as_str().starts_with(prefix)),
            None => permission.effect == Effect::ReadAccount,
        }
    }

    /// Checks a call.
    fn check(
        &self,
        account: &Account,
        operation: Operation,
        input: &(impl NeedsPermissions + ?Sized),
    ) -> Result<(), ApiError> {
        let needed = needed(operation, input);
        match needed.iter().find(|permission| !self.allows(permission)) {
            None => Ok(()),
            Some(Permission { action, resource, .. }) => {
                let (user, resource) = (account.user_arn(&self.user), resource.arn(account));
                let text = format!(
                    "User: {user} is not authorized to perform: dynamodb:{action} on resource: {resource} because no \
                     identity-based policy allows the dynamodb:{action} action"
                );
                Err(ApiError::new(ErrorCode::AccessDeniedException, text))
            }
        }
    }
}

/// What a permission lets a caller do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
    /// Read what has nothing to do with any table.
    ReadAccount,
}

/// A permission that a call needs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Permission {
    /// The name of the action in IAM, without its service.
    action: &'static str,
    effect: Effect,
    resource: Resource,
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Table(TableName),
    Index(TableName, String),
    /// All streams of a table.
    Streams(TableName),
    /// A stream, backup or index of a table, by its ARN.
    Arn(TableName, String),
    /// All resources of the account, or a text that is not the ARN of one.
    Any,
}

impl Resource {
    /// Returns a table, or one of its indexes.
    fn table_or_index(table: &TableName, index: Option<&IndexName>) -> Self {
        match index {
            Some(index) => Self::Index(table.clone(), index.to_string()),
            None => Self::Table(table.clone()),
        }
    }

    fn table(&self) -> Option<&TableName> {
        match self {
            Self::Table(table) | Self::Index(table, _) | Self::Streams(table) | Self::Arn(table, _) => {
                Some(table)
            }
            Self::Any => None,
        }
    }

    fn arn(&self, account: &Account) -> impl fmt::Display {
        match self {
            Self::Table(table) => account.table_arn(table).to_string(),
            Self::Index(table, index) => format!("{}/index/{index}", account.table_arn(table)),
            Self::Streams(table) => format!("{}/stream/*", account.table_arn(table)),
            Self::Arn(_, arn) => arn.clone(),
            Self::Any => "*".to_owned(),
        }
    }
}

/// Returns the permissions that a call needs.
fn needed(operation: Operation, input: &(impl NeedsPermissions + ?Sized)) -> Vec<Permission> {
    let effect = match rule(operation) {
        Rule::EachPart => {
            let parts = input.parts().into_iter();
            let permission = |(action, effect, resource)| Permission { action, effect, resource };
            return parts.map(permission).collect();
        }
        Rule::Own(effect) => effect,
    };
    let mut resources = Vec::new();
    input.add_resources(&mut resources);
    if resources.is_empty() {
        resources.push(Resource::Any);
    }
    let action = operation.name();
    resources.into_iter().map(|resource| Permission { action, effect, resource }).collect()
}

#[cfg(test)]
mod tests;
