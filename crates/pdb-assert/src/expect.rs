//! Expecting a sequence of changes of certain keys.

mod report;

use std::time::{Duration, Instant};

use pdb_model::{EventName, Item};
use pdb_streams::{StreamSource, Subscription, SubscriptionBuilder, WakeHandle};

use crate::{Change, ReadError};

/// How often a stream that does not tell of changes is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Why a stream is not as expected.
#[derive(thiserror::Error)]
pub enum ExpectError {
    /// The stream has other changes. The text shows what was expected beside what was found.
    #[error("{0}")]
    Different(String),
    /// The stream cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A change was expected before a key was named.
    #[error("name a key with `of_key` before the changes that are expected of it")]
    NoKey,
}

/// Expectations of a stream: for each key named, all its changes, in order. Other keys do not matter, unless
/// [`and_no_other_keys`](Self::and_no_other_keys) is said.
///
/// Images may be partial: what they name must be so, other attributes do not matter. An empty [`Item`] matches any image.
///
/// # Examples
///
/// See the page of the crate.
#[derive(Debug)]
#[must_use = "nothing is checked before `check` or `assert` is called"]
pub struct ExpectChanges<S> {
    stream: SubscriptionBuilder<S>,
    keys: Vec<ExpectedOfKey>,
    no_other: bool,
    within: Option<Duration>,
    without_key: bool,
}

/// What is expected of one key.
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
    /// The images have no attributes but those named, and those of the key.
    exact_images: bool,
    /// Attributes that must not be in the newest image.
    without: Vec<String>,
}

/// Begins to say what is expected of a stream, which is read from its oldest record.
pub fn expect_changes<S: StreamSource>(stream: SubscriptionBuilder<S>) -> ExpectChanges<S> {
    ExpectChanges { stream, keys: Vec::new(), no_other: false, within: None, without_key: false }
}

impl<S: StreamSource> ExpectChanges<S> {
    /// Begins the list of what is expected of this key: all its changes, in order. With nothing after it: no change at all.
    pub fn of_key(mut self, key: Item) -> Self {
        self.keys.push(ExpectedOfKey { key, changes: Vec::new() });
        self
    }

    /// Then the item is made, with these attributes among others.
    pub fn insert(self, new: Item) -> Self {
        self.then(EventName::Insert, None, Some(new))
    }

    /// Then the item is changed, and has these attributes afterwards, among others.
    pub fn modify(self, new: Item) -> Self {
        self.then(EventName::Modify, None, Some(new))
    }

    /// Then the item is changed; it had the first attributes before, and has the second ones afterwards.
    pub fn modify_from(self, old: Item, new: Item) -> Self {
        self.then(EventName::Modify, Some(old), Some(new))
    }

    /// Then the item is removed.
    pub fn remove(self) -> Self {
        self.then(EventName::Remove, None, None)
    }

    /// Then the item is removed; it had these attributes before.
    pub fn remove_with(self, old: Item) -> Self {
        self.then(EventName::Remove, Some(old), None)
    }

    /// Says of the change named last that its images have no other attributes than those said, and those of the key.
    pub fn exact_images(mut self) -> Self {
        if let Some(last) = self.last() {
            last.exact_images = true;
        }
        self
    }

    /// Says of the change named last that the item does not have this attribute: afterwards, or when it was removed.
    pub fn without(mut self, attribute: impl Into<String>) -> Self {
        if let Some(last) = self.last() {
            last.without.push(attribute.into());
        }
        self
    }

    /// Says that no key changed but those named.
    pub fn and_no_other_keys(mut self) -> Self {
        self.no_other = true;
        self
    }

    /// Waits for changes that are still missing, but no longer than this. Without it, the stream is taken as it is now.
    pub fn within(mut self, deadline: Duration) -> Self {
        self.within = Some(deadline);
        self
    }

    /// Reads the stream and compares.
    ///
    /// # Errors
    ///
    /// [`ExpectError`]; its text is meant to be read.
    pub fn check(self) -> Result<(), ExpectError> {
        let Self { stream, keys, no_other, within, without_key } = self;
        if without_key {
            return Err(ExpectError::NoKey);
        }
        let (started, wake) = (Instant::now(), WakeHandle::default());
        let stream = stream.wake_handle(wake.clone()).follow(false).start();
        let mut stream = stream.map_err(ReadError::Stream)?;
        let mut seen = Vec::new();
        loop {
            read_present(&mut stream, &mut seen)?;
            let outcomes: Vec<_> = keys.iter().map(|key| report::Outcome::of(key, &seen)).collect();
            let others: Vec<&Change> = match no_other {
                true => seen.iter().filter(|seen| keys.iter().all(|key| key.key != seen.keys)).collect(),
                false => Vec::new(),
            };
            if others.is_empty() && outcomes.iter().all(report::Outcome::is_as_expected) {
                return Ok(());
            }
            let left = within.map_or(Duration::ZERO, |within| within.saturating_sub(started.elapsed()));
            // What is wrong already does not become right by waiting.
            if left.is_zero() || !others.is_empty() || outcomes.iter().any(report::Outcome::is_wrong) {
                return Err(ExpectError::Different(report::report(&outcomes, &others, within)));
            }
            wake.wait(left.min(POLL_INTERVAL));
        }
    }

    /// Does as [`check`](Self::check), and panics with its text if it fails.
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
            None => self.without_key = true,
        }
        self
    }

    fn last(&mut self) -> Option<&mut Expected> {
        self.keys.last_mut()?.changes.last_mut()
    }
}

/// Reads until the stream has no more; what is asked for later comes later.
fn read_present<S: StreamSource>(
    stream: &mut Subscription<S>,
    seen: &mut Vec<Change>,
) -> Result<(), ReadError> {
    for event in stream {
        seen.push(Change::from_event(&event.map_err(ReadError::Stream)?)?);
    }
    Ok(())
}
