//! Subscriptions to streams of this process.

use crate::{
    DescribeStreamInput, EventDocument, GetShardIteratorInput, ListStreamsInput, ShardIteratorType,
    SourceError, SourcePage, SourcePosition, SourceRecord, SourceShard, SourceStream, StreamManager,
    StreamSource, StreamsError, Subscription, SubscriptionBuilder, WakeHandle,
};
use pdb_model::{IteratorPosition, ShardIterator, StreamRecord, StreamStatus};

impl StreamManager {
    /// Returns the builder of a subscription to streams of this store.
    #[must_use]
    pub fn subscribe(&self) -> SubscriptionBuilder<Self> {
        Subscription::builder(self.clone())
    }
}

impl StreamSource for StreamManager {
    type Record = StreamRecord;

    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
        // A text that cannot be a table name has no streams.
        let Ok(table_name) = table_name.parse() else { return Ok(Vec::new()) };
        let mut input = ListStreamsInput { table_name: Some(table_name), ..Default::default() };
        let mut streams = Vec::new();
        loop {
            let page = self.list_streams(&input)?;
            streams.extend(page.streams.into_iter().map(|stream| stream.stream_arn.to_string()));
            match page.last_evaluated_stream_arn {
                Some(last) => input.exclusive_start_stream_arn = Some(last),
                None => return Ok(streams),
            }
        }
    }

    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
        let mut input = DescribeStreamInput::new(crate::parse_stream_arn(stream_arn)?);
        let mut shards = Vec::new();
        loop {
            let page = self.describe_stream(&input)?;
            shards.extend(page.shards.into_iter().map(|shard| SourceShard {
                shard_id: shard.shard_id.to_string(),
                parent_shard_id: shard.parent_shard_id.map(|parent| parent.to_string()),
                is_open: shard.ending_sequence_number.is_none(),
                ending_sequence_number: shard.ending_sequence_number.map(|number| number.to_string()),
            }));
            match page.last_evaluated_shard_id {
                Some(last) => input.exclusive_start_shard_id = Some(last),
                None => {
                    return Ok(SourceStream {
                        is_live: page.stream_status != StreamStatus::Disabled,
                        shards,
                    });
                }
            }
        }
    }

    fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<String, SourceError> {
        let shard_iterator_type = match position {
            SourcePosition::TrimHorizon => ShardIteratorType::TrimHorizon,
            SourcePosition::Latest => ShardIteratorType::Latest,
            SourcePosition::AtTimestamp(time) => ShardIteratorType::AtTimestamp(*time),
            SourcePosition::After(number) => {
                let number =
                    number.parse().map_err(|_| StreamsError::validation("Invalid SequenceNumber"))?;
                ShardIteratorType::AfterSequenceNumber(number)
            }
        };
        let input = GetShardIteratorInput {
            stream_arn: crate::parse_stream_arn(stream_arn)?,
            shard_id: shard_id.parse().map_err(|_| StreamsError::ShardNotFound)?,
            shard_iterator_type,
        };
        Ok(self.get_shard_iterator(&input)?)
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<StreamRecord>, SourceError> {
        let page = self.get_records(iterator, limit)?;
        Ok(SourcePage { records: page.records, next_iterator: page.next_shard_iterator })
    }

    fn position_of(&self, iterator: &str) -> Option<SourcePosition> {
        match ShardIterator::decode(iterator, &self.key).ok()?.position {
            IteratorPosition::TrimHorizon => Some(SourcePosition::TrimHorizon),
            IteratorPosition::After(number) => Some(SourcePosition::After(number.to_string())),
            IteratorPosition::At(_) => None,
        }
    }

    fn wake_on_change(&self, wake: &WakeHandle) {
        self.store.watch(wake.waker());
    }
}

impl SourceRecord for StreamRecord {
    fn sequence_number(&self) -> String {
        self.sequence_number.to_string()
    }

    fn document(&self, stream_arn: &str) -> EventDocument {
        EventDocument::of_record(self, stream_arn)
    }
}

/// Maps the errors of the operations to the reactions of a subscription.
impl From<StreamsError> for SourceError {
    fn from(error: StreamsError) -> Self {
        match error {
            StreamsError::StreamNotFound(_)
            | StreamsError::ShardNotFound
            | StreamsError::IteratorShardNotFound => Self::NotFound,
            StreamsError::ExpiredIterator => Self::Expired,
            StreamsError::Trimmed => Self::Trimmed,
            StreamsError::Throttled | StreamsError::TooManyReaders => Self::Throttled,
            error @ (StreamsError::Validation(_) | StreamsError::Store(_)) => Self::Failed(Box::new(error)),
        }
    }
}
