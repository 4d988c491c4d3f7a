//! Stream records: to be appended, and as they are stored.

use pdb_model::{
    EncodedItem, EpochMillis, EventId, EventName, SequenceNumber, StreamLabel, StreamRecord, StreamViewType,
    UserIdentity,
};

use crate::{
    checksum::Checksum,
    error::StoreError,
    rows::{
        columns::RecordColumns,
        table::{OpenShard, OpenStream},
    },
    sequence::signed,
};

/// A record to be appended. The images are those the stream's view type asks for.
#[derive(Clone, Debug)]
pub struct NewRecord<'a> {
    /// What happened.
    pub event_name: EventName,
    /// The key of the item.
    pub keys: &'a EncodedItem,
    /// The item before the change.
    pub old_image: Option<&'a EncodedItem>,
    /// The item after the change.
    pub new_image: Option<&'a EncodedItem>,
    /// When the change was made.
    pub created: EpochMillis,
    /// Who made it, if it was the service itself.
    pub user_identity: Option<&'a UserIdentity>,
    /// The value of the partition key as plain text, for people who look with SQL.
    pub hash_key_value: &'a str,
    /// The value of the sort key, likewise.
    pub sort_key_value: Option<&'a str>,
}

impl<'a> NewRecord<'a> {
    /// The columns of the record, but for those that depend on its sequence number: these are empty.
    pub(crate) fn columns(
        &self,
        shard: u64,
        day: &'a StreamLabel,
        user_identity: Option<&'a str>,
        size_bytes: u64,
    ) -> RecordColumns<'a> {
        RecordColumns {
            sequence_number: 0,
            shard: signed(shard),
            event_id: "",
            event_type: self.event_name.as_str(),
            event_timestamp: self.created.seconds(),
            approximate_creation_time: self.created.0,
            hash_key_value: self.hash_key_value,
            sort_key_value: self.sort_key_value,
            keys_json: self.keys.json(),
            old_image_json: self.old_image.map(EncodedItem::json),
            new_image_json: self.new_image.map(EncodedItem::json),
            keys_size_bytes: signed(self.keys.size_bytes()),
            old_image_size_bytes: signed(self.old_image.map_or(0, EncodedItem::size_bytes)),
            size_bytes: signed(size_bytes),
            user_identity,
            create_date: day.as_str().get(..10).unwrap_or_default(),
            checksum: 0,
        }
    }

    /// The checksum of the record, which has no number yet.
    pub(crate) fn checksum(&self, size_bytes: u64, user_identity: Option<&str>) -> Checksum {
        let old_size = self.old_image.map_or(0, EncodedItem::size_bytes);
        Checksum::new()
            .text(self.event_name.as_str())
            .number(self.created.0.unsigned_abs())
            .item(self.keys)
            .optional_item(self.old_image)
            .optional_item(self.new_image)
            .number(self.keys.size_bytes())
            .number(old_size)
            .number(size_bytes)
            .optional_text(user_identity)
    }
}

/// A record that is to be appended to an open shard.
pub(crate) struct AppendedRecord<'r> {
    pub(crate) stream: &'r OpenStream,
    pub(crate) shard: &'r OpenShard,
    pub(crate) record: &'r NewRecord<'r>,
    /// As JSON.
    pub(crate) user_identity: Option<String>,
    /// The size of keys and images.
    pub(crate) size_bytes: u64,
}

/// A record as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'r> {
    /// Its position in the stream.
    pub sequence_number: SequenceNumber,
    /// Its id: unique for ever, and the same each time it is read.
    pub event_id: EventId,
    /// What happened.
    pub event_name: EventName,
    /// When the change was made.
    pub created: EpochMillis,
    /// The key of the item, as canonical JSON.
    pub keys: &'r str,
    /// The item before the change, if the record has it.
    pub old_image: Option<&'r str>,
    /// The item after the change, if the record has it.
    pub new_image: Option<&'r str>,
    /// The size of keys and images.
    pub size_bytes: u64,
    pub(crate) keys_size_bytes: u64,
    pub(crate) old_image_size_bytes: u64,
    pub(crate) user_identity: Option<&'r str>,
}

impl RecordRef<'_> {
    pub(crate) fn checksum(&self) -> Checksum {
        Checksum::new()
            .text(self.event_name.as_str())
            .number(self.created.0.unsigned_abs())
            .text(self.keys)
            .optional_text(self.old_image)
            .optional_text(self.new_image)
            .number(self.keys_size_bytes)
            .number(self.old_image_size_bytes)
            .number(self.size_bytes)
            .optional_text(self.user_identity)
    }

    /// Returns who made the change, if it was the service itself.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn user_identity(&self) -> Result<Option<UserIdentity>, StoreError> {
        let Some(json) = self.user_identity else { return Ok(None) };
        let (principal_id, identity_type) =
            serde_json::from_str(json).map_err(|e| StoreError::corrupt("user identity", e))?;
        Ok(Some(UserIdentity { principal_id, identity_type }))
    }

    /// Returns the record as a value of its own, of a stream with this view type.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn to_record(&self, view_type: StreamViewType) -> Result<StreamRecord, StoreError> {
        let images = self.size_bytes.saturating_sub(self.keys_size_bytes);
        let item = |json: &str, size| EncodedItem::from_stored(json.to_owned(), size);
        Ok(StreamRecord {
            event_id: self.event_id,
            event_name: self.event_name,
            sequence_number: self.sequence_number,
            created: self.created,
            keys: item(self.keys, self.keys_size_bytes),
            old_image: self.old_image.map(|json| item(json, self.old_image_size_bytes)),
            new_image: self
                .new_image
                .map(|json| item(json, images.saturating_sub(self.old_image_size_bytes))),
            size_bytes: self.size_bytes,
            view_type,
            user_identity: self.user_identity()?,
        })
    }
}
