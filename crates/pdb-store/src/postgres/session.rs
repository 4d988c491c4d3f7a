//! One connection: its prepared statements, and what went wrong in its open transaction.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    error::Error as StdError,
};

use postgres::{
    Client, SimpleQueryMessage, Statement,
    types::{FromSql, IsNull, ToSql, Type, private::BytesMut},
};

use crate::{
    db_error::DbError,
    error::{During, StoreError},
    params::Param,
    postgres::fault::Fault,
};

/// A row of PostgreSQL's.
pub(crate) type PgRow = postgres::Row;

/// Statements kept prepared on each connection; each costs the server some 20 KB.
const STATEMENTS: usize = 256;

/// A connection, used by one thread at a time.
pub(crate) struct Session {
    client: RefCell<Client>,
    /// By their texts as the store has them.
    statements: RefCell<HashMap<Box<str>, Statement>>,
    /// What made the open transaction fail. It decides whether the job runs again, also if the closure swallowed or replaced the error.
    failure: RefCell<Option<DbError>>,
    /// The work found the database changed under it.
    is_stale: Cell<bool>,
    /// A transaction may be open.
    is_open: Cell<bool>,
    /// It answers, but another may serve better: this one is to a server that cannot be written.
    is_useless: Cell<bool>,
}

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client: RefCell::new(client),
            statements: RefCell::default(),
            failure: RefCell::default(),
            is_stale: Cell::new(false),
            is_open: Cell::new(false),
            is_useless: Cell::new(false),
        }
    }

    /// Begins a transaction with a text that ends in a query of the catalog's version; returns that.
    pub(crate) fn begin(&self, sql: &str) -> Result<i64, StoreError> {
        self.failure.take();
        self.is_stale.set(false);
        self.is_open.set(true);
        let during = "begin a transaction";
        let messages = self.noted(self.client.borrow_mut().simple_query(sql)).during(during)?;
        let version = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).and_then(|version| version.parse().ok()),
            _ => None,
        });
        version.ok_or_else(|| StoreError::corrupt("catalog", "it has no version"))
    }

    /// Ends the transaction.
    pub(crate) fn commit(&self) -> Result<(), DbError> {
        self.noted(self.client.borrow_mut().batch_execute("COMMIT"))?;
        self.is_open.set(false);
        Ok(())
    }

    /// Undoes the transaction. If that fails the connection is not used again.
    pub(crate) fn roll_back(&self) {
        if !self.is_open.get() {
            return;
        }
        match self.client.borrow_mut().batch_execute("ROLLBACK") {
            Ok(()) => self.is_open.set(false),
            Err(error) => tracing::debug!(%error, "a transaction could not be rolled back"),
        }
    }

    pub(crate) fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, DbError> {
        let statement = self.prepared(sql)?;
        let mut client = self.client.borrow_mut();
        let changed = with_params(params, |params| client.execute(&statement, params));
        Ok(usize::try_from(self.noted(changed)?).unwrap_or(usize::MAX))
    }

    pub(crate) fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<PgRow>, DbError> {
        let statement = self.prepared(sql)?;
        let mut client = self.client.borrow_mut();
        self.noted(with_params(params, |params| client.query(&statement, params)))
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<(), DbError> {
        self.noted(self.client.borrow_mut().batch_execute(sql))
    }

    /// Keeps the connection from being used again.
    pub(crate) fn give_up(&self) {
        self.is_useless.set(true);
    }

    pub(crate) fn note_stale(&self) {
        self.is_stale.set(true);
    }

    /// Why the open transaction cannot be committed, if so.
    pub(crate) fn fault(&self) -> Option<Fault> {
        if self.is_stale.get() {
            return Some(Fault::Conflict(None));
        }
        self.failure.borrow().clone().map(Fault::of)
    }

    /// Whether the connection is no longer fit for use.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_open.get() || self.is_useless.get() || self.client.borrow().is_closed()
    }

    pub(crate) fn check(&self) -> Result<(), postgres::Error> {
        self.client.borrow_mut().simple_query("").map(drop)
    }

    fn prepared(&self, sql: &str) -> Result<Statement, DbError> {
        let mut statements = self.statements.borrow_mut();
        if let Some(statement) = statements.get(sql) {
            return Ok(statement.clone());
        }
        // Which ones are in use is not worth keeping account of.
        if statements.len() == STATEMENTS {
            statements.clear();
        }
        let statement = self.noted(self.client.borrow_mut().prepare(&sql.replace('?', "$")))?;
        statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// Remembers a failure.
    fn noted<T>(&self, result: Result<T, postgres::Error>) -> Result<T, DbError> {
        result.map_err(|error| {
            let error = DbError::from(error);
            self.failure.borrow_mut().get_or_insert_with(|| error.clone());
            error
        })
    }
}

/// Gives the values the form that the client takes, for nearly all statements without a list on the heap.
fn with_params<T>(params: &[Param<'_>], run: impl FnOnce(&[&(dyn ToSql + Sync)]) -> T) -> T {
    const FEW: usize = 20;
    let Some(first) = params.first() else { return run(&[]) };
    if params.len() > FEW {
        let list: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|param| param as &(dyn ToSql + Sync)).collect();
        return run(&list);
    }
    let mut list: [&(dyn ToSql + Sync); FEW] = [first; FEW];
    for (place, param) in list.iter_mut().zip(params) {
        *place = param;
    }
    run(&list[..params.len()])
}

pub(crate) fn integer(row: &PgRow, column: usize) -> Result<i64, StoreError> {
    value(row, column, "number")
}

pub(crate) fn optional_integer(row: &PgRow, column: usize) -> Result<Option<i64>, StoreError> {
    value(row, column, "number")
}

pub(crate) fn text(row: &PgRow, column: usize) -> Result<&str, StoreError> {
    value(row, column, "text")
}

pub(crate) fn optional_text(row: &PgRow, column: usize) -> Result<Option<&str>, StoreError> {
    value(row, column, "text")
}

pub(crate) fn blob(row: &PgRow, column: usize) -> Result<&[u8], StoreError> {
    value(row, column, "bytes")
}

/// The end of a key that is too long for an index.
pub(crate) fn rest_of_key(row: &PgRow, column: usize) -> Result<&[u8], StoreError> {
    blob(row, column)
}

/// Apart, so that what reads SQLite's rows stays small enough to be inlined: a page of records reads thousands of values.
#[inline(never)]
fn value<'r, T: FromSql<'r>>(row: &'r PgRow, column: usize, what: &'static str) -> Result<T, StoreError> {
    row.try_get(column).map_err(|e| StoreError::corrupt(what, e))
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            // `generate_series` and its like have narrower types.
            Self::Integer(value) if *ty == Type::INT4 => i32::try_from(value)?.to_sql(ty, out),
            Self::Integer(value) => value.to_sql(ty, out),
            // Only texts that people read may have a zero in them: in JSON it is escaped.
            Self::Text(text) if text.contains('\0') => text.replace('\0', "\u{2400}").to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Blob(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    postgres::types::to_sql_checked!();
}
