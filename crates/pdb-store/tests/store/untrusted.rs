//! Files that come from anybody, or from a bad disk: what is not a whole database of ours is refused before anything is replaced.

use std::{collections::BTreeMap, fs, path::Path};

use pdb_model::{EncodedItem, StreamRecord, StreamViewType};
use pdb_store::{DatabaseCopy, Durability, OpenError, Shape, Store, StoreError, StoreOptions};
use pdb_testkit::{TestDb, definition, string_key};

use crate::orders::{NOW as TAKEN, orders, put};

const PAGE: usize = 8192;

/// A database with tables, streams, backups, documents, tokens, and pages that are free.
fn full() -> TestDb {
    let db = TestDb::with_store(Store::open(&StoreOptions::memory()).unwrap());
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::NewImage);
    for name in ["users", "gone"] {
        db.create_table(&definition(name, string_key("pk")));
    }
    db.write(|tx| {
        for i in 0..60_usize {
            // Some are larger than a page.
            let length = if i % 10 == 0 { 5_000 + i * 20 } else { 20 + i * 3 };
            put(tx, &format!("key {i}"), &format!("{i} ").repeat(length))?;
        }
        let table = tx.table(&orders())?;
        tx.keep_items(&table, "backup-1")?;
        tx.put_document("backup", "backup-1", "{}")?;
        tx.drop_table(&"gone".parse().unwrap(), TAKEN)
    });
    db.write(|tx| {
        let table = tx.table(&orders())?;
        tx.keep_items(&table, "deleted")
    });
    db.write(|tx| tx.drop_kept_items("deleted"));
    db
}

/// What users see of a database.
fn seen(db: &TestDb) -> (BTreeMap<Vec<u8>, EncodedItem>, Vec<StreamRecord>, Shape) {
    (db.items(), db.records(), db.read(|tx| tx.shape()))
}

/// A random number, the same each time: <https://prng.di.unimi.it/splitmix64.c>.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Each page is damaged in each of some ways. A file that is damaged is refused, or the damage is where nothing is.
#[test]
fn a_damaged_page_never_takes_the_place_of_a_good_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("snapshot.db");
    full().store.copy_to_file(&path, TAKEN).unwrap();
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / PAGE;
    assert!(pages > 30, "{pages}");

    let target = full();
    target.store.replace(DatabaseCopy::read(&path).unwrap()).unwrap();
    let good = seen(&target);
    let mut random = 0x5eed;
    let mut refused = 0;
    let mut tries = 0;
    for page in 0..pages {
        // Not the header of the file, of which little is a page.
        let begin = page * PAGE + if page == 0 { 100 } else { 0 };
        let range = begin..(page + 1) * PAGE;
        let other = (page + 1) % pages;
        for damage in 0..5 {
            let mut bytes = whole.clone();
            match damage {
                0 => bytes[range.clone()].fill(0),
                1 => bytes[range.clone()].fill(0xff),
                2 => bytes[range.clone()].iter_mut().for_each(|byte| *byte = next(&mut random) as u8),
                // The head of a page, and where its cells are.
                3 => bytes[range.start..range.start + 16]
                    .iter_mut()
                    .for_each(|byte| *byte = next(&mut random) as u8),
                // A write that went to the wrong place.
                _ if page > 0 && other > 0 => {
                    bytes.copy_within(other * PAGE..(other + 1) * PAGE, range.start)
                }
                _ => continue,
            }
            if bytes == whole {
                continue;
            }
            tries += 1;
            fs::write(&path, &bytes).unwrap();
            match DatabaseCopy::read(&path) {
                Err(StoreError::Open(
                    OpenError::Damaged { .. } | OpenError::NotADatabase(_) | OpenError::Altered { .. },
                )) => refused += 1,
                Err(other) => panic!("page {page}, damage {damage}: {other:?}"),
                Ok(copy) => {
                    target.store.replace(copy).unwrap();
                    assert!(seen(&target) == good, "page {page}, damage {damage}");
                }
            }
        }
    }
    assert!(seen(&target) == good);
    assert!(refused * 10 > tries * 7, "{refused} of {tries}");
}

/// Changes a file with another program.
fn change(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn refusal(error: StoreError) -> String {
    match error {
        StoreError::Open(OpenError::Altered { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_hides_in_a_schema_is_refused_and_never_run() {
    let directory = tempfile::tempdir().unwrap();
    let good = directory.path().join("good.db");
    full().store.copy_to_file(&good, TAKEN).unwrap();
    let path = directory.path().join("snapshot.db");
    let endless = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    for (name, sql) in [
        ("trigger `t`", format!("CREATE TRIGGER t BEFORE INSERT ON pdb_item_orders BEGIN {endless}; END")),
        ("trigger `t`", format!("CREATE TRIGGER t AFTER UPDATE ON pdb_setting BEGIN {endless}; END")),
        ("view `v`", format!("CREATE VIEW v AS {endless}")),
        ("table `notes`", "CREATE TABLE notes (x)".to_owned()),
        (
            "table `pdb_item_orders`",
            "ALTER TABLE pdb_item_orders ADD COLUMN x INTEGER CHECK (x > 1)".to_owned(),
        ),
        ("index `i`", "CREATE INDEX i ON pdb_item_orders (abs(size_bytes - 9223372036854775807))".to_owned()),
    ] {
        fs::copy(&good, &path).unwrap();
        change(&path, &sql);
        let read = refusal(DatabaseCopy::read(&path).unwrap_err());
        assert!(read.contains(name), "{read}");
        assert_eq!(refusal(DatabaseCopy::describe_file(&path).unwrap_err()), read);
        let before = fs::read(&path).unwrap();
        let options = StoreOptions::file(&path).with_durability(Durability::Off);
        assert_eq!(refusal(Store::open(&options).unwrap_err()), read);
        assert_eq!(fs::read(&path).unwrap(), before, "a file that is refused stays as it is");
    }

    // Rows that lead to other tables, and tables that no row leads to.
    for (what, sql) in [
        ("belongs to nothing", "DELETE FROM pdb_metadata WHERE table_name = 'users'"),
        ("is missing", "DROP TABLE pdb_item_users"),
        (
            "in a table of another",
            "UPDATE pdb_metadata SET item_table = 'pdb_setting' WHERE table_name = 'users'",
        ),
        ("in a table of another", "UPDATE pdb_stream SET record_table = 'sqlite_schema'"),
    ] {
        fs::copy(&good, &path).unwrap();
        change(&path, sql);
        let error = DatabaseCopy::read(&path).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    DatabaseCopy::read(&good).unwrap();
}
