//! What a kill leaves while a database file is made, or a copy is saved.
//!
//! The program that is killed is this test program itself, told by the environment what to do.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use pdb_model::{EpochMillis, StreamViewType};
use pdb_store::{DatabaseCopy, Durability, Store, StoreError, StoreOptions};
use pdb_testkit::{Kills, TestDb, definition, string_key};

use crate::orders::{NOW as TAKEN, key, orders, put};

/// What the child does, and on which file.
const TASK: &str = "PRETENDER_TEST_TASK";
const FILE: &str = "PRETENDER_TEST_FILE";

fn open(path: &Path) -> Store {
    Store::open(&StoreOptions::file(path).with_durability(Durability::Full)).unwrap()
}

fn put_one(store: &Store, pk: &'static str, value: &'static str) {
    store.write(move |tx| put(tx, pk, value)).unwrap();
}

fn get(store: &Store, pk: &str) -> Option<String> {
    let item = store.read(|tx| {
        let table = tx.table(&orders())?;
        tx.get_item(&table, &key(pk))
    });
    let item: Result<_, StoreError> = item;
    item.unwrap().map(|item| item.decode().unwrap()["value"].as_s().unwrap().to_owned())
}

fn create_orders(store: &Store) {
    let db = TestDb::with_store(store.clone());
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::NewImage);
}

/// The file and all that may be beside it.
fn files_of(path: &Path) -> Vec<PathBuf> {
    let suffixes =
        ["", "-journal", "-wal", "-shm", "-lock", "-making", "-saving", "-saving-journal", "-saving-wal"];
    suffixes.iter().map(|suffix| PathBuf::from(format!("{}{suffix}", path.display()))).collect()
}

/// Copies the files of a database that is open: what a kill would leave.
fn image(path: &Path, to: &Path) {
    for suffix in ["", "-journal", "-wal"] {
        let from = PathBuf::from(format!("{}{suffix}", path.display()));
        if from.exists() {
            fs::copy(from, format!("{}{suffix}", to.display())).unwrap();
        }
    }
}

/// This program, to do one thing only.
fn child(task: &str, file: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "kills::what_the_child_does", "--nocapture"]);
    command.env(TASK, task).env(FILE, file);
    command
}

/// Does what [`child`] asks for; as an ordinary test, nothing.
#[test]
fn what_the_child_does() {
    let (Some(task), Some(file)) = (env::var_os(TASK), env::var_os(FILE)) else { return };
    let file = PathBuf::from(file);
    match task.to_str().unwrap() {
        "open" => open(&file).close(),
        "save" => {
            let store = Store::open(&StoreOptions::memory()).unwrap();
            create_orders(&store);
            put_one(&store, "a", "new");
            let options =
                StoreOptions::file(file.with_extension("source")).with_durability(Durability::Normal);
            let on_disk = Store::open(&options).unwrap();
            on_disk.replace(store.copy(TAKEN).unwrap()).unwrap();
            on_disk.copy_to_file(&file, TAKEN).unwrap();
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_kill_while_a_file_is_made_leaves_one_that_works() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let Some(kills) = Kills::at(&files_of(&path)) else { return };
    let kills = kills.run(
        || {
            files_of(&path).iter().for_each(|file| drop(fs::remove_file(file)));
            child("open", &path)
        },
        |when| {
            let store = Store::open(&StoreOptions::file(&path).with_durability(Durability::Full))
                .unwrap_or_else(|error| panic!("{when}: {error:?}"));
            create_orders(&store);
            put_one(&store, "a", "kept");
            // And killed again, now with data.
            let killed = directory.path().join("killed.db");
            files_of(&killed).iter().for_each(|file| drop(fs::remove_file(file)));
            image(&path, &killed);
            store.close();
            for path in [&killed, &path] {
                let store = Store::open(&StoreOptions::file(path))
                    .unwrap_or_else(|error| panic!("{when}, then with data: {error:?}"));
                assert_eq!(get(&store, "a").as_deref(), Some("kept"), "{when}");
            }
        },
    );
    assert!(kills > 10, "{kills} kills prove little");
}

#[test]
fn a_kill_while_a_copy_is_saved_leaves_the_old_one_or_the_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy.db");
    // The old one was killed itself: its items are in its log only.
    let old = directory.path().join("old.db");
    let running = open(&old);
    create_orders(&running);
    put_one(&running, "a", "old");
    let Some(kills) = Kills::at(&files_of(&path)) else { return };
    let kills = kills.run(
        || {
            files_of(&path).iter().for_each(|file| drop(fs::remove_file(file)));
            image(&old, &path);
            child("save", &path)
        },
        |when| {
            let read = DatabaseCopy::read(&path).unwrap_or_else(|error| panic!("{when}: {error:?}"));
            let store = Store::open(&StoreOptions::memory()).unwrap();
            store.replace(read).unwrap();
            let found = get(&store, "a");
            let is_new = DatabaseCopy::describe_file(&path).unwrap().taken == Some(TAKEN);
            assert_eq!(found.as_deref(), Some(if is_new { "new" } else { "old" }), "{when}");
            // The next attempt succeeds, and leaves nothing else.
            store.copy_to_file(&path, EpochMillis(7)).unwrap_or_else(|error| panic!("{when}: {error:?}"));
            assert_eq!(DatabaseCopy::describe_file(&path).unwrap().taken, Some(EpochMillis(7)));
            let left: Vec<_> = files_of(&path).into_iter().filter(|file| file.exists()).collect();
            let lock = PathBuf::from(format!("{}-lock", path.display()));
            assert!(left.iter().all(|file| *file == path || *file == lock), "{when}: {left:?}");
        },
    );
    assert!(kills > 10, "{kills} kills prove little");
}
