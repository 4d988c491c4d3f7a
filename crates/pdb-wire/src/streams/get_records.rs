//! `GetRecords`.

use pdb_model::{ApiError, StreamViewType};
use pretender::{RecordRef, StoreError};

use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::*;

    shape! {
        /// What GetRecords takes.
        pub(crate) struct GetRecordsInput<'a> {
            shard_iterator: Text<'a> = "ShardIterator",
            limit: i32 = "Limit",
        }
    }
}

/// Runs `GetRecords`. The stored text of keys and images goes into the answer as it is.
pub(crate) fn get_records(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let input: shapes::GetRecordsInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("ShardIterator"), input.shard_iterator.as_ref());
    check.text_length(&at("ShardIterator"), input.shard_iterator.as_ref(), 1..=2048);
    check.range(&at("Limit"), input.limit, 1..=i32::MAX);
    check.finish()?;

    let mut json = JsonWriter::with_capacity(1024);
    json.begin_object();
    json.name("Records").begin_list();
    let next = wire.pretender.get_records_with(
        &input.shard_iterator.unwrap_or_default(),
        input.limit.map(i32::unsigned_abs),
        &mut |page, record| write_record(&mut json, &page.region, page.view_type, record),
    )?;
    json.end_list();
    if let Some(next) = &next {
        json.name("NextShardIterator").text(next);
    }
    json.end_object();
    Ok(json.into_bytes())
}

fn write_record(
    json: &mut JsonWriter,
    region: &str,
    view_type: StreamViewType,
    record: &RecordRef<'_>,
) -> Result<(), StoreError> {
    let identity = record.user_identity()?;
    json.object(|json| {
        json.name("eventID").text(&record.event_id.to_string());
        json.name("eventName").text(record.event_name.as_str());
        json.name("eventVersion").text("1.1");
        json.name("eventSource").text("aws:dynamodb");
        json.name("awsRegion").text(region);
        json.name("dynamodb").object(|json| {
            json.name("ApproximateCreationDateTime").integer(record.created.seconds());
            json.name("Keys").raw(record.keys);
            if let Some(image) = record.new_image {
                json.name("NewImage").raw(image);
            }
            if let Some(image) = record.old_image {
                json.name("OldImage").raw(image);
            }
            json.name("SequenceNumber").text(&record.sequence_number.to_string());
            json.name("SizeBytes").integer(record.size_bytes);
            json.name("StreamViewType").text(view_type.as_str());
        });
        if let Some(identity) = &identity {
            json.name("userIdentity").object(|json| {
                json.name("PrincipalId").text(&identity.principal_id);
                json.name("Type").text(&identity.identity_type);
            });
        }
    });
    Ok(())
}
