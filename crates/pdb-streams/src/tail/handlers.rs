//! Callbacks for event patterns.

use super::{Event, SourceRecord, StreamSource, Subscription, TailError};
use crate::EventPattern;

type Callback<'h, R> = Box<dyn FnMut(&Event<R>) + 'h>;

/// A list of callbacks, each for the events that match its pattern.
///
/// An event goes to every callback whose pattern it matches, in the order in which they were added.
pub struct Handlers<'h, R> {
    handlers: Vec<(Option<EventPattern>, Callback<'h, R>)>,
}

impl<R> Default for Handlers<'_, R> {
    fn default() -> Self {
        Self { handlers: Vec::new() }
    }
}

impl<'h, R: SourceRecord> Handlers<'h, R> {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a callback for events that match `pattern`.
    #[must_use]
    pub fn on(mut self, pattern: EventPattern, callback: impl FnMut(&Event<R>) + 'h) -> Self {
        self.handlers.push((Some(pattern), Box::new(callback)));
        self
    }

    /// Adds a callback for every event.
    #[must_use]
    pub fn on_any(mut self, callback: impl FnMut(&Event<R>) + 'h) -> Self {
        self.handlers.push((None, Box::new(callback)));
        self
    }

    /// Calls every callback whose pattern matches the event. Returns the number of calls.
    pub fn dispatch(&mut self, event: &Event<R>) -> usize {
        let document = self
            .handlers
            .iter()
            .any(|(pattern, _)| pattern.is_some())
            .then(|| event.record.document(&event.stream_arn));
        let mut called = 0;
        for (pattern, callback) in &mut self.handlers {
            let wanted = match (pattern, &document) {
                (Some(pattern), Some(document)) => pattern.matches(document),
                _ => true,
            };
            if wanted {
                callback(event);
                called += 1;
            }
        }
        called
    }
}

impl<S: StreamSource> Subscription<S> {
    /// Passes every event to `handlers` until the subscription ends or fails.
    ///
    /// # Errors
    ///
    /// The first error of the subscription. Call it again to go on behind the error.
    pub fn run(&mut self, handlers: &mut Handlers<'_, S::Record>) -> Result<(), TailError> {
        for event in self {
            handlers.dispatch(&event?);
        }
        Ok(())
    }
}
