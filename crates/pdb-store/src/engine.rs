//! The engine behind a store, chosen when it is opened.

use std::sync::Arc;

#[cfg(feature = "postgres")]
use crate::postgres::engine::PostgresEngine;
#[cfg(feature = "sqlite")]
use crate::sqlite::engine::SqliteEngine;
use crate::{
    error::{OpenError, StoreError},
    options::{Location, StoreOptions},
};

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("pdb-store needs one of its features `sqlite` and `postgres`");

/// One of the engines. They have the same methods.
#[derive(Clone)]
pub(crate) enum Engine {
    #[cfg(feature = "sqlite")]
    Sqlite(Arc<SqliteEngine>),
    #[cfg(feature = "postgres")]
    Postgres(Arc<PostgresEngine>),
}

/// Evaluates an expression with the engine that is there.
macro_rules! with_engine {
    ($engine:expr, $name:ident => $value:expr) => {
        match $engine {
            #[cfg(feature = "sqlite")]
            $crate::engine::Engine::Sqlite($name) => $value,
            #[cfg(feature = "postgres")]
            $crate::engine::Engine::Postgres($name) => $value,
        }
    };
}
pub(crate) use with_engine;

impl Engine {
    /// Opens a database with the engine that its location asks for.
    pub(crate) fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        match &options.location {
            #[cfg(feature = "sqlite")]
            Location::Memory => Ok(Self::Sqlite(Arc::new(SqliteEngine::open(None, options)?))),
            #[cfg(feature = "sqlite")]
            Location::File(path) => Ok(Self::Sqlite(Arc::new(SqliteEngine::open(Some(path), options)?))),
            #[cfg(not(feature = "sqlite"))]
            Location::Memory | Location::File(_) => Err(without("SQLite")),
            #[cfg(feature = "postgres")]
            Location::Postgres(url) => Ok(Self::Postgres(Arc::new(PostgresEngine::open(url, options)?))),
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(_) => Err(without("PostgreSQL")),
        }
    }
}

#[cfg_attr(
    all(feature = "sqlite", feature = "postgres"),
    expect(dead_code, reason = "both engines are there")
)]
fn without(engine: &str) -> StoreError {
    OpenError::Address(format!("this program is built without support for {engine}")).into()
}
