//! Expecting the changes of certain keys.

mod report;

use std::time::{Duration, Instant};

use pdb_model::{EventName, Item};
use pdb_streams::{StreamSource, Subscription, SubscriptionBuilder, WakeHandle};

use crate::{Change, ReadError};

/// How often a stream is polled if its source does not wake the reader.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Why a stream is not as expected.
#[derive(thiserror::Error)]
pub enum ExpectError {
    /// The stream has other changes. The text shows the expected changes beside those that were found.
    #[error("{0}")]
    Different(String),
    /// The stream cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A change was expected before the first `of_key`.
    #[error("call `of_key` with a key before the changes that are expected of it")]
    NoKey,
}

/// The changes that a stream is expected to have: for certain keys, all their changes, in order.
///
/// Other keys may have changes too, except after [`and_no_other_keys`](Self::and_no_other_keys). Images may be partial: they must have the
/// given attributes, and may have others. An empty [`Item`] matches every image.
///
/// # Examples
///
/// The documentation of the crate has an example.
#[derive(Debug)]
#[must_use = "nothing is checked before `check` or `assert` is called"]
pub struct ExpectChanges<S> {
    stream: SubscriptionBuilder<S>,
    keys: Vec<ExpectedOfKey>,
    allows_other_keys: bool,
    deadline: Option<Duration>,
    /// Whether a change was expected before the first key.
    lacks_key: bool,
}

/// The changes that are expected of one key.
#[derive(Debug)]
struct ExpectedOfKey {
    key: Item,
    changes: Vec<Expected>,
}

/// One expected change.
#[derive(Clone, Debug)]
struct Expected {
    event_name: EventName,
    old: Option<Item>,
    new: Option<Item>,
    /// Whether the images have no attributes but these, and those of the key.
    exact_images: bool,
    /// Attributes that must not be in the newest image.
    without: Vec<String>,
}

/// Begins the expectations of a stream. It will be read from its oldest record.
pub fn expect_changes<S: StreamSource>(stream: SubscriptionBuilder<S>) -> ExpectChanges<S> {
    ExpectChanges { stream, keys: Vec::new(), allows_other_keys: true, deadline: None, lacks_key: false }
}

impl<S: StreamSource> ExpectChanges<S> {
    /// Begins the expected changes of this key. They must be all its changes, in order; if none follow, the key must have no changes.
    pub fn of_key(mut self, key: Item) -> Self {
        self.keys.push(ExpectedOfKey { key, changes: Vec::new() });
        self
    }

    /// Expects that the item is created, with these attributes among others.
    pub fn insert(self, new: Item) -> Self {
        self.then(EventName::Insert, None, Some(new))
    }

    /// Expects that the item is changed, and has these attributes afterwards, among others.
    pub fn modify(self, new: Item) -> Self {
        self.then(EventName::Modify, None, Some(new))
    }

    /// Expects that the item is changed. It had the attributes `old` before and has the attributes `new` afterwards, among others.
    pub fn modify_from(self, old: Item, new: Item) -> Self {
        self.then(EventName::Modify, Some(old), Some(new))
    }

    /// Expects that the item is deleted.
    pub fn remove(self) -> Self {
        self.then(EventName::Remove, None, None)
    }

    /// Expects that the item is deleted, and had these attributes before, among others.
    pub fn remove_with(self, old: Item) -> Self {
        self.then(EventName::Remove, Some(old), None)
    }

    /// Requires that the images of the last change have no other attributes than the given ones and those of the key.
    pub fn exact_images(mut self) -> Self {
        if let Some(last) = self.last() {
            last.exact_images = true;
        }
        self
    }

    /// Requires that the item does not have this attribute after the last change, or before it if the item was deleted.
    pub fn without(mut self, attribute: impl Into<String>) -> Self {
        if let Some(last) = self.last() {
            last.without.push(attribute.into());
        }
        self
    }

    /// Requires that no other keys have changes.
    pub fn and_no_other_keys(mut self) -> Self {
        self.allows_other_keys = false;
        self
    }

    /// Waits for missing changes for at most this time. Without it, only the records that the stream has now are checked.
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Reads the stream and compares its changes with the expected ones.
    ///
    /// # Errors
    ///
    /// [`ExpectError`]. Its text is a table for people.
    pub fn check(self) -> Result<(), ExpectError> {
        let Self { stream, keys, allows_other_keys, deadline, lacks_key } = self;
        if lacks_key {
            return Err(ExpectError::NoKey);
        }
        let (started, wake) = (Instant::now(), WakeHandle::default());
        let stream = stream.wake_handle(wake.clone()).follow(false).start();
        let mut stream = stream.map_err(ReadError::Stream)?;
        let mut seen = Vec::new();
        loop {
            read_present(&mut stream, &mut seen)?;
            let outcomes: Vec<_> = keys.iter().map(|key| report::Outcome::of(key, &seen)).collect();
            let others: Vec<&Change> = match allows_other_keys {
                true => Vec::new(),
                false => seen.iter().filter(|seen| keys.iter().all(|key| key.key != seen.keys)).collect(),
            };
            if others.is_empty() && outcomes.iter().all(report::Outcome::is_as_expected) {
                return Ok(());
            }
            let left = deadline.map_or(Duration::ZERO, |deadline| deadline.saturating_sub(started.elapsed()));
            // Later changes cannot correct a wrong one, so do not wait for them.
            if left.is_zero() || !others.is_empty() || outcomes.iter().any(report::Outcome::is_wrong) {
                return Err(ExpectError::Different(report::report(&outcomes, &others, deadline)));
            }
            wake.wait(left.min(POLL_INTERVAL));
        }
    }

    /// Calls [`check`](Self::check), and panics with the text of its error.
    ///
    /// # Panics
    ///
    /// If the stream is not as expected.
    #[track_caller]
    pub fn assert(self) {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
    }

    fn then(mut self, event_name: EventName, old: Option<Item>, new: Option<Item>) -> Self {
        let expected = Expected { event_name, old, new, exact_images: false, without: Vec::new() };
        match self.keys.last_mut() {
            Some(key) => key.changes.push(expected),
            None => self.lacks_key = true,
        }
        self
    }

    fn last(&mut self) -> Option<&mut Expected> {
        self.keys.last_mut()?.changes.last_mut()
    }
}

/// Reads the records that the stream has now. A later call reads those that were written meanwhile.
fn read_present<S: StreamSource>(
    stream: &mut Subscription<S>,
    seen: &mut Vec<Change>,
) -> Result<(), ReadError> {
    for event in stream {
        seen.push(Change::from_event(&event.map_err(ReadError::Stream)?)?);
    }
    Ok(())
}
