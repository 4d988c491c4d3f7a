//! `PutResourcePolicy`, `GetResourcePolicy`, `DeleteResourcePolicy`.

use pdb_model::ApiError;

use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_body};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What PutResourcePolicy takes.
        pub(crate) struct PutResourcePolicyInput<'a> {
            resource_arn: Text<'a> = "ResourceArn",
            policy: Text<'a> = "Policy",
            expected_revision_id: Text<'a> = "ExpectedRevisionId",
        }

        /// What GetResourcePolicy takes.
        pub(crate) struct GetResourcePolicyInput<'a> {
            resource_arn: Text<'a> = "ResourceArn",
        }

        /// What DeleteResourcePolicy takes.
        pub(crate) struct DeleteResourcePolicyInput<'a> {
            resource_arn: Text<'a> = "ResourceArn",
            expected_revision_id: Text<'a> = "ExpectedRevisionId",
        }
    }
}

/// Runs `PutResourcePolicy`.
pub(crate) fn put_resource_policy(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::PutResourcePolicyInput<'_> = decode_body(body)?;
    let mut check = resource(given.resource_arn.as_ref());
    check.required(&at("Policy"), given.policy.as_ref());
    revision(&mut check, given.expected_revision_id.as_ref());
    check.finish()?;
    let revision_id = wire.pretender.put_resource_policy(
        &given.resource_arn.unwrap_or_default(),
        &given.policy.unwrap_or_default(),
        given.expected_revision_id.as_deref(),
    )?;
    Ok(JsonWriter::object_of(|json| json.name("RevisionId").text(&revision_id)))
}

/// Runs `GetResourcePolicy`.
pub(crate) fn get_resource_policy(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::GetResourcePolicyInput<'_> = decode_body(body)?;
    resource(given.resource_arn.as_ref()).finish()?;
    let policy = wire.pretender.get_resource_policy(&given.resource_arn.unwrap_or_default())?;
    Ok(JsonWriter::object_of(|json| {
        json.name("Policy").text(&policy.text);
        json.name("RevisionId").text(&policy.revision_id);
    }))
}

/// Runs `DeleteResourcePolicy`.
pub(crate) fn delete_resource_policy(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DeleteResourcePolicyInput<'_> = decode_body(body)?;
    let mut check = resource(given.resource_arn.as_ref());
    revision(&mut check, given.expected_revision_id.as_ref());
    check.finish()?;
    let revision_id = wire.pretender.delete_resource_policy(
        &given.resource_arn.unwrap_or_default(),
        given.expected_revision_id.as_deref(),
    )?;
    Ok(JsonWriter::object_of(|json| {
        if let Some(revision_id) = &revision_id {
            json.name("RevisionId").text(revision_id);
        }
    }))
}

fn resource(arn: Option<&Text<'_>>) -> Constraints {
    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("ResourceArn"), arn);
    check.text_length(&at("ResourceArn"), arn, 1..=1283);
    check
}

fn revision(check: &mut Constraints, revision_id: Option<&Text<'_>>) {
    check.text_length(&at("ExpectedRevisionId"), revision_id, 1..=255);
}
