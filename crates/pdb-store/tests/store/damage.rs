//! Rows that are not what was written.

use std::{ops::ControlFlow, path::PathBuf};

use pdb_model::{
    EncodedItem, EpochMillis, EventName, IndexKind, IndexName, Item, KeyBytes, Projection,
    ProvisionedThroughput, SecondaryIndex, StreamViewType,
};
use pdb_store::{Direction, Durability, KeyRange, NewEntry, NewRecord, Store, StoreError, StoreOptions, Tx};
#[cfg(feature = "postgres")]
use pdb_testkit::Schema;
use pdb_testkit::{TestDb, definition, string_key};

/// Three items with an index entry and a record each, in a closed file.
struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn key(pk: &str) -> KeyBytes {
    string_key("pk").extract(&Item::new().with("pk", pk)).unwrap().encode()
}

fn by_day() -> IndexName {
    "by_day".parse().unwrap()
}

fn write(tx: &mut Tx<'_>, pk: &str) -> Result<(), StoreError> {
    let table = tx.table(&"orders".parse().unwrap())?;
    let item = EncodedItem::from(&Item::new().with("pk", pk).with("day", "monday").with("n", 12));
    let old = tx.lock_item(&table, &key(pk))?.map(|(row, _)| row);
    tx.put_item(&table, &key(pk), old, &item, None)?;
    let entry = KeyBytes::from_stored([b"monday", key(pk).as_bytes()].concat());
    let old_entry = old.map(|_| item.size_bytes());
    let base = key(pk);
    let new = NewEntry { key: &entry, content: base.as_bytes(), projected: &item };
    tx.put_index_entry(&table, &by_day(), new, old_entry)?;
    let keys = EncodedItem::from(&Item::new().with("pk", pk));
    let record = NewRecord {
        event_name: EventName::Insert,
        keys: &keys,
        old_image: None,
        new_image: Some(&item),
        created: EpochMillis(1_772_356_542_017),
        user_identity: None,
        hash_key_value: pk,
        sort_key_value: None,
    };
    tx.append_record(&table, || 7, &record)
}

/// Makes the table and its rows.
fn fill(db: &TestDb) {
    let mut orders = definition("orders", string_key("pk"));
    orders.indexes.push(SecondaryIndex {
        name: by_day(),
        kind: IndexKind::Global,
        key_schema: string_key("day"),
        projection: Projection::All,
        provisioned_throughput: ProvisionedThroughput::default(),
        on_demand_throughput: None,
        warm_throughput: None,
    });
    db.create_table(&orders);
    db.enable_stream("orders", StreamViewType::NewAndOldImages);
    for pk in ["a", "b", "c"] {
        db.write(move |tx| write(tx, pk));
    }
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let options = StoreOptions::file(&path).with_durability(Durability::Off);
        let db = TestDb::with_store(Store::open(&options).unwrap());
        fill(&db);
        db.store.close();
        Self { _folder: folder, path }
    }

    fn damage(&self, sql: &str) {
        let connection = rusqlite::Connection::open(&self.path).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn open(&self) -> Store {
        Store::open(&StoreOptions::file(&self.path)).unwrap()
    }
}

/// What comes of reading: how many rows, or what the error says.
type Answer = Result<usize, String>;

fn answer(store: &Store, result: Result<usize, StoreError>) -> Answer {
    let file = store.file().map(|file| file.display().to_string()).unwrap_or_else(|| "no file".to_owned());
    result.map_err(|error| error.to_string().replace(&file, "FILE"))
}

fn get(store: &Store, pk: &str) -> Answer {
    answer(
        store,
        store.read(|tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            Ok(usize::from(tx.get_item(&table, &key(pk))?.is_some()))
        }),
    )
}

fn scan(store: &Store, index: Option<&IndexName>) -> Answer {
    answer(
        store,
        store.read(|tx| {
            let (table, mut rows) = (tx.table(&"orders".parse().unwrap())?, 0);
            tx.scan(&table, index, &KeyRange::all(), Direction::Backward, &mut |_| {
                rows += 1;
                ControlFlow::Continue(())
            })?;
            Ok(rows)
        }),
    )
}

/// Reads records from a counter on.
fn records(store: &Store, from: u64) -> Answer {
    answer(
        store,
        store.read(|tx| {
            let (stream, mut rows) = (tx.streams(None)?.remove(0), 0);
            tx.records(&stream, 1, from, &mut |_| {
                rows += 1;
                ControlFlow::Continue(())
            })?;
            Ok(rows)
        }),
    )
}

const ITEM: &str = "stored item of table `orders` in `FILE` cannot be read: it is not what was written: its checksum does not match";
const ENTRY: &str = "stored index entry of table `orders` in `FILE` cannot be read: it is not what was written: its checksum does not match";
const RECORD: &str = "stored stream record of table `orders` in `FILE` cannot be read: it is not what was written: its checksum does not match";

#[test]
fn whole_rows_are_read() {
    let file = File::new();
    let store = file.open();
    assert_eq!((get(&store, "b"), get(&store, "x")), (Ok(1), Ok(0)));
    assert_eq!(
        (scan(&store, None), scan(&store, Some(&by_day())), records(&store, 0)),
        (Ok(3), Ok(3), Ok(3))
    );
}

#[test]
fn a_damaged_item_is_an_error_and_the_others_are_not() {
    for damage in [
        "item = replace(item, '12', '13')",
        "item = substr(item, 1, length(item) - 1)",
        "item = ''",
        "item = (SELECT item FROM pdb_item_orders WHERE id = 1)",
        "size_bytes = size_bytes + 1",
        "checksum = checksum + 1",
        "(item, size_bytes, checksum) = (SELECT item, size_bytes, checksum FROM pdb_item_orders WHERE id = 1)",
    ] {
        let file = File::new();
        file.damage(&format!("UPDATE pdb_item_orders SET {damage} WHERE id = 2"));
        let store = file.open();
        let bad = Err(ITEM.to_owned());
        assert_eq!(
            (get(&store, "a"), get(&store, "b"), get(&store, "c")),
            (Ok(1), bad.clone(), Ok(1)),
            "{damage}"
        );
        assert_eq!((scan(&store, None), scan(&store, Some(&by_day()))), (bad.clone(), Ok(3)), "{damage}");
        // Nor is it written to, for nobody knows what it was.
        let written = store.write(|tx| write(tx, "b")).map(|()| 0);
        assert_eq!(answer(&store, written), bad, "{damage}");
        store.write(|tx| write(tx, "c")).unwrap();
    }
}

#[test]
fn rows_that_changed_places_are_errors() {
    let file = File::new();
    file.damage(
        "CREATE TABLE was AS SELECT id, key FROM pdb_item_orders;
         UPDATE pdb_item_orders SET key = CAST(id AS BLOB);
         UPDATE pdb_item_orders SET key = (SELECT key FROM was WHERE was.id = 4 - pdb_item_orders.id);
         DROP TABLE was;",
    );
    let (store, bad) = (file.open(), Err(ITEM.to_owned()));
    assert_eq!((get(&store, "a"), get(&store, "b"), get(&store, "c")), (bad.clone(), Ok(1), bad));
}

#[test]
fn a_damaged_index_entry_is_an_error() {
    for damage in [
        "item = replace(item, 'monday', 'sunday')",
        "base = (SELECT base FROM pdb_index_orders_by_day WHERE id = 1)",
        "entry = CAST(entry || x'01' AS BLOB)",
        "size_bytes = 1",
    ] {
        let file = File::new();
        file.damage(&format!("UPDATE pdb_index_orders_by_day SET {damage} WHERE id = 2"));
        let store = file.open();
        assert_eq!(
            (scan(&store, Some(&by_day())), scan(&store, None)),
            (Err(ENTRY.to_owned()), Ok(3)),
            "{damage}"
        );
    }
}

#[test]
fn a_damaged_record_is_an_error_and_the_others_are_not() {
    for damage in [
        "new_image_json = replace(new_image_json, '12', '21')",
        "new_image_json = NULL",
        "old_image_json = ''",
        "keys_json = '{}'",
        "event_type = 'REMOVE'",
        "approximate_creation_time = approximate_creation_time - 1",
        "size_bytes = 7",
        "keys_size_bytes = 7",
        "old_image_size_bytes = 7",
        "user_identity = '[]'",
        "sequence_number = (1 << 40) + 9",
    ] {
        let file = File::new();
        // The numbers of the records are 2, 3 and 4, above the one that the shard took when it was opened.
        file.damage(&format!("UPDATE pdb_stream_orders SET {damage} WHERE sequence_number = (1 << 40) + 4"));
        let store = file.open();
        assert_eq!(
            (records(&store, 5), records(&store, 4), records(&store, 0)).2,
            Err(RECORD.to_owned()),
            "{damage}"
        );
    }
    let file = File::new();
    file.damage("UPDATE pdb_stream_orders SET keys_json = '{}' WHERE sequence_number = (1 << 40) + 2");
    assert_eq!(records(&file.open(), 3), Ok(2));
}

#[test]
fn a_row_of_another_table_is_an_error() {
    let file = File::new();
    let db = TestDb::with_store(file.open());
    db.create_table(&definition("others", string_key("pk")));
    db.write(|tx| {
        let table = tx.table(&"others".parse().unwrap())?;
        let item = EncodedItem::from(&Item::new().with("pk", "a").with("day", "monday").with("n", 12));
        tx.put_item(&table, &key("a"), None, &item, None)
    });
    assert_eq!(get(&db.store, "a"), Ok(1));
    db.store.close();
    // SQLite's schema names the pages of the other table.
    file.damage(
        "PRAGMA writable_schema = ON;
         CREATE TEMP TABLE page AS SELECT name, rootpage FROM sqlite_schema WHERE tbl_name LIKE 'pdb_item_%';
         UPDATE sqlite_schema SET rootpage = (SELECT page.rootpage FROM page
             WHERE page.name = replace(sqlite_schema.name, 'orders', 'others'))
             WHERE tbl_name = 'pdb_item_orders';
         UPDATE sqlite_schema SET rootpage = (SELECT page.rootpage FROM page
             WHERE page.name = replace(sqlite_schema.name, 'others', 'orders'))
             WHERE tbl_name = 'pdb_item_others';",
    );
    assert_eq!(get(&file.open(), "a"), Err(ITEM.to_owned()));
}

#[test]
fn a_definition_or_a_stream_of_another_table_is_refused_at_opening() {
    for (damage, what) in [
        ("pdb_metadata SET item_table = 'pdb_item_others'", "table definition of table `orders`"),
        (
            "pdb_metadata SET definition = replace(definition, 'orders', 'others')",
            "table definition of table `others`",
        ),
        ("pdb_metadata SET definition = '{'", "table definition"),
        ("pdb_stream SET arn = replace(arn, 'orders', 'others')", "stream of table `orders`"),
        ("pdb_stream SET record_table = 'pdb_stream_others'", "stream of table `orders`"),
        ("pdb_shard SET hash_to = 'x'", "hash range"),
    ] {
        let file = File::new();
        file.damage(&format!("UPDATE {damage}"));
        let error = Store::open(&StoreOptions::file(&file.path)).unwrap_err();
        let error = std::error::Error::source(&error).unwrap().to_string();
        let expected = format!("stored {what} in `{}` cannot be read: ", file.path.display());
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn rows_of_schema_1_are_read_and_get_a_checksum_when_they_are_written() {
    let file = File::new();
    file.damage(
        "ALTER TABLE pdb_item_orders DROP COLUMN checksum;
         ALTER TABLE pdb_index_orders_by_day DROP COLUMN checksum;
         ALTER TABLE pdb_stream_orders DROP COLUMN checksum;
         ALTER TABLE pdb_setting DROP COLUMN checksum;
         ALTER TABLE pdb_metadata DROP COLUMN checksum;
         ALTER TABLE pdb_statistic DROP COLUMN checksum;
         ALTER TABLE pdb_stream DROP COLUMN checksum;
         ALTER TABLE pdb_shard DROP COLUMN checksum;
         ALTER TABLE pdb_shard DROP COLUMN time_steps;
         ALTER TABLE pdb_shard DROP COLUMN newest_record_at;
         ALTER TABLE pdb_token DROP COLUMN checksum;
         ALTER TABLE pdb_document DROP COLUMN checksum;
         DROP TABLE pdb_history;
         PRAGMA user_version = 1;",
    );
    let store = file.open();
    assert_eq!(
        (scan(&store, None), scan(&store, Some(&by_day())), records(&store, 0)),
        (Ok(3), Ok(3), Ok(3))
    );
    store.write(|tx| write(tx, "b")).unwrap();
    store.close();
    let have_one = |table: &str| -> i64 {
        let connection = rusqlite::Connection::open(&file.path).unwrap();
        let sql = format!("SELECT count(checksum) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(have_one("pdb_item_orders"), 1);
    assert_eq!(have_one("pdb_index_orders_by_day"), 1);
    assert_eq!(have_one("pdb_stream_orders"), 1);
    // What has one is checked from then on.
    file.damage("UPDATE pdb_item_orders SET item = '{}'");
    let store = file.open();
    assert_eq!((get(&store, "a"), get(&store, "b")), (Ok(1), Err(ITEM.to_owned())));
}

#[test]
fn a_backup_keeps_damage_visible() {
    for damage in ["pdb_item_orders", "pdb_backup_kept"] {
        let file = File::new();
        let store = file.open();
        store
            .write(|tx| {
                let table = tx.table(&"orders".parse().unwrap())?;
                tx.keep_items(&table, "kept")
            })
            .unwrap();
        store.close();
        if damage == "pdb_item_orders" {
            file.damage("DROP TABLE pdb_backup_kept");
        }
        file.damage(&format!("UPDATE {damage} SET item = '{{}}' WHERE rowid = 2"));
        let store = file.open();
        store
            .write(move |tx| {
                let orders = tx.table(&"orders".parse().unwrap())?;
                if damage == "pdb_item_orders" {
                    tx.keep_items(&orders, "kept")?;
                }
                let again = tx.create_table(&definition("again", string_key("pk")))?;
                tx.restore_items(&again, "kept")
            })
            .unwrap();
        let get = |pk: &str| {
            answer(
                &store,
                store.read(|tx| {
                    let table = tx.table(&"again".parse().unwrap())?;
                    Ok(usize::from(tx.get_item(&table, &key(pk))?.is_some()))
                }),
            )
        };
        assert_eq!(
            (get("a"), get("b"), get("c")),
            (Ok(1), Err(ITEM.replace("orders", "again")), Ok(1)),
            "{damage}"
        );
    }
}

#[test]
fn what_sqlite_says_names_the_file() {
    let file = File::new();
    let find = "SELECT (rootpage - 1) * 8192 FROM sqlite_schema WHERE name = 'pdb_item_orders'";
    let at: i64 =
        rusqlite::Connection::open(&file.path).unwrap().query_row(find, [], |row| row.get(0)).unwrap();
    // A page of a kind that does not exist.
    let mut bytes = std::fs::read(&file.path).unwrap();
    bytes[at as usize] = 0x77;
    std::fs::write(&file.path, &bytes).unwrap();
    let store = file.open();
    let said = |error: StoreError| {
        let source = std::error::Error::source(&error).unwrap().to_string();
        source.replace(&file.path.display().to_string(), "FILE")
    };
    let malformed = "database disk image is malformed, in `FILE`";
    let read = store.read(|tx| {
        let table = tx.table(&"orders".parse().unwrap())?;
        tx.get_item(&table, &key("a"))
    });
    assert_eq!(said(read.unwrap_err()), malformed);
    assert_eq!(said(store.write(|tx| write(tx, "a")).unwrap_err()), malformed);
    // The rest of the database is not affected.
    assert_eq!((scan(&store, Some(&by_day())), records(&store, 0)), (Ok(3), Ok(3)));
}

/// PostgreSQL's rows have the same checksums: what the server adds to those of records is what we add.
#[cfg(feature = "postgres")]
#[test]
fn damage_on_a_server_is_an_error_too() {
    let Some(schema) = Schema::new() else { return };
    let open = || Store::open(&StoreOptions::postgres(schema.url())).unwrap();
    let db = TestDb::with_store(open());
    fill(&db);
    let rows = |store: &Store| (scan(store, None), scan(store, Some(&by_day())), records(store, 0));
    assert_eq!(rows(&db.store), (Ok(3), Ok(3), Ok(3)));
    let sums = "SELECT count(checksum) FROM";
    for table in ["pdb_item_orders", "pdb_index_orders_by_day", "pdb_stream_orders"] {
        assert_eq!(schema.sql(&format!("{sums} {table}")), "3");
    }
    schema.sql("UPDATE pdb_item_orders SET item = replace(item, '12', '13')");
    let bad = |what: &str| {
        let why = "it is not what was written: its checksum does not match";
        Err(format!("stored {what} of table `orders` cannot be read: {why}"))
    };
    assert_eq!(rows(&db.store), (bad("item"), Ok(3), Ok(3)));
    schema.sql("UPDATE pdb_index_orders_by_day SET size_bytes = 1");
    schema.sql("UPDATE pdb_stream_orders SET sequence_number = sequence_number + 7");
    assert_eq!(rows(&db.store), (bad("item"), bad("index entry"), bad("stream record")));
}
