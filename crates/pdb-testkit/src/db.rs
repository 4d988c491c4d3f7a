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

/// The initial time of the clock of a [`TestDb`]: 2026-03-01T09:15:42.017Z.
const START: EpochMillis = EpochMillis(1_772_356_542_017);

/// How often a write is repeated after a conflict. The store itself repeats each of these attempts.
const MAX_CONFLICTS: usize = 20;

/// A database for one test, with a held clock and ids that count from 1.
///
/// Its methods panic on errors, because a test has no use for them.
#[derive(Debug)]
pub struct TestDb {
    /// The database.
    pub store: Store,
    /// The clock, which is also in `env`. It is held at 2026-03-01T09:15:42.017Z at first.
    pub clock: Arc<ManualClock>,
    /// The clock and the ids.
    pub env: Env,
    /// Removed after the store was dropped, because fields are dropped in order.
    home: Option<Home>,
}

/// Where the database is stored. Dropping it removes the database.
#[derive(Debug)]
enum Home {
    Directory(tempfile::TempDir),
    Server(Schema),
}

/// The environment variable that selects the engine of tests: `sqlite`, which is the default, or `postgres`.
pub const DATABASE: &str = "PRETENDER_TEST_DATABASE";

/// Returns whether [`DATABASE`] selects PostgreSQL.
#[must_use]
pub fn on_postgres() -> bool {
    std::env::var_os(DATABASE).is_some_and(|kind| kind == "postgres")
}

impl TestDb {
    /// Creates an empty database in memory, or in a schema of a PostgreSQL server if [`DATABASE`] selects that.
    ///
    /// # Panics
    ///
    /// If the database cannot be created.
    #[must_use]
    pub fn new() -> Self {
        if on_postgres() {
            return Self::on_server();
        }
        Self::around(Store::open(&StoreOptions::memory()).expect("a database in memory"), None)
    }

    /// Creates an empty database in a temporary file, or in a schema of a PostgreSQL server if [`DATABASE`] selects that.
    ///
    /// # Panics
    ///
    /// If the database cannot be created.
    #[must_use]
    pub fn on_disk(durability: Durability) -> Self {
        if on_postgres() {
            return Self::on_server();
        }
        Self::in_file(durability)
    }

    /// Creates an empty database in a temporary file, regardless of [`DATABASE`].
    ///
    /// # Panics
    ///
    /// If the database cannot be created.
    #[must_use]
    pub fn in_file(durability: Durability) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = open_in(&directory, durability);
        Self::around(store, Some(Home::Directory(directory)))
    }

    /// Creates an empty database in a schema of a PostgreSQL server, regardless of [`DATABASE`].
    ///
    /// # Panics
    ///
    /// If the database cannot be created, for example because PostgreSQL is not installed.
    #[must_use]
    pub fn on_server() -> Self {
        let schema = Schema::new().expect("PostgreSQL is installed");
        let store = open_at(&schema);
        Self::around(store, Some(Home::Server(schema)))
    }

    /// Returns a test database with a store that the test has opened itself.
    #[must_use]
    pub fn with_store(store: Store) -> Self {
        Self::around(store, None)
    }

    /// Creates a database like [`new`](Self::new), with the table `orders`, whose key is the text attribute `pk`, and its stream.
    ///
    /// # Panics
    ///
    /// If the database cannot be created.
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

    /// Closes the database and opens it again, as after a restart. The database must not be in memory.
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

    /// Creates a table.
    ///
    /// # Panics
    ///
    /// If the table cannot be created.
    pub fn create_table(&self, definition: &TableDefinition) -> Arc<Table> {
        let definition = definition.clone();
        self.write(move |tx| tx.create_table(&definition))
    }

    /// Enables a stream with one shard on a table.
    ///
    /// # Panics
    ///
    /// If the stream cannot be enabled.
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

    /// Runs a write transaction, which must succeed. On PostgreSQL there may be more conflicts with other transactions than the store
    /// retries. The write is then repeated, as a client would do.
    ///
    /// # Panics
    ///
    /// If the transaction fails.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut pdb_store::Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let work = Arc::new(Mutex::new(work));
        let attempt = || {
            let work = work.clone();
            self.store.write(move |tx| (work.lock().expect("no attempt panics"))(tx))
        };
        let attempts = std::iter::repeat_with(attempt).take(MAX_CONFLICTS);
        let mut decided = attempts.skip_while(|written| matches!(written, Err(StoreError::Conflict)));
        decided.next().expect("a write without a conflict").expect("the write succeeds")
    }

    /// Runs a read transaction, which must succeed.
    ///
    /// # Panics
    ///
    /// If the transaction fails.
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

    /// Returns the records of all streams of the table `orders`, also those of deleted tables with this name. They are sorted by stream
    /// label, shard id and sequence number.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    #[must_use]
    pub fn records(&self) -> Vec<StreamRecord> {
        self.records_of("orders")
    }

    /// Returns the records of all streams of a table, like [`records`](Self::records).
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

/// Returns a minimal definition of a table.
///
/// # Panics
///
/// If the name is not valid for a table.
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
