//! The files of an SQLite database, as the system sees them: which one is which, how one takes the place of another, who has
//! one open. SQLite itself is told of a file when all of this is settled (`open.rs`).

pub(crate) mod database;
pub(crate) mod file_lock;
mod holder;
pub(crate) mod lock;
mod log;
pub(crate) mod names;
mod new;
mod place;
mod watched_files;

pub(crate) use database::{Access, Content, DatabaseFile, immutable};
pub(crate) use file_lock::{FileLock, LogIndex};
pub(crate) use lock::{LockFile, MakeLock};
pub(crate) use log::rewrite_log;
pub(crate) use names::{beside, has_log, is_same, one_name};
pub(crate) use new::make;
pub(crate) use place::{create, give_mode_of, put_in_place, remove_unfinished};
pub(crate) use watched_files::WatchedFiles;
