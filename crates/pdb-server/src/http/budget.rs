//! The limit on the bytes of requests, or of answers, that the server holds at one time, regardless of the number of
//! connections.
//!
//! A budget has two pools. Long bodies and answers (above [`LONG`]) take their permits only from the general pool, so
//! that uploads and pages cannot take the reserve from others. Up to [`SMALL`], no permit is needed: those calls never
//! wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in units of 1 KiB.
const UNIT: usize = 1024;
/// Up to this size a body or an answer needs no permit.
pub(crate) const SMALL: usize = 16 * 1024;
/// Longer bodies and answers may not use the reserve. An item of 400 KB is shorter, except in unusual cases such as a
/// list of `NULL`s.
const LONG: usize = 1024 * 1024;
/// The reserve is the budget divided by this.
const RESERVE: usize = 4;

/// Whether anything waits for a permit of a budget. If so, clients that keep their permits too long are cut off sooner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contention(Arc<AtomicUsize>);

impl Contention {
    /// Returns whether anything waits now.
    pub(crate) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn begin(&self) -> Waiting {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiting(self.clone())
    }
}

/// A task that waits.
struct Waiting(Contention);

impl Drop for Waiting {
    fn drop(&mut self) {
        (self.0).0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A limit on the number of bytes that may be held at one time.
#[derive(Debug)]
pub(crate) struct Budget {
    general: Pool,
    reserve: Pool,
    /// Its holder needs no further permits. Without it, several tasks that hold a part of what they need, and wait for
    /// the rest, could wait for each other for ever.
    overdraft: Arc<Semaphore>,
    contention: Contention,
    timeout: Duration,
}

impl Budget {
    /// Creates a budget of so many bytes. A wait for a permit ends after `timeout`.
    pub(crate) fn new(bytes: usize, timeout: Duration) -> Self {
        let reserve = bytes / RESERVE;
        Self {
            general: Pool::new(bytes - reserve),
            reserve: Pool::new(reserve),
            overdraft: Arc::new(Semaphore::new(1)),
            contention: Contention::default(),
            timeout,
        }
    }

    /// Returns whether anything waits for a permit.
    pub(crate) fn contention(&self) -> &Contention {
        &self.contention
    }

    /// Takes a permit for so many bytes, if they are free.
    pub(crate) fn try_take(&self, bytes: usize) -> Option<BudgetPermit> {
        let mut permit = BudgetPermit::default();
        self.try_grow(&mut permit, bytes, bytes).then_some(permit)
    }

    /// Waits for a permit for so many bytes, or for the whole general pool if it is smaller. Returns `None` after the
    /// timeout.
    pub(crate) async fn take(&self, bytes: usize) -> Option<BudgetPermit> {
        if let Some(permit) = self.try_take(bytes) {
            return Some(permit);
        }
        let units = bytes.div_ceil(UNIT);
        let may_use_reserve = bytes <= LONG && units <= self.reserve.units;
        let mut permit = BudgetPermit::default();
        let waiting = async {
            tokio::select! {
                taken = self.general.take(units) => permit.add_general(taken?),
                taken = self.reserve.take(units), if may_use_reserve => permit.add_reserve(taken?),
            }
            Some(permit)
        };
        let _waiting = self.contention.begin();
        tokio::time::timeout(self.timeout, waiting).await.ok()?
    }

    /// Grows a permit to so many bytes, and waits if they are not free. Returns whether that succeeded before the
    /// timeout. `expected` is the likely final size.
    pub(crate) async fn grow(&self, permit: &mut BudgetPermit, bytes: usize, expected: usize) -> bool {
        if self.try_grow(permit, bytes, expected) {
            return true;
        }
        let is_long = bytes.max(expected) > LONG;
        let units = permit.lacking(bytes);
        let may_use_general = units <= self.general.units;
        let may_use_reserve = !is_long && units <= self.reserve.units;
        let waiting = async {
            tokio::select! {
                taken = self.general.take(units), if may_use_general => permit.add_general(taken?),
                taken = self.reserve.take(units), if may_use_reserve => permit.add_reserve(taken?),
                taken = self.overdraft.clone().acquire_owned() => permit.overdraft = taken.ok(),
            }
            Some(())
        };
        let _waiting = self.contention.begin();
        matches!(tokio::time::timeout(self.timeout, waiting).await, Ok(Some(())))
    }

    /// Grows a permit to so many bytes, if they are free. Returns whether they were.
    pub(crate) fn try_grow(&self, permit: &mut BudgetPermit, bytes: usize, expected: usize) -> bool {
        let is_long = bytes.max(expected) > LONG;
        let units = permit.lacking(bytes);
        if units == 0 {
            true
        } else if let Some(taken) = self.general.try_take(units) {
            permit.add_general(taken);
            true
        } else if !is_long && let Some(taken) = self.reserve.try_take(units) {
            permit.add_reserve(taken);
            true
        } else {
            false
        }
    }

    /// Returns the free KiB of the general pool and of the reserve.
    #[cfg(test)]
    pub(crate) fn free(&self) -> (usize, usize) {
        (self.general.free.available_permits(), self.reserve.free.available_permits())
    }
}

/// A share of a budget. When it is dropped, the bytes are free for others.
#[derive(Debug, Default)]
pub(crate) struct BudgetPermit {
    general: Option<OwnedSemaphorePermit>,
    reserve: Option<OwnedSemaphorePermit>,
    overdraft: Option<OwnedSemaphorePermit>,
}

impl BudgetPermit {
    /// Returns the number of units that are missing for so many bytes.
    fn lacking(&self, bytes: usize) -> usize {
        if self.overdraft.is_some() {
            return 0;
        }
        let units = |part: &Option<OwnedSemaphorePermit>| part.as_ref().map_or(0, |part| part.num_permits());
        bytes.div_ceil(UNIT).saturating_sub(units(&self.general) + units(&self.reserve))
    }

    /// Gives back what is not needed for so many bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let mut units = bytes.div_ceil(UNIT);
        for part in [&mut self.general, &mut self.reserve].into_iter().flatten() {
            let excess = part.num_permits().saturating_sub(units);
            drop(part.split(excess));
            units -= part.num_permits();
        }
    }

    fn add_general(&mut self, taken: OwnedSemaphorePermit) {
        merge(&mut self.general, taken);
    }

    fn add_reserve(&mut self, taken: OwnedSemaphorePermit) {
        merge(&mut self.reserve, taken);
    }
}

fn merge(part: &mut Option<OwnedSemaphorePermit>, taken: OwnedSemaphorePermit) {
    match part {
        Some(part) => part.merge(taken),
        None => *part = Some(taken),
    }
}

#[derive(Debug)]
struct Pool {
    units: usize,
    free: Arc<Semaphore>,
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(1, u32::MAX as usize / 2);
        Self { units, free: Arc::new(Semaphore::new(units)) }
    }

    fn try_take(&self, units: usize) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_many_owned(u32::try_from(units).ok()?).ok()
    }

    /// Waits for so many units, or for the whole pool if it is smaller. The semaphore is never closed.
    async fn take(&self, units: usize) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_many_owned(units.min(self.units) as u32).await.ok()
    }
}

#[cfg(test)]
mod tests;
