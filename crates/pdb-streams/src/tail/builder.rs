//! The builder of a subscription.

use super::{Checkpoint, StreamSource, Subscription, TailError, WakeHandle};
use crate::EventPattern;
use pdb_model::EpochMillis;
use std::time::Duration;

/// The position at which a subscription without a checkpoint begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartPosition {
    /// At the oldest record that still exists.
    #[default]
    TrimHorizon,
    /// Behind the newest record at the moment of the start.
    Latest,
    /// In every shard that is there at the start, at the first record that was created at this time or later; in shards that are opened
    /// later, at their first record.
    AtTimestamp(EpochMillis),
}

/// Builds a [`Subscription`]: which streams, from where, which events, and for how long.
#[derive(Debug)]
pub struct SubscriptionBuilder<S> {
    pub(super) source: S,
    pub(super) streams: Vec<String>,
    pub(super) tables: Vec<String>,
    pub(super) options: TailOptions,
    pub(super) checkpoint: Checkpoint,
    pub(super) wake: WakeHandle,
}

#[derive(Clone, Debug)]
pub(super) struct TailOptions {
    pub(super) from: StartPosition,
    pub(super) patterns: Vec<EventPattern>,
    pub(super) follow: bool,
    pub(super) poll_interval: Duration,
    pub(super) page_limit: Option<u32>,
    pub(super) caught_up_after: u32,
}

impl<S: StreamSource> Subscription<S> {
    /// Returns the builder of a subscription to streams of `source`.
    pub fn builder(source: S) -> SubscriptionBuilder<S> {
        SubscriptionBuilder {
            source,
            streams: Vec::new(),
            tables: Vec::new(),
            options: TailOptions {
                from: StartPosition::TrimHorizon,
                patterns: Vec::new(),
                follow: false,
                poll_interval: Duration::from_millis(250),
                page_limit: None,
                caught_up_after: 1,
            },
            checkpoint: Checkpoint::default(),
            wake: WakeHandle::default(),
        }
    }
}

impl<S: StreamSource> SubscriptionBuilder<S> {
    /// Adds a stream. A subscription to streams ends when all of them are disabled and read, even if it follows.
    #[must_use]
    pub fn stream(mut self, stream_arn: impl Into<String>) -> Self {
        self.streams.push(stream_arn.into());
        self
    }

    /// Adds a table's current stream and, when following, the streams that succeed it.
    #[must_use]
    pub fn table(mut self, table_name: impl Into<String>) -> Self {
        self.tables.push(table_name.into());
        self
    }

    /// Sets where to begin in streams without a checkpoint; at the trim horizon by default.
    #[must_use]
    pub fn from(mut self, from: StartPosition) -> Self {
        self.options.from = from;
        self
    }

    /// Begins at a time in streams without a checkpoint: at the first record of each shard that was created then or later.
    ///
    /// The time must not be in the future.
    #[must_use]
    pub fn from_time(self, time: EpochMillis) -> Self {
        self.from(StartPosition::AtTimestamp(time))
    }

    /// Resumes from the checkpoint of an earlier subscription, whose streams need not be named again.
    #[must_use]
    pub fn resume(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = checkpoint;
        self
    }

    /// Adds a filter: only events that match at least one of the patterns are returned. Other events count as read.
    #[must_use]
    pub fn pattern(mut self, pattern: EventPattern) -> Self {
        self.options.patterns.push(pattern);
        self
    }

    /// Sets whether to wait for further records instead of ending when all present ones are read.
    #[must_use]
    pub fn follow(mut self, follow: bool) -> Self {
        self.options.follow = follow;
        self
    }

    /// Sets how long to wait before the next poll when nothing was new; 250 ms by default.
    #[must_use]
    pub fn poll_interval(mut self, poll_interval: Duration) -> Self {
        self.options.poll_interval = poll_interval;
        self
    }

    /// Sets the maximum number of records of one `GetRecords` call.
    #[must_use]
    pub fn page_limit(mut self, page_limit: u32) -> Self {
        self.options.page_limit = Some(page_limit);
        self
    }

    /// Sets how many empty pages in a row mean that an open shard has no more records; 1 by default.
    ///
    /// AWS may return an empty page although the shard has further records.
    #[must_use]
    pub fn caught_up_after(mut self, empty_pages: u32) -> Self {
        self.options.caught_up_after = empty_pages.max(1);
        self
    }

    /// Sets the handle that stops the subscription, so that one handle can stop several subscriptions.
    #[must_use]
    pub fn wake_handle(mut self, wake: WakeHandle) -> Self {
        self.wake = wake;
        self
    }

    /// Returns a builder with the same settings that reads from another source, which may contain this one.
    #[must_use]
    pub fn map_source<T: StreamSource>(self, map: impl FnOnce(S) -> T) -> SubscriptionBuilder<T> {
        let Self { source, streams, tables, options, checkpoint, wake } = self;
        SubscriptionBuilder { source: map(source), streams, tables, options, checkpoint, wake }
    }

    /// Starts the subscription: looks the streams up and fixes where they are read from.
    ///
    /// # Errors
    ///
    /// [`TailError::NoStream`] if a table has no stream, [`TailError::Source`] if the source fails.
    pub fn start(self) -> Result<Subscription<S>, TailError> {
        Subscription::start(self)
    }
}
