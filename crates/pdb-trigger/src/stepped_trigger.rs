//! A trigger without a thread.

use std::fmt;
use std::time::Duration;

use pretender::streams::source::StreamSource;

use crate::event::ToEventRecord;
use crate::mapping::Mapping;
use crate::state::TriggerState;
use crate::trigger_handle::TriggerHandle;

/// A trigger that goes on only when its caller says so, on the caller's thread: for simulations, where one seed decides the order of
/// everything. [`TriggerBuilder::stepped`](crate::TriggerBuilder::stepped) makes one.
///
/// Dropping it is a crash: what was settled since the last step is not in the checkpoint file.
///
/// # Examples
///
/// ```
/// use pdb_trigger::{Response, Trigger};
/// use pretender::prelude::*;
///
/// let db = Pretender::in_memory()?;
/// let orders: TableName = "orders".parse()?;
/// db.create_table(CreateTableInput {
///     stream_specification: Some(StreamSpecification::enabled(StreamViewType::KeysOnly)),
///     ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None)
/// })?;
/// // Invokes the function at once.
/// let executor = |task: Box<dyn FnOnce() + Send>| {
///     task();
///     Ok(())
/// };
/// let builder = Trigger::builder(&db, "orders").executor(executor);
/// let mut trigger = builder.stepped(|_: &[u8]| Ok(Response::empty()))?;
/// db.put_item(PutItemInput::new(orders, Item::new().with("id", "o1")))?;
/// // The first step invokes the function, the second takes its answer.
/// trigger.step();
/// trigger.step();
/// assert_eq!(trigger.state().processed_records, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SteppedTrigger<S> {
    mapping: Mapping<S>,
    is_first: bool,
}

impl<S> SteppedTrigger<S>
where
    S: StreamSource,
    S::Record: ToEventRecord,
{
    pub(crate) fn new(mapping: Mapping<S>) -> Self {
        Self { mapping, is_first: true }
    }

    /// Does what the thread of a trigger does between two waits. Returns how long it would then wait, unless there is news.
    pub fn step(&mut self) -> Duration {
        let has_news = self.mapping.wake.wait(Duration::ZERO);
        self.mapping.step(has_news || std::mem::take(&mut self.is_first))
    }

    /// Returns the state of the trigger.
    #[must_use]
    pub fn state(&self) -> TriggerState {
        self.mapping.shared.state()
    }

    /// Returns a handle that shows the state of the trigger, also after it is gone.
    #[must_use]
    pub fn handle(&self) -> TriggerHandle {
        TriggerHandle::new(self.mapping.shared.clone())
    }
}

impl<S> fmt::Debug for SteppedTrigger<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SteppedTrigger").field("state", &self.mapping.shared).finish_non_exhaustive()
    }
}
