//! What becomes a batch, and when; what is too old for one.

use std::time::Duration;

use pretender::time::EpochMillis;

use super::{Held, Lane, Moment, Reading, Span, Surroundings, Work};
use crate::message::Condition;
use crate::settings::{MAX_PAYLOAD_BYTES, MAX_STATE_BYTES, Settings};

impl Lane {
    /// Forms a batch of waiting records, or the last invocation of a window; returns whether there is one.
    pub(super) fn form(&mut self, around: &Surroundings<'_>, at: Moment, reading: Reading) -> bool {
        let settings = around.settings;
        let batch_size = settings.batch_size as usize;
        let old = |held: &&Held| is_too_old(held, around, at, false);
        let old = self.waiting.iter().take(batch_size).take_while(old).count();
        if old > 0 {
            let given_up = Some((Condition::RecordAgeExceeded, around.ids.next_id()));
            let batch = self.waiting.drain(..old).collect();
            self.work.push_back(Work { batch, given_up, ..Work::default() });
            return true;
        }
        let is_past = |span: Span| reading.is_ended || reading.quiet_at.is_some_and(|quiet| quiet >= span.1);
        let window = self.waiting.front().and_then(|held| span(settings, held.record.created));
        if let Some(open) = &self.window
            && window != Some(open.span)
            && (window.is_some() || is_past(open.span))
        {
            self.work.push_back(Work { window: Some(open.span), closes: true, ..Work::default() });
            return true;
        }
        let Some(first) = self.waiting.front() else { return false };
        // The brackets of an event and, with a window, its other members, of which only the state may be long.
        let mut bytes = if window.is_some() { 1024 + MAX_STATE_BYTES } else { 16 };
        let mut count = 0;
        let mut is_full = false;
        for held in &self.waiting {
            bytes += held.record.json.len() + 1;
            is_full = count == batch_size
                || (count > 0 && bytes > MAX_PAYLOAD_BYTES)
                || span(settings, held.record.created) != window;
            if is_full {
                break;
            }
            count += 1;
        }
        let gathering = Duration::from_secs(settings.maximum_batching_window_in_seconds.into());
        let is_ready = is_full
            || count == batch_size
            || at.now.since(first.gathered) >= gathering
            || reading.is_ended
            || window.is_some_and(is_past);
        if is_ready {
            let batch = self.waiting.drain(..count).collect();
            self.work.push_back(Work { batch, window, ..Work::default() });
        }
        is_ready
    }

    /// Gives up the records at the head of the first batch that have become too old; returns whether there are any.
    pub(super) fn give_up_old(&mut self, around: &Surroundings<'_>, at: Moment) -> bool {
        let Some(work) = self.work.front_mut() else { return false };
        let has_failed = work.invocations > 0 || work.pauses > 0;
        let old = work.batch.iter().take_while(|held| is_too_old(held, around, at, has_failed)).count();
        if old == 0 {
            return false;
        }
        let given_up = Some((Condition::RecordAgeExceeded, around.ids.next_id()));
        if old == work.batch.len() {
            work.given_up = given_up;
        } else {
            let batch = work.batch.drain(..old).collect();
            let (window, invocations, answer) = (work.window, work.invocations, work.answer);
            self.work.push_front(Work { batch, window, invocations, answer, given_up, ..Work::default() });
        }
        true
    }
}

/// Returns the window a time belongs to; windows begin at whole multiples of their length since 1970.
fn span(settings: &Settings, created: EpochMillis) -> Option<Span> {
    let length = i64::from(settings.tumbling_window_in_seconds) * 1000;
    if length == 0 {
        return None;
    }
    let start = created.0.div_euclid(length).saturating_mul(length);
    Some((EpochMillis(start), EpochMillis(start.saturating_add(length))))
}

/// Tells whether a record is to be given up for its age. The stream's own limit only counts for a batch that has failed: what
/// the stream still hands out is delivered once.
fn is_too_old(held: &Held, around: &Surroundings<'_>, at: Moment, has_failed: bool) -> bool {
    let allowed = u64::try_from(around.settings.maximum_record_age_in_seconds).ok().map(Duration::from_secs);
    let kept = around.retention.filter(|_| has_failed);
    let age = at.now.since(held.record.created);
    [allowed, kept].into_iter().flatten().any(|limit| age > limit)
}
