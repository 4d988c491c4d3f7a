//! What goes wrong on demand.

use std::time::Duration;

/// What goes wrong, from the moment at which it is planned until it is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk has room for so many more bytes. What is written over bytes that are there takes no room.
    Full {
        /// How many.
        room: u64,
    },
    /// Reads fail with an error of the disk, after so many that do not.
    Read {
        /// How many succeed.
        after: u64,
        /// How many fail then.
        times: u64,
    },
    /// Writes and truncations fail with an error of the disk.
    Write {
        /// How many succeed.
        after: u64,
        /// How many fail then.
        times: u64,
    },
    /// Writes write only their first half, and fail.
    ShortWrite {
        /// How many succeed.
        after: u64,
        /// How many fail then.
        times: u64,
    },
    /// Syncs fail.
    Sync {
        /// How many succeed.
        after: u64,
        /// How many fail then.
        times: u64,
    },
    /// Syncs take this much longer.
    SlowSync {
        /// How much.
        by: Duration,
    },
}

/// How often what can fail was done since the folder was watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Reads.
    pub reads: u64,
    /// Writes and truncations.
    pub writes: u64,
    /// Bytes by which files have grown.
    pub grown: u64,
    /// Syncs.
    pub syncs: u64,
    /// Calls that failed because of a fault.
    pub failed: u64,
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteFate {
    Done,
    /// Its first bytes are written, so many; then the disk is full.
    CutByFullDisk(usize),
    /// Its first bytes are written, then comes an error.
    CutByError(usize),
}

/// A plan, and how far it has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) fault: Option<Fault>,
    /// How many calls that could fail there were since the fault was planned.
    seen: u64,
    pub(crate) counts: FaultCounts,
}

impl Plan {
    /// Begins a fault, or ends the one that there is.
    pub(crate) fn set(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.seen = 0;
    }

    /// Decides about a write of `length` bytes which makes its file longer by `growth`.
    pub(crate) fn write(&mut self, length: usize, growth: u64) -> WriteFate {
        self.counts.writes += 1;
        let fate = match self.fault {
            Some(Fault::Full { room }) => {
                self.fault = Some(Fault::Full { room: room.saturating_sub(growth) });
                match growth.checked_sub(room) {
                    None | Some(0) => WriteFate::Done,
                    Some(missing) => {
                        let missing = usize::try_from(missing).unwrap_or(length);
                        WriteFate::CutByFullDisk(length.saturating_sub(missing))
                    }
                }
            }
            Some(Fault::Write { after, times }) => match self.strikes(after, times) {
                true => WriteFate::CutByError(0),
                false => WriteFate::Done,
            },
            Some(Fault::ShortWrite { after, times }) => match self.strikes(after, times) {
                true => WriteFate::CutByError(length / 2),
                false => WriteFate::Done,
            },
            _ => WriteFate::Done,
        };
        match fate {
            WriteFate::Done => self.counts.grown += growth,
            _ => self.counts.failed += 1,
        }
        fate
    }

    /// Whether a read fails.
    pub(crate) fn read_fails(&mut self) -> bool {
        self.counts.reads += 1;
        let fails = match self.fault {
            Some(Fault::Read { after, times }) => self.strikes(after, times),
            _ => false,
        };
        self.counts.failed += u64::from(fails);
        fails
    }

    /// Whether a sync fails.
    pub(crate) fn sync_fails(&mut self) -> bool {
        self.counts.syncs += 1;
        let fails = match self.fault {
            Some(Fault::Sync { after, times }) => self.strikes(after, times),
            _ => false,
        };
        self.counts.failed += u64::from(fails);
        fails
    }

    /// How long a sync is held up.
    pub(crate) fn sync_delay(&self) -> Option<Duration> {
        match self.fault {
            Some(Fault::SlowSync { by }) => Some(by),
            _ => None,
        }
    }

    fn strikes(&mut self, after: u64, times: u64) -> bool {
        let nth = self.seen;
        self.seen += 1;
        nth >= after && nth - after < times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_after_so_many_calls_and_so_often() {
        let mut plan = Plan::default();
        plan.set(Some(Fault::Sync { after: 2, times: 3 }));
        let fates: Vec<bool> = (0..7).map(|_| plan.sync_fails()).collect();
        assert_eq!(fates, [false, false, true, true, true, false, false]);
        assert!(!plan.read_fails());
        assert_eq!(plan.write(8, 8), WriteFate::Done);
        assert_eq!(plan.counts, FaultCounts { reads: 1, writes: 1, grown: 8, syncs: 7, failed: 3 });
    }

    #[test]
    fn a_full_disk_takes_what_fits_and_what_needs_no_room() {
        let mut plan = Plan::default();
        plan.set(Some(Fault::Full { room: 10 }));
        assert_eq!(plan.write(8, 8), WriteFate::Done);
        assert_eq!(plan.write(8, 8), WriteFate::CutByFullDisk(2));
        assert_eq!(plan.write(8, 0), WriteFate::Done);
        plan.set(None);
        assert_eq!(plan.write(8, 8), WriteFate::Done);
    }
}
