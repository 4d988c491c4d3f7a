//! `ListStreams`.

use crate::{StreamManager, StreamsError};
use pdb_model::{StreamArn, StreamLabel, TableName};
use std::cmp::Reverse;

const MAX_LIMIT: u32 = 100;

/// The input of `ListStreams`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListStreamsInput {
    /// Returns only streams of tables with this name, including earlier tables.
    pub table_name: Option<TableName>,
    /// The maximum number of streams to return; 100 by default.
    pub limit: Option<u32>,
    /// The last stream of the previous page, which need not exist any more.
    pub exclusive_start_stream_arn: Option<StreamArn>,
}

/// A page of streams, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListStreamsOutput {
    /// The streams.
    pub streams: Vec<StreamSummary>,
    /// The last one of this page, if there are more.
    pub last_evaluated_stream_arn: Option<StreamArn>,
}

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSummary {
    /// The ARN.
    pub stream_arn: StreamArn,
    /// The table's name.
    pub table_name: TableName,
    /// The label.
    pub stream_label: StreamLabel,
}

impl StreamManager {
    /// Lists streams, newest first: also disabled ones and those of deleted tables, until they are purged.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Validation`] if the limit is not 1 to 100, [`StreamsError::Throttled`].
    pub fn list_streams(&self, input: &ListStreamsInput) -> Result<ListStreamsOutput, StreamsError> {
        let limit = checked_limit(
            input.limit,
            MAX_LIMIT,
            "Limit cannot be greater than the maximum allowed size: 100",
        )?;
        if let Some(limits) = &self.limits {
            limits.list_streams(self.env.clock.now())?;
        }
        let now = self.env.clock.now();
        let mut streams = self.store.read(|tx| tx.streams(input.table_name.as_ref()))?;
        streams.retain(|stream| !self.is_purged(stream, now));
        // A cursor is compared with the entries, not looked up, so that it stays valid when its stream is gone.
        if let Some(start) = &input.exclusive_start_stream_arn {
            streams.retain(|stream| order(&stream.arn) > order(start));
        }
        streams.sort_by(|a, b| order(&a.arn).cmp(&order(&b.arn)));
        let has_more = streams.len() > limit;
        streams.truncate(limit);
        let last_evaluated_stream_arn = streams.last().filter(|_| has_more).map(|stream| stream.arn.clone());
        let streams = streams.into_iter().map(|stream| StreamSummary {
            stream_label: stream.label().clone(),
            table_name: stream.table_name,
            stream_arn: stream.arn,
        });
        Ok(ListStreamsOutput { streams: streams.collect(), last_evaluated_stream_arn })
    }
}

/// Compares by ARN alone: newest first, then by the rest.
fn order(stream_arn: &StreamArn) -> (Reverse<&StreamLabel>, &pdb_model::TableArn) {
    (Reverse(&stream_arn.label), &stream_arn.table)
}

/// Returns the limit, or the maximum by default.
pub(crate) fn checked_limit(limit: Option<u32>, max: u32, too_large: &str) -> Result<usize, StreamsError> {
    let limit = match limit {
        Some(0) => {
            return Err(StreamsError::validation(
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: \
                 Member must have value greater than or equal to 1",
            ));
        }
        Some(limit) if limit > max => return Err(StreamsError::invalid_parameter(too_large)),
        limit => limit.unwrap_or(max),
    };
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}
