//! How many bytes of large requests and of answers are in the server's hands at one time. Whatever the number of
//! connections, what they bring and fetch together has a limit; those that find no room wait, in the order they came.
//!
//! Small requests and health checks need no room, so they pass whoever waits. Requests and answers have separate rooms:
//! nothing waits for a room while it occupies the same one, so there is no deadlock.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pdb_wire::OperationClass;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room is counted in units of 1 KiB.
const UNIT: usize = 1024;
/// A body up to this size needs no room.
pub(crate) const SMALL: usize = 16 * 1024;
/// The largest answer of a read by key: an item of 400 KB, and some.
const POINT_ANSWER: usize = 410 * 1024;
/// A page of 1 MB. What may be larger (up to 16 MB in BatchGetItem) takes what it finds.
const LONG_ANSWER: usize = 1024 * 1024;

/// The rooms of a server.
#[derive(Debug)]
pub(crate) struct Room {
    requests: Part,
    answers: Part,
}

impl Room {
    /// Returns a server's rooms, of so many bytes each.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { requests: Part::new(bytes), answers: Part::new(bytes) }
    }

    /// Waits for room for a body of up to so many bytes; `None` if there is none in all that time.
    pub(crate) async fn of_body(&self, bytes: usize, patience: Duration) -> Option<Held> {
        if bytes <= SMALL { Some(Held(None)) } else { self.requests.take(bytes, patience).await }
    }

    /// Waits for room for an answer that is to be made now; `None` if there is none in all that time. Answers of writes are
    /// small as a rule: they take what they find.
    pub(crate) async fn of_answer(&self, class: OperationClass, patience: Duration) -> Option<Held> {
        match class {
            OperationClass::PointRead => self.answers.take(POINT_ANSWER, patience).await,
            OperationClass::Blocking => self.answers.take(LONG_ANSWER, patience).await,
            OperationClass::Write => Some(Held(None)),
        }
    }

    /// Occupies room with an answer until it is sent, of what was held for it and, if that is too little, of what there is.
    pub(crate) fn occupy(&self, held: Held, answer: Vec<u8>) -> Bytes {
        // What is small is in the hands of the operating system at once.
        if answer.len() <= SMALL {
            return answer.into();
        }
        let units = answer.len().div_ceil(UNIT);
        let mut parts = Vec::with_capacity(2);
        let mut known = 0;
        if let Some(mut permit) = held.0 {
            // The rest is given back.
            parts.extend(permit.split(units.min(permit.num_permits())));
            known = parts.iter().map(OwnedSemaphorePermit::num_permits).sum();
        }
        if known < units {
            parts.extend(self.answers.try_take(units - known));
        }
        Bytes::from_owner(Occupant { answer, _room: parts })
    }
}

/// Room that is given back when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(Option<OwnedSemaphorePermit>);

struct Occupant {
    answer: Vec<u8>,
    _room: Vec<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Occupant {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

#[derive(Debug)]
struct Part {
    units: usize,
    free: Arc<Semaphore>,
}

impl Part {
    fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(1, u32::MAX as usize / 2);
        Self { units, free: Arc::new(Semaphore::new(units)) }
    }

    /// Waits for so much room; for all there is, if that is not enough.
    async fn take(&self, bytes: usize, patience: Duration) -> Option<Held> {
        let units = bytes.div_ceil(UNIT).min(self.units) as u32;
        let permit = match self.free.clone().try_acquire_many_owned(units) {
            Ok(permit) => permit,
            Err(_) => {
                let waiting = self.free.clone().acquire_many_owned(units);
                // The semaphore is never closed.
                tokio::time::timeout(patience, waiting).await.ok()?.ok()?
            }
        };
        Some(Held(Some(permit)))
    }

    fn try_take(&self, units: usize) -> Option<OwnedSemaphorePermit> {
        let units = units.min(self.free.available_permits());
        self.free.clone().try_acquire_many_owned(units as u32).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    /// What is free of requests and answers, in KiB.
    fn free(room: &Room) -> (usize, usize) {
        (room.requests.free.available_permits(), room.answers.free.available_permits())
    }

    const NOT: Duration = Duration::ZERO;

    #[tokio::test]
    async fn bodies_wait_for_room_and_small_ones_do_not() {
        let room = Room::new(100 * KIB);
        let first = room.of_body(70 * KIB, NOT).await.unwrap();
        assert_eq!(free(&room), (30, 100));
        assert!(room.of_body(31 * KIB, NOT).await.is_none());
        assert!(room.of_body(SMALL, NOT).await.is_some());
        drop(first);
        // More than there is means all there is.
        let all = room.of_body(16 << 20, NOT).await.unwrap();
        assert_eq!(free(&room), (0, 100));
        assert!(room.of_body(SMALL + 1, NOT).await.is_none());
        drop(all);
        assert_eq!(free(&room), (100, 100));
    }

    #[tokio::test]
    async fn an_answer_keeps_its_room_until_it_is_sent() {
        let room = Room::new(2000 * KIB);
        let answer = async |class, bytes: usize| {
            let held = room.of_answer(class, NOT).await?;
            Some(room.occupy(held, vec![b'x'; bytes]))
        };
        let page = answer(OperationClass::Blocking, 900 * KIB).await.unwrap();
        assert_eq!(free(&room), (2000, 1100));
        let item = answer(OperationClass::PointRead, 100 * KIB + 1).await.unwrap();
        assert_eq!(free(&room), (2000, 999));
        // Small answers occupy nothing, and a write's takes what it finds.
        let _small = answer(OperationClass::PointRead, 100).await.unwrap();
        let written = answer(OperationClass::Write, 400 * KIB).await.unwrap();
        assert_eq!(free(&room), (2000, 599));
        assert!(answer(OperationClass::Blocking, 1).await.is_none());
        let point = room.of_answer(OperationClass::PointRead, NOT).await.unwrap();
        // More than was held: all that is free, and no more than that.
        let large = room.occupy(point, vec![0; 5000 * KIB]);
        assert_eq!(free(&room), (2000, 0));
        assert_eq!((large.len(), &page[..3]), (5000 * KIB, &b"xxx"[..]));
        let part = page.slice(5..10);
        drop((page, item, written, large));
        assert_eq!(free(&room), (2000, 1100));
        drop(part);
        assert_eq!(free(&room), (2000, 2000));
    }
}
