//! `TagResource`, `UntagResource`, `ListTagsOfResource`.

use pdb_model::ApiError;

use super::input;
use crate::Wire;
use crate::decode::{Text, decode_body};
use crate::json::JsonWriter;

mod shapes {
    use super::super::shapes::Tag;
    use crate::decode::{Text, shape};

    shape! {
        /// What TagResource takes.
        pub(crate) struct TagResourceInput<'a> {
            resource_arn: Text<'a> = "ResourceArn",
            tags: Vec<Tag<'a>> = "Tags",
        }

        /// What UntagResource takes.
        pub(crate) struct UntagResourceInput<'a> {
            resource_arn: Text<'a> = "ResourceArn",
            tag_keys: Vec<Text<'a>> = "TagKeys",
        }

        /// What ListTagsOfResource takes.
        pub(crate) struct ListTagsOfResourceInput<'a> {
            resource_arn: Text<'a> = "ResourceArn",
            next_token: Text<'a> = "NextToken",
        }
    }
}

/// Runs `TagResource`, whose answer is empty.
pub(crate) fn tag_resource(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::TagResourceInput<'_> = decode_body(body)?;
    let arn = given.resource_arn.unwrap_or_default();
    wire.pretender.tag_resource(&arn, input::tags(given.tags.unwrap_or_default()))?;
    Ok(Vec::new())
}

/// Runs `UntagResource`, whose answer is empty.
pub(crate) fn untag_resource(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::UntagResourceInput<'_> = decode_body(body)?;
    let arn = given.resource_arn.unwrap_or_default();
    let keys = given.tag_keys.unwrap_or_default().into_iter().map(Text::into_owned);
    wire.pretender.untag_resource(&arn, keys.collect())?;
    Ok(Vec::new())
}

/// Runs `ListTagsOfResource`.
pub(crate) fn list_tags_of_resource(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ListTagsOfResourceInput<'_> = decode_body(body)?;
    let tags = wire.pretender.list_tags_of_resource(&given.resource_arn.unwrap_or_default())?;
    Ok(JsonWriter::object_of(|json| {
        json.name("Tags").list(&tags, |json, tag| {
            json.object(|json| {
                json.name("Key").text(&tag.key);
                json.name("Value").text(tag.value.as_deref().unwrap_or_default());
            });
        });
    }))
}
