//! The Rust snippets of `README.md` and `docs` as tests: see `build.rs`. `cargo xtask documents` runs the snippets in other languages.
#![cfg(test)]
#![allow(unused_imports, unused_variables, dead_code, reason = "snippets are cut short")]

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the documents say that each snippet begins with.
mod prelude {
    pub(crate) use pretender::prelude::*;
    pub(crate) use std::{sync::Arc, time::Duration};
}

/// Held by the test that may use the current folder, which belongs to the whole process.
static FOLDER: Mutex<()> = Mutex::new(());

/// An empty folder that is the current one.
struct CurrentFolder {
    _alone: MutexGuard<'static, ()>,
    _folder: tempfile::TempDir,
}

/// Makes an empty folder the current one.
fn folder() -> CurrentFolder {
    let alone = FOLDER.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    CurrentFolder { _alone: alone, _folder: folder }
}

include!(concat!(env!("OUT_DIR"), "/snippets.rs"));
