//! The database as a whole: copying it, and putting a copy in its place.

use std::{
    path::Path,
    sync::{Arc, PoisonError},
};

use pdb_model::EpochMillis;

use super::SqliteEngine;
use crate::{
    driver::Driver,
    error::{During, StoreError},
    options::Durability,
    sqlite::{
        connection,
        copy::{self, CopyDescription, DatabaseCopy, EachStep, NewFile},
        load,
    },
};

impl SqliteEngine {
    /// The database's file, by the one name it is locked under.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.core.file.as_deref()
    }

    pub(crate) fn copy(&self, taken: EpochMillis) -> Result<DatabaseCopy, StoreError> {
        let copy = self.with_source(DatabaseCopy::of)?;
        copy.sign(taken)?;
        Ok(copy)
    }

    pub(crate) fn copy_to_file(
        &self,
        path: &Path,
        taken: EpochMillis,
        is_durable: bool,
        each: EachStep<'_>,
    ) -> Result<CopyDescription, StoreError> {
        let file = NewFile {
            path,
            replaces: true,
            is_durable: is_durable && self.core.durability != Durability::Off,
            like: None,
        };
        // Two copies into one file would meet in what they have not finished.
        self.maintain(|| self.with_source(|source| copy::copy_to_file(source, file, taken, each)))
    }

    pub(crate) fn replace(&self, copy: DatabaseCopy, each: EachStep<'_>) -> Result<(), StoreError> {
        let replaced = self.maintain(|| self.replace_now(copy, each));
        self.core.watchers.call();
        replaced
    }

    fn replace_now(&self, copy: DatabaseCopy, each: EachStep<'_>) -> Result<(), StoreError> {
        let core = &*self.core;
        let mut writer = core.lock_writer();
        let writer = writer.as_mut().ok_or(StoreError::Closed)?;
        writer.check_files()?;
        writer.break_seal()?;
        copy.succeed(Driver::new(&writer.connection), &writer.catalog)?;
        let mut catalog = load::load_catalog(Driver::new(&copy.connection), &writer.catalog.traffic)?;
        catalog.rotation_age = writer.catalog.rotation_age;
        let catalog = Arc::new(catalog);
        // No reader may begin in between: its snapshot and its catalog must agree.
        let mut published = core.published.write().unwrap_or_else(PoisonError::into_inner);
        let old = if core.memory {
            core.interrupts.set_writer(&copy.connection);
            std::mem::replace(&mut writer.connection, copy.connection)
        } else {
            // One transaction of the log, so that a process that dies leaves all of it, or nothing.
            copy::copy_pages(&copy.connection, &mut writer.connection, each)
                .inspect_err(|error| writer.note_failure(error))?;
            copy.connection
        };
        writer.catalog = catalog.clone();
        *published = catalog;
        drop(published);
        // Giving much memory back takes time.
        drop(old);
        writer.look_at_the_log();
        Ok(())
    }

    /// Runs `work` on a connection that sees what is committed.
    fn with_source<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let core = &*self.core;
        let Some(path) = &core.file else {
            let writer = core.lock_writer();
            return work(&writer.as_ref().ok_or(StoreError::Closed)?.connection);
        };
        if core.pool.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Err(StoreError::Closed);
        }
        if let Some(writer) = core.writer_of_lost_file() {
            return work(&writer.as_ref().ok_or(StoreError::Closed)?.connection);
        }
        work(&connection::open_reader(path).during("open a connection to copy from")?)
    }
}
