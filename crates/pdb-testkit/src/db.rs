//! A database for one test.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

use crate::Schema;
use pdb_model::{
    Account, CountingIds, EncodedItem, Env, EpochMillis, KeyAttribute, KeySchema, ManualClock, ScalarType,
    ShardId, StreamLabel, StreamRecord, StreamViewType, TableDefinition, TableName,
};
use pdb_store::{Direction, Durability, KeyRange, NewShard, Store, StoreError, StoreOptions, Table};

/// When the clock of a [`TestDb`] stands at first: 2026-03-01T09:15:42.017Z.
const START: EpochMillis = EpochMillis(1_772_356_542_017);

/// How often a write is tried that others are in the way of, each time as often as the store does.
const MOST_CONFLICTS: usize = 20;

/// A database for one test, in memory unless made by [`on_disk`](Self::on_disk), with a clock in the test's hand and ids
/// that count from 1.
#[derive(Debug)]
pub struct TestDb {
    /// The database.
    pub store: Store,
    /// The clock, also of `env`; stands still at 2026-03-01T09:15:42.017Z at first.
    pub clock: Arc<ManualClock>,
    /// The clock and the ids.
    pub env: Env,
    /// Goes with the database.
    home: Option<Home>,
}

/// Where a database is that goes with its test; dropped after the store.
#[derive(Debug)]
enum Home {
    Directory(tempfile::TempDir),
    Server(Schema),
}

/// This variable says on which kind of database tests run: `sqlite` (also if it is not set) or `postgres`.
pub const DATABASE: &str = "PRETENDER_TEST_DATABASE";

/// Returns whether [`DATABASE`] says `postgres`.
#[must_use]
pub fn on_postgres() -> bool {
    std::env::var_os(DATABASE).is_some_and(|kind| kind == "postgres")
}

impl TestDb {
    /// Makes an empty database in memory; in a schema of a PostgreSQL server if [`DATABASE`] says so.
    ///
    /// # Panics
    ///
    /// If it cannot, as all methods do: a test has no use for an error.
    #[must_use]
    pub fn new() -> Self {
        if on_postgres() {
            return Self::on_server();
        }
        Self::around(Store::open(&StoreOptions::memory()).expect("a database in memory"), None)
    }

    /// Makes an empty database in a file of a temporary directory; in a schema of a PostgreSQL server if [`DATABASE`] says so.
    ///
    /// # Panics
    ///
    /// If it cannot.
    #[must_use]
    pub fn on_disk(durability: Durability) -> Self {
        if on_postgres() {
            return Self::on_server();
        }
        Self::in_file(durability)
    }

    /// Makes an empty database in a file of a temporary directory, whatever [`DATABASE`] says.
    ///
    /// # Panics
    ///
    /// If it cannot.
    #[must_use]
    pub fn in_file(durability: Durability) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = open_in(&directory, durability);
        Self::around(store, Some(Home::Directory(directory)))
    }

    /// Makes an empty database in a schema of a PostgreSQL server.
    ///
    /// # Panics
    ///
    /// If it cannot, also if there is no PostgreSQL.
    #[must_use]
    pub fn on_server() -> Self {
        let schema = Schema::new().expect("PostgreSQL is installed");
        let store = open_at(&schema);
        Self::around(store, Some(Home::Server(schema)))
    }

    /// Puts a clock and ids beside a database that was opened in some particular way.
    #[must_use]
    pub fn with_store(store: Store) -> Self {
        Self::around(store, None)
    }

    /// Makes a database in memory with the table `orders`, whose key is the text attribute `pk`, and a stream on it.
    ///
    /// # Panics
    ///
    /// If it cannot.
    #[must_use]
    pub fn streaming(view_type: StreamViewType) -> Self {
        let db = Self::new();
        db.create_table(&definition("orders", string_key("pk")));
        db.enable_stream("orders", view_type);
        db
    }

    fn around(store: Store, home: Option<Home>) -> Self {
        let clock = Arc::new(ManualClock::held_at(START));
        let env = Env { clock: clock.clone(), ids: Arc::new(CountingIds::starting_at(1)) };
        Self { store, clock, env, home }
    }

    /// Closes the database and opens it again, as after a restart. Only for one on disk.
    ///
    /// # Panics
    ///
    /// If the database is in memory, or cannot be opened again.
    #[must_use]
    pub fn reopen(mut self, durability: Durability) -> Self {
        self.store.close();
        self.store = match self.home.as_ref().expect("a database on disk") {
            Home::Directory(directory) => open_in(directory, durability),
            Home::Server(schema) => open_at(schema),
        };
        self
    }

    /// Makes a table.
    ///
    /// # Panics
    ///
    /// If it cannot.
    pub fn create_table(&self, definition: &TableDefinition) -> Arc<Table> {
        let definition = definition.clone();
        self.write(move |tx| tx.create_table(&definition))
    }

    /// Enables a stream with one shard on a table.
    ///
    /// # Panics
    ///
    /// If it cannot.
    pub fn enable_stream(&self, table: &str, view_type: StreamViewType) -> Arc<Table> {
        let (name, env) = (name(table), self.env.clone());
        self.write(move |tx| {
            let table = tx.table(&name)?;
            let now = env.clock.now();
            let arn = Account::default().stream_arn(&name, &StreamLabel::at(now));
            let (table, _) = tx.create_stream(&table, &arn, view_type, now)?;
            let shard = NewShard {
                id: ShardId::at(now, env.ids.next_id() as u32),
                parent: None,
                hash_from: 0,
                hash_to: u64::MAX,
                opened: now,
            };
            Ok(tx.create_shard(&table, &shard)?.0)
        })
    }

    /// Writes, and expects it to succeed. On PostgreSQL others may be in the way more often than the store tries again: then it is
    /// written once more, as a client does.
    ///
    /// # Panics
    ///
    /// If it does not succeed.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut pdb_store::Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let work = Arc::new(Mutex::new(work));
        let attempt = || {
            let work = work.clone();
            self.store.write(move |tx| (work.lock().expect("no attempt panics"))(tx))
        };
        let conflicts = std::iter::repeat_with(attempt).take(MOST_CONFLICTS);
        let mut decided = conflicts.skip_while(|written| matches!(written, Err(StoreError::Conflict)));
        decided.next().expect("others are in the way for ever").expect("the write succeeds")
    }

    /// Reads, and expects it to succeed.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn read<T>(&self, work: impl FnOnce(&mut pdb_store::ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.read(work).expect("the read succeeds")
    }

    /// Returns the table `orders`.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn table(&self) -> Arc<Table> {
        self.read(|tx| tx.table(&name("orders")))
    }

    /// Returns the items of the table `orders` by their stored keys.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn items(&self) -> BTreeMap<Vec<u8>, EncodedItem> {
        self.items_of("orders")
    }

    /// Returns the items of a table by their stored keys.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn items_of(&self, table: &str) -> BTreeMap<Vec<u8>, EncodedItem> {
        self.read(|tx| {
            let table = tx.table(&name(table))?;
            let mut items = BTreeMap::new();
            tx.scan(&table, None, &KeyRange::all(), Direction::Forward, &mut |row| {
                items.insert(row.key.to_vec(), row.to_item());
                ControlFlow::Continue(())
            })?;
            Ok(items)
        })
    }

    /// Returns the records of all streams of the table name `orders`: streams by label, shards by id, records in order.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    #[must_use]
    pub fn records(&self) -> Vec<StreamRecord> {
        self.records_of("orders")
    }

    /// Returns the records of all streams of a table name: streams by label, shards by id, records in order.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    #[must_use]
    pub fn records_of(&self, table: &str) -> Vec<StreamRecord> {
        self.read(|tx| {
            let mut records = Vec::new();
            for stream in tx.streams(Some(&name(table)))? {
                for shard in tx.shards(stream.id)? {
                    tx.records(&stream, shard.number, 0, &mut |record| {
                        records.push(record.to_record(stream.view_type).expect("a readable record"));
                        ControlFlow::Continue(())
                    })?;
                }
            }
            Ok(records)
        })
    }
}

impl Default for TestDb {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns a key schema of one text attribute.
#[must_use]
pub fn string_key(hash: &str) -> KeySchema {
    key_schema((hash, ScalarType::S), None)
}

/// Returns a key schema.
#[must_use]
pub fn key_schema(hash: (&str, ScalarType), range: Option<(&str, ScalarType)>) -> KeySchema {
    let attribute = |(name, scalar_type): (&str, _)| KeyAttribute { name: name.to_owned(), scalar_type };
    KeySchema::simple(attribute(hash), range.map(attribute))
}

/// Returns the least definition of a table.
///
/// # Panics
///
/// If the name cannot be one of a table.
#[must_use]
pub fn definition(table: &str, key_schema: KeySchema) -> TableDefinition {
    TableDefinition::minimal(name(table), format!("id-of-{table}"), START, key_schema)
}

fn name(table: &str) -> TableName {
    table.parse().expect("the name of a table")
}

fn open_at(schema: &Schema) -> Store {
    let options = StoreOptions::postgres(schema.url()).with_writers(4).with_readers(4);
    Store::open(&options).expect("a database on a server")
}

fn open_in(directory: &tempfile::TempDir, durability: Durability) -> Store {
    let options = StoreOptions::file(directory.path().join("test.db")).with_durability(durability);
    Store::open(&options).expect("a database on disk")
}
