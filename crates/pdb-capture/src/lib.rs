//! The one way an item changes: row, indexes and stream record in one transaction.
