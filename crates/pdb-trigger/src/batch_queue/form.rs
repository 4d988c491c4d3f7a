//! What becomes a batch, and when; what is too old for one.

use std::time::Duration;

use pretender::time::EpochMillis;

use super::{Batch, BatchQueue, Moment, QueueContext, QueuedRecord, ReadState, WindowSpan};
use crate::message::Condition;
use crate::settings::{MAX_PAYLOAD_BYTES, MAX_STATE_BYTES, Settings};

impl BatchQueue {
    /// Forms a batch of waiting records, or the last invocation of a window; returns whether there is one.
    pub(super) fn form_batch(&mut self, context: &QueueContext<'_>, at: Moment, reading: ReadState) -> bool {
        let settings = context.settings;
        let batch_size = settings.batch_size as usize;
        let old = |queued: &&QueuedRecord| is_too_old(queued, context, at, false);
        let old = self.waiting.iter().take(batch_size).take_while(old).count();
        if old > 0 {
            let given_up = Some((Condition::RecordAgeExceeded, context.ids.next_id()));
            let records = self.waiting.drain(..old).collect();
            self.batches.push_back(Batch { records, given_up, ..Batch::default() });
            return true;
        }
        let is_past =
            |span: WindowSpan| reading.is_ended || reading.quiet_at.is_some_and(|quiet| quiet >= span.1);
        let window = self.waiting.front().and_then(|queued| span(settings, queued.record.created));
        if let Some(open) = &self.window
            && window != Some(open.span)
            && (window.is_some() || is_past(open.span))
        {
            self.batches.push_back(Batch {
                window: Some(open.span),
                closes_window: true,
                ..Batch::default()
            });
            return true;
        }
        let Some(first) = self.waiting.front() else { return false };
        // The brackets of an event and, with a window, its other members, of which only the state may be long.
        let mut bytes = if window.is_some() { 1024 + MAX_STATE_BYTES } else { 16 };
        let mut count = 0;
        let mut is_full = false;
        for queued in &self.waiting {
            bytes += queued.record.json.len() + 1;
            is_full = count == batch_size
                || (count > 0 && bytes > MAX_PAYLOAD_BYTES)
                || span(settings, queued.record.created) != window;
            if is_full {
                break;
            }
            count += 1;
        }
        let gathering = Duration::from_secs(settings.maximum_batching_window_in_seconds.into());
        let is_ready = is_full
            || count == batch_size
            || at.now.since(first.read_at) >= gathering
            || reading.is_ended
            || window.is_some_and(is_past);
        if is_ready {
            let records = self.waiting.drain(..count).collect();
            self.batches.push_back(Batch { records, window, ..Batch::default() });
        }
        is_ready
    }

    /// Gives up the records at the head of the first batch that have become too old; returns whether there are any.
    pub(super) fn give_up_old(&mut self, context: &QueueContext<'_>, at: Moment) -> bool {
        let Some(batch) = self.batches.front_mut() else { return false };
        let has_failed = batch.invocations > 0 || batch.pauses > 0;
        let old =
            batch.records.iter().take_while(|queued| is_too_old(queued, context, at, has_failed)).count();
        if old == 0 {
            return false;
        }
        let given_up = Some((Condition::RecordAgeExceeded, context.ids.next_id()));
        if old == batch.records.len() {
            batch.given_up = given_up;
        } else {
            let records = batch.records.drain(..old).collect();
            let (window, invocations, answer) = (batch.window, batch.invocations, batch.answer);
            self.batches.push_front(Batch {
                records,
                window,
                invocations,
                answer,
                given_up,
                ..Batch::default()
            });
        }
        true
    }
}

/// Returns the window a time belongs to; windows begin at whole multiples of their length since 1970.
fn span(settings: &Settings, created: EpochMillis) -> Option<WindowSpan> {
    let length = i64::from(settings.tumbling_window_in_seconds) * 1000;
    if length == 0 {
        return None;
    }
    let start = created.0.div_euclid(length).saturating_mul(length);
    Some((EpochMillis(start), EpochMillis(start.saturating_add(length))))
}

/// Tells whether a record is to be given up for its age. The stream's own limit only counts for a batch that has failed: what
/// the stream still hands out is delivered once.
fn is_too_old(queued: &QueuedRecord, context: &QueueContext<'_>, at: Moment, has_failed: bool) -> bool {
    let allowed = u64::try_from(context.settings.maximum_record_age_in_seconds).ok().map(Duration::from_secs);
    let kept = context.retention.filter(|_| has_failed);
    let age = at.now.since(queued.record.created);
    [allowed, kept].into_iter().flatten().any(|limit| age > limit)
}
