//! The event a function gets, exactly as Lambda writes it.
//!
//! This is the only place that knows the form: the order of the members, `userIdentity` in lower case, the time as a number
//! of seconds, values as the stream has them (binary as base64).

use pdb_model::write_json_string;
use pretender::model::EncodedItem;
use pretender::streams::source::SourceRecord;
use pretender::streams::{StreamLabel, StreamRecord};
use pretender::time::EpochMillis;
use serde_json::Value;

/// One record of a stream in the form in which Lambda delivers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    pub(crate) json: String,
    pub(crate) sequence_number: String,
    pub(crate) created: EpochMillis,
    /// The item's key as canonical JSON.
    pub(crate) key: String,
}

/// A stream record that a trigger can deliver.
pub trait ToEventRecord: SourceRecord {
    /// Returns the record, which is one of the stream with this ARN, as Lambda delivers it.
    fn event_record(&self, stream_arn: &str) -> EventRecord;
}

impl ToEventRecord for StreamRecord {
    fn event_record(&self, stream_arn: &str) -> EventRecord {
        EventRecord::new(self, stream_arn)
    }
}

impl EventRecord {
    /// Encodes a record of the stream with this ARN, which gives the record its region.
    #[must_use]
    pub fn new(record: &StreamRecord, stream_arn: &str) -> Self {
        let sequence_number = record.sequence_number.to_string();
        let identity = record.user_identity.as_ref();
        let json = Members {
            event_id: &record.event_id.to_string(),
            event_name: record.event_name.as_str(),
            event_version: "1.1",
            region: stream_arn.split(':').nth(3).unwrap_or_default(),
            created_seconds: record.created.seconds(),
            keys: record.keys.json(),
            new_image: record.new_image.as_ref().map(EncodedItem::json),
            old_image: record.old_image.as_ref().map(EncodedItem::json),
            sequence_number: &sequence_number,
            size_bytes: &record.size_bytes.to_string(),
            view_type: record.view_type.as_str(),
            identity: identity.map(|i| (i.principal_id.as_str(), i.identity_type.as_str())),
            stream_arn,
        }
        .encode();
        Self { json, sequence_number, created: record.created, key: record.keys.json().to_owned() }
    }

    /// Encodes a record as `GetRecords` answers it, an object of the API's JSON, of the stream with this ARN.
    ///
    /// What the object does not have is empty in the event, images excepted, which are absent then.
    #[must_use]
    pub fn from_api(record: &Value, stream_arn: &str) -> Self {
        let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
        let change = &record["dynamodb"];
        let image = |name: &str| change.get(name).filter(|image| image.is_object()).map(Value::to_string);
        let (new_image, old_image) = (image("NewImage"), image("OldImage"));
        let key = image("Keys").unwrap_or_else(|| "{}".to_owned());
        let identity = record.get("userIdentity").filter(|identity| identity.is_object());
        let identity = identity.map(|identity| (text(&identity["PrincipalId"]), text(&identity["Type"])));
        // Servers write the time as a whole number, as a fraction, or with an exponent.
        let created_seconds =
            change["ApproximateCreationDateTime"].as_f64().unwrap_or_default().floor() as i64;
        let sequence_number = text(&change["SequenceNumber"]);
        let json = Members {
            event_id: &text(&record["eventID"]),
            event_name: &text(&record["eventName"]),
            event_version: record["eventVersion"].as_str().unwrap_or("1.1"),
            region: &text(&record["awsRegion"]),
            created_seconds,
            keys: &key,
            new_image: new_image.as_deref(),
            old_image: old_image.as_deref(),
            sequence_number: &sequence_number,
            size_bytes: &change["SizeBytes"].as_u64().unwrap_or_default().to_string(),
            view_type: &text(&change["StreamViewType"]),
            identity: identity.as_ref().map(|(principal, kind)| (principal.as_str(), kind.as_str())),
            stream_arn,
        }
        .encode();
        Self { json, sequence_number, created: EpochMillis(created_seconds.saturating_mul(1000)), key }
    }

    /// Returns the record's JSON, one element of `Records`.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the sequence number, by which a function names the record in `batchItemFailures`.
    #[must_use]
    pub fn sequence_number(&self) -> &str {
        &self.sequence_number
    }

    /// Returns when the change was made; whole seconds if it comes from an endpoint.
    #[must_use]
    pub fn created(&self) -> EpochMillis {
        self.created
    }
}

/// The parts of a record, in the order of the event.
struct Members<'a> {
    event_id: &'a str,
    event_name: &'a str,
    event_version: &'a str,
    region: &'a str,
    created_seconds: i64,
    keys: &'a str,
    new_image: Option<&'a str>,
    old_image: Option<&'a str>,
    sequence_number: &'a str,
    size_bytes: &'a str,
    view_type: &'a str,
    identity: Option<(&'a str, &'a str)>,
    stream_arn: &'a str,
}

impl Members<'_> {
    fn encode(&self) -> String {
        let images = self.new_image.map_or(0, str::len) + self.old_image.map_or(0, str::len);
        let mut json = String::with_capacity(512 + images + self.keys.len());
        json.push_str("{\"eventID\":");
        write_json_string(&mut json, self.event_id);
        json.push_str(",\"eventName\":");
        write_json_string(&mut json, self.event_name);
        json.push_str(",\"eventVersion\":");
        write_json_string(&mut json, self.event_version);
        json.push_str(",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":");
        write_json_string(&mut json, self.region);
        json.push_str(",\"dynamodb\":{\"ApproximateCreationDateTime\":");
        json.push_str(&self.created_seconds.to_string());
        json.push_str(",\"Keys\":");
        json.push_str(self.keys);
        for (name, image) in [(",\"NewImage\":", self.new_image), (",\"OldImage\":", self.old_image)] {
            if let Some(image) = image {
                json.push_str(name);
                json.push_str(image);
            }
        }
        json.push_str(",\"SequenceNumber\":");
        write_json_string(&mut json, self.sequence_number);
        json.push_str(",\"SizeBytes\":");
        json.push_str(self.size_bytes);
        json.push_str(",\"StreamViewType\":");
        write_json_string(&mut json, self.view_type);
        json.push('}');
        if let Some((principal_id, kind)) = self.identity {
            json.push_str(",\"userIdentity\":{\"principalId\":");
            write_json_string(&mut json, principal_id);
            json.push_str(",\"type\":");
            write_json_string(&mut json, kind);
            json.push('}');
        }
        json.push_str(",\"eventSourceARN\":");
        write_json_string(&mut json, self.stream_arn);
        json.push('}');
        json
    }
}

/// Returns the event of a batch: `{"Records":[...]}`.
///
/// # Examples
///
/// A handler under test gets its event from a stream in this process:
///
/// ```
/// use pdb_trigger::{EventRecord, lambda_event};
/// use pretender::streams::StreamRecord;
///
/// fn event(records: &[StreamRecord], stream_arn: &str) -> String {
///     lambda_event(&records.iter().map(|record| EventRecord::new(record, stream_arn)).collect::<Vec<_>>())
/// }
/// assert_eq!(event(&[], "arn"), r#"{"Records":[]}"#);
/// ```
#[must_use]
pub fn lambda_event(records: &[EventRecord]) -> String {
    let mut event = String::new();
    write_records(&mut event, records.iter());
    event.push('}');
    event
}

/// What an event says besides its records when it belongs to a tumbling window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowMembers<'a> {
    pub(crate) start: EpochMillis,
    pub(crate) end: EpochMillis,
    /// JSON.
    pub(crate) state: &'a str,
    pub(crate) shard_id: &'a str,
    pub(crate) stream_arn: &'a str,
    pub(crate) is_final: bool,
    pub(crate) is_early: bool,
}

/// Returns the event of a batch, which may be one of a window.
pub(crate) fn event<'r>(
    records: impl Iterator<Item = &'r EventRecord>,
    window: Option<WindowMembers<'_>>,
) -> String {
    let mut event = String::new();
    write_records(&mut event, records);
    if let Some(window) = window {
        event.push_str(",\"window\":{\"start\":");
        write_json_string(&mut event, &show_second(window.start));
        event.push_str(",\"end\":");
        write_json_string(&mut event, &show_second(window.end));
        event.push_str("},\"state\":");
        event.push_str(window.state);
        event.push_str(",\"shardId\":");
        write_json_string(&mut event, window.shard_id);
        event.push_str(",\"eventSourceARN\":");
        write_json_string(&mut event, window.stream_arn);
        event.push_str(if window.is_final {
            ",\"isFinalInvokeForWindow\":true"
        } else {
            ",\"isFinalInvokeForWindow\":false"
        });
        event.push_str(if window.is_early {
            ",\"isWindowTerminatedEarly\":true"
        } else {
            ",\"isWindowTerminatedEarly\":false"
        });
    }
    event.push('}');
    event
}

fn write_records<'r>(event: &mut String, records: impl Iterator<Item = &'r EventRecord>) {
    event.push_str("{\"Records\":[");
    for (n, record) in records.enumerate() {
        if n > 0 {
            event.push(',');
        }
        event.push_str(&record.json);
    }
    event.push(']');
}

/// Returns a time as ISO 8601 of UTC with seconds: `2026-03-01T09:15:42Z`.
pub(crate) fn show_second(moment: EpochMillis) -> String {
    let label = StreamLabel::at(moment).to_string();
    format!("{}Z", label.split('.').next().unwrap_or_default())
}

/// Returns a time as ISO 8601 of UTC with milliseconds: `2026-03-01T09:15:42.017Z`.
pub(crate) fn show_milli(moment: EpochMillis) -> String {
    format!("{}Z", StreamLabel::at(moment))
}
