//! Resource policies: kept and returned, not enforced.
//!
//! Evidence: `dynamodb.md` 16, `validation.md` 4.3.

use pdb_model::{EpochMillis, ResourcePolicy, TableDefinition, TableName};
use pdb_store::ReadTx;
use serde_json::Value;

use super::manager::{TableManager, find_table};
use super::resource::Resource;
use super::rules::{invalid, table_not_found};
use crate::ItemsError;

const MAX_POLICY_BYTES: usize = 20_480;
/// As expected revision: the policy must not exist.
const NO_POLICY: &str = "NO_POLICY";

impl TableManager {
    /// Sets the policy of a table or stream; returns its revision, which stays if the policy means the same as before.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::PolicyNotFound`] if the revision
    /// is not the expected one.
    pub fn put_resource_policy(
        &self,
        resource_arn: &str,
        policy: &str,
        expected_revision_id: Option<&str>,
    ) -> Result<String, ItemsError> {
        let resource = self.resource(resource_arn, "PutResourcePolicy")?;
        check_policy(policy)?;
        let (arn, policy) = (resource_arn.to_owned(), policy.to_owned());
        let expected = expected_revision_id.map(str::to_owned);
        self.change_policies(resource, move |manager, definition| {
            let known = definition.resource_policies.get(&arn);
            check_revision(expected.as_deref(), known, &definition.name)?;
            if let Some(known) = known.filter(|known| mean_the_same(&known.text, &policy)) {
                return Ok(known.revision_id.clone());
            }
            let revision_id = next_revision(known, manager.env.clock.now());
            let policy = ResourcePolicy { text: policy.clone(), revision_id: revision_id.clone() };
            definition.resource_policies.insert(arn.clone(), policy);
            Ok(revision_id)
        })
    }

    /// Returns the policy of a table or stream.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::PolicyNotFound`].
    pub fn get_resource_policy(&self, resource_arn: &str) -> Result<ResourcePolicy, ItemsError> {
        let resource = self.resource(resource_arn, "GetResourcePolicy")?;
        self.read(|tx| {
            check_exists(tx, &resource)?;
            let table = find_table(tx, resource.table_name())?;
            let policy =
                table.and_then(|table| table.definition.resource_policies.get(resource_arn).cloned());
            policy.ok_or_else(|| no_policy(resource_arn))
        })
    }

    /// Removes the policy of a table or stream; returns the revision it had. Without a policy it does nothing.
    ///
    /// # Errors
    ///
    /// As [`put_resource_policy`](Self::put_resource_policy).
    pub fn delete_resource_policy(
        &self,
        resource_arn: &str,
        expected_revision_id: Option<&str>,
    ) -> Result<Option<String>, ItemsError> {
        let resource = self.resource(resource_arn, "DeleteResourcePolicy")?;
        let arn = resource_arn.to_owned();
        let expected = expected_revision_id.map(str::to_owned);
        self.change_policies(resource, move |_, definition| {
            check_revision(expected.as_deref(), definition.resource_policies.get(&arn), &definition.name)?;
            Ok(definition.resource_policies.remove(&arn).map(|policy| policy.revision_id))
        })
    }

    fn change_policies<T: Send + 'static>(
        &self,
        resource: Resource,
        change: impl Fn(&Self, &mut TableDefinition) -> Result<T, ItemsError> + Send + 'static,
    ) -> Result<T, ItemsError> {
        let table_name = resource.table_name().clone();
        self.change(&table_name, move |manager, tx, definition| {
            check_exists(tx, &resource)?;
            change(manager, definition)
        })
    }
}

/// Returns the policy a table is created with.
pub(crate) fn first_policy(policy: &str, now: EpochMillis) -> Result<ResourcePolicy, ItemsError> {
    check_policy(policy)?;
    Ok(ResourcePolicy { text: policy.to_owned(), revision_id: next_revision(None, now) })
}

fn check_policy(policy: &str) -> Result<(), ItemsError> {
    if policy.len() > MAX_POLICY_BYTES {
        return Err(invalid(format!("Maximum policy size of {MAX_POLICY_BYTES} bytes exceeded")));
    }
    match serde_json::from_str::<Value>(policy) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(_) | Err(_) => Err(invalid("Invalid policy document: This policy contains invalid Json")),
    }
}

/// Compares policies as AWS does: layout and order of members do not count, and neither does whether one value stands
/// in a list, or an account is named by its number or by the ARN of its root.
fn mean_the_same(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str(text).ok().map(|policy| canonical("", policy));
    one == other || matches!((parse(one), parse(other)), (Some(one), Some(other)) if one == other)
}

/// The form in which policies are compared; `member` is where the value stands.
fn canonical(member: &str, value: Value) -> Value {
    match value {
        Value::Array(mut values) if values.len() == 1 => canonical(member, values.remove(0)),
        Value::Array(values) => {
            Value::Array(values.into_iter().map(|value| canonical(member, value)).collect())
        }
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = canonical(&name, value);
                    (name, value)
                })
                .collect(),
        ),
        Value::String(account)
            if member == "AWS"
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Value::String(format!("arn:aws:iam::{account}:root"))
        }
        other => other,
    }
}

/// Checks that the policy has the revision that the request expects, or that it does not exist if the request expects that.
fn check_revision(
    expected: Option<&str>,
    known: Option<&ResourcePolicy>,
    table: &TableName,
) -> Result<(), ItemsError> {
    let known = known.map(|policy| policy.revision_id.as_str());
    match (expected, known) {
        (None, _) | (Some(NO_POLICY), None) => Ok(()),
        (Some(expected), Some(known)) if expected == known => Ok(()),
        (Some(expected), None) => Err(no_policy(&format!(
            "Requested update for policy with revision id {expected}, but table {table} has no associated policy."
        ))),
        (Some(NO_POLICY), Some(known)) => Err(no_policy(&format!(
            "Requested policy update expecting none to be present for table {table}, but a policy exists with revision \
             id {known}."
        ))),
        (Some(expected), Some(known)) => Err(no_policy(&format!(
            "Requested update for policy with revision id {expected}, but the policy associated to target table {table} \
             has revision id {known}."
        ))),
    }
}

/// Epoch milliseconds, as AWS's, but never the same twice in a row.
fn next_revision(known: Option<&ResourcePolicy>, now: EpochMillis) -> String {
    let last = known.and_then(|policy| policy.revision_id.parse::<i64>().ok()).unwrap_or(i64::MIN);
    now.0.max(last.saturating_add(1)).to_string()
}

fn check_exists(tx: &mut ReadTx<'_>, resource: &Resource) -> Result<(), ItemsError> {
    let exists = match resource {
        Resource::Table(name) => find_table(tx, name)?.is_some(),
        Resource::Stream(arn) => tx.stream(arn)?.is_some(),
    };
    if exists { Ok(()) } else { Err(table_not_found(resource.table_name())) }
}

/// The refusal for a policy that is not there, or not the expected one; `what` is the ARN, or what AWS says of revisions.
fn no_policy(what: &str) -> ItemsError {
    ItemsError::PolicyNotFound(format!(
        "Resource-based policy not found for the provided ResourceArn: {what}"
    ))
}
