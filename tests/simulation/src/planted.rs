//! Planted bugs: what the simulation must find, so that nobody has to believe that it finds anything.

use std::cell::RefCell;

use pretender::streams::StreamRecord;

use crate::shape::Index;

/// A bug between the database and the simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bug {
    /// None.
    #[default]
    None,
    /// One record in sixteen is lost.
    LostRecord,
    /// Some pages have their last record twice.
    DoubleDelivery,
    /// The entry of a deleted item stays in its indexes.
    StaleIndexEntry,
    /// A restored snapshot lacks the last item of a table.
    IncompleteRestore,
}

/// The planted bug and what it remembers.
#[derive(Debug, Default)]
pub struct Planted {
    bug: Bug,
    stale: RefCell<Vec<(u8, Index, String)>>,
}

impl Planted {
    /// Plants a bug.
    #[must_use]
    pub fn new(bug: Bug) -> Self {
        Self { bug, stale: RefCell::default() }
    }

    /// Returns whether this is the bug.
    #[must_use]
    pub fn is(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    /// Spoils a page of records.
    pub fn spoil_page(&self, records: &mut Vec<StreamRecord>) {
        match self.bug {
            Bug::LostRecord => records.retain(|record| record.sequence_number.counter % 16 != 5),
            Bug::DoubleDelivery => {
                let last = records.last().filter(|last| last.sequence_number.counter % 8 == 3).cloned();
                records.extend(last);
            }
            Bug::None | Bug::StaleIndexEntry | Bug::IncompleteRestore => {}
        }
    }

    /// Notes an entry of an item that is deleted.
    pub fn note_deleted(&self, table: u8, index: Index, entry: String) {
        if self.bug == Bug::StaleIndexEntry {
            self.stale.borrow_mut().push((table, index, entry));
        }
    }

    /// Spoils what a scan of an index returns.
    pub fn spoil_index(&self, table: u8, index: Index, entries: &mut Vec<String>) {
        for (of_table, of_index, entry) in self.stale.borrow().iter() {
            if (*of_table, *of_index) == (table, index) && !entries.contains(entry) {
                entries.push(entry.clone());
            }
        }
    }
}
