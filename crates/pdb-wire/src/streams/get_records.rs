//! `GetRecords`.

use pdb_model::{ApiError, StreamViewType};
use pretender::errors::StoreError;
use pretender::streams::RecordRef;

use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Texts;

/// The most records of a page, and about the most bytes of its text.
const MOST_RECORDS: u32 = 1_000;
const PAGE_BYTES: usize = 3 << 19;

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

    let limit = input.limit.map(i32::unsigned_abs);
    let mut json = JsonWriter::with_capacity(1024);
    json.begin_object();
    json.name("Records").begin_list();
    let mut seen = 0;
    let next = wire.pretender.get_records_with(
        &input.shard_iterator.unwrap_or_default(),
        limit,
        &mut |page, record| {
            // Records of a stream resemble each other: where one follows another, room is made for a page of such.
            if seen == 1 {
                json.reserve(
                    json.len().saturating_mul(limit.unwrap_or(MOST_RECORDS) as usize).min(PAGE_BYTES),
                );
            }
            seen += 1;
            write_record(&mut json, &page.region, page.view_type, record)
        },
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
        // What is the same in all records is written in as few pieces as can be: a page has hundreds of them.
        json.verbatim(r#""eventID":""#);
        json.formatted(record.event_id);
        json.verbatim(r#"","eventName":""#);
        json.verbatim(record.event_name.as_str());
        json.verbatim(r#"","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"#);
        json.text(region);
        json.verbatim(r#","dynamodb":{"ApproximateCreationDateTime":"#);
        json.integer(record.created.seconds());
        json.verbatim(r#","Keys":"#);
        json.verbatim(record.keys);
        if let Some(image) = record.new_image {
            json.verbatim(r#","NewImage":"#);
            json.verbatim(image);
        }
        if let Some(image) = record.old_image {
            json.verbatim(r#","OldImage":"#);
            json.verbatim(image);
        }
        json.verbatim(r#","SequenceNumber":""#);
        json.formatted(record.sequence_number);
        json.verbatim(r#"","SizeBytes":"#);
        json.integer(record.size_bytes);
        json.verbatim(r#","StreamViewType":""#);
        json.verbatim(view_type.as_str());
        json.verbatim(r#""}"#);
        if let Some(identity) = &identity {
            json.name("userIdentity").object(|json| {
                json.name("PrincipalId").text(&identity.principal_id);
                json.name("Type").text(&identity.identity_type);
            });
        }
    });
    Ok(())
}
