//! The databases that requests name: each is opened by its first request, and dropped by a command or when it was not
//! used for some time.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use pdb_model::{ApiError, ErrorCode};
use pretender::time::ManualClock;
use tokio::sync::{OnceCell, Semaphore};

use crate::blocking::blocking;
use crate::database::{Database, Shared};
use crate::regions::Regions;

/// The maximum number of named databases at one time. Each takes some 400 KB and two threads.
const MAX_DATABASES: usize = 4096;
/// How many databases are opened at one time. Opening one can take long (`--seed`), and must not take all threads.
const MAX_OPENING: usize = 4;
/// The maximum length of a name.
const MAX_NAME_BYTES: usize = 64;

/// A database for a name, as [`NamedDatabases::new`] needs it.
#[derive(Debug)]
pub struct NamedDatabase {
    /// The database, or one for each region.
    pub regions: Regions,
    /// The clock that it was opened with, if the server has the control API ([`ServerOptions::control`](crate::ServerOptions)).
    pub clock: Option<Arc<ManualClock>>,
}

/// Why a database for a name could not be opened.
pub type OpenError = Box<dyn Error + Send + Sync>;

/// Opens the database for a name.
type Open = dyn Fn(&str) -> Result<NamedDatabase, OpenError> + Send + Sync;

/// Separate databases for requests that name one: with the path `/db/NAME`, or else with their access key ID. Names
/// have 1 to 64 letters, digits, `-`, `_` and `.`, and begin with a letter or digit.
///
/// The first request that names a database opens it. At most 4,096 are open at one time. The name `pretender` means the
/// server's own database.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use pdb_server::{NamedDatabase, NamedDatabases, Server, ServerOptions};
/// use pretender::Pretender;
///
/// let idle = Some(Duration::from_secs(600));
/// let databases = NamedDatabases::new(idle, |_name| {
///     Ok(NamedDatabase { regions: Pretender::in_memory()?.into(), clock: None })
/// });
/// let options = ServerOptions { databases: Some(databases.clone()), ..ServerOptions::default() };
/// let server = Server::start(Pretender::in_memory()?, options)?;
/// println!("a database of its own for each test: {}/db/test-1", server.url());
/// server.stop();
/// databases.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct NamedDatabases(Arc<Inner>);

struct Inner {
    open: Box<Open>,
    idle: Option<Duration>,
    started: Instant,
    opening: Arc<Semaphore>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    slots: HashMap<String, Arc<Slot>>,
    /// Whether the server is stopping, so that no more databases are opened.
    are_closed: bool,
}

/// The place of a database that is open or being opened.
#[derive(Debug, Default)]
struct Slot {
    database: OnceCell<Arc<Database>>,
    /// When a request last used it, in milliseconds since the start of the server.
    used: AtomicU64,
}

/// The opening of a database by one task. When the task ends, an opening that nobody else continues leaves no slot.
struct Opening<'a> {
    databases: &'a NamedDatabases,
    name: &'a str,
    slot: &'a Arc<Slot>,
}

/// A named database, for a list.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) idle: Duration,
}

/// Why there is no database for a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// The name does not have the form of a name.
    #[error(
        "`{0}` cannot be the name of a database: a name has 1 to {MAX_NAME_BYTES} letters, digits, `-`, `_` and `.`, and begins \
         with a letter or digit"
    )]
    Name(String),
    /// The maximum number is reached.
    #[error("this server already has {MAX_DATABASES} databases: drop some before you use another one")]
    TooMany,
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed,
    /// The database could not be opened.
    #[error("cannot open the database `{name}`: {source}")]
    Open {
        /// Its name.
        name: String,
        /// The reason.
        #[source]
        source: OpenError,
    },
}

impl NamedDatabases {
    /// The name of the server's own database.
    pub const OWN: &str = "pretender";

    /// Creates databases that `open` opens. A database that no request used for the time `idle` is closed, and all
    /// references to it are dropped; without `idle`, it stays open. `open` may block.
    pub fn new(
        idle: Option<Duration>,
        open: impl Fn(&str) -> Result<NamedDatabase, OpenError> + Send + Sync + 'static,
    ) -> Self {
        let entries = Mutex::default();
        let opening = Arc::new(Semaphore::new(MAX_OPENING));
        Self(Arc::new(Inner { open: Box::new(open), idle, started: Instant::now(), opening, entries }))
    }

    /// Closes all databases. No more are opened.
    pub fn close(&self) {
        let slots = {
            let mut entries = self.entries();
            entries.are_closed = true;
            std::mem::take(&mut entries.slots)
        };
        slots.into_values().for_each(|slot| close(&slot));
    }

    /// Returns the database with a name, which is opened if necessary.
    pub(crate) async fn get(&self, name: &str, shared: &Shared) -> Result<Arc<Database>, DatabaseError> {
        loop {
            let slot = self.slot(name)?;
            if let Some(database) = slot.database.get() {
                return Ok(database.clone());
            }
            let opening = Opening { databases: self, name, slot: &slot };
            let opened = slot.database.get_or_try_init(|| self.open(name, shared)).await.cloned();
            drop(opening);
            let database = opened?;
            if self.has(name, &slot) {
                return Ok(database);
            }
            // It was dropped while it was being opened, or the server is stopping.
            blocking(move || close(&slot)).await;
        }
    }

    /// Returns the database with a name, if it is open.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Database>> {
        let entries = self.entries();
        let slot = entries.slots.get(name)?;
        slot.used.store(self.now(), Ordering::Relaxed);
        slot.database.get().cloned()
    }

    /// Closes the database with a name, and forgets it. Returns whether there was one. May block.
    pub(crate) fn drop_one(&self, name: &str) -> bool {
        let slot = self.entries().slots.remove(name);
        let was_there = slot.as_ref().is_some_and(|slot| slot.database.initialized());
        slot.iter().for_each(|slot| close(slot));
        was_there
    }

    /// Closes the databases that were not used for long enough. May block.
    pub(crate) fn drop_idle(&self) {
        let Some(idle) = self.0.idle else { return };
        let now = self.now();
        let old = {
            let mut entries = self.entries();
            let old = entries.slots.extract_if(|_, slot| {
                // A request in progress holds a reference.
                let is_used = Arc::strong_count(slot) > 1
                    || slot.database.get().is_some_and(|database| Arc::strong_count(database) > 1);
                if is_used {
                    slot.used.store(now, Ordering::Relaxed);
                }
                !is_used && now.saturating_sub(slot.used.load(Ordering::Relaxed)) >= millis(idle)
            });
            old.collect::<Vec<_>>()
        };
        for (name, slot) in old {
            tracing::info!(name, "dropped a database that was not used");
            close(&slot);
        }
    }

    /// Returns how often to call [`drop_idle`](Self::drop_idle); `None` for never.
    pub(crate) fn idle_check_interval(&self) -> Option<Duration> {
        self.0.idle.map(|idle| (idle / 4).clamp(Duration::from_millis(100), Duration::from_secs(60)))
    }

    /// Returns the open databases by name, without noting that as a use of them.
    pub(crate) fn open_databases(&self) -> Vec<(String, Arc<Database>)> {
        let entries = self.entries();
        let open = entries
            .slots
            .iter()
            .filter_map(|(name, slot)| Some((name.clone(), slot.database.get()?.clone())));
        let mut open: Vec<_> = open.collect();
        drop(entries);
        open.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        open
    }

    /// Lists the open databases by name.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let now = self.now();
        let entries = self.entries();
        let open = entries.slots.iter().filter(|(_, slot)| slot.database.initialized());
        let listed = open.map(|(name, slot)| {
            let idle = now.saturating_sub(slot.used.load(Ordering::Relaxed));
            Listed { name: name.clone(), idle: Duration::from_millis(idle) }
        });
        let mut listed: Vec<_> = listed.collect();
        drop(entries);
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        listed
    }

    /// Returns the slot for a name, and notes its use.
    fn slot(&self, name: &str) -> Result<Arc<Slot>, DatabaseError> {
        let now = self.now();
        let mut entries = self.entries();
        if entries.are_closed {
            return Err(DatabaseError::Closed);
        }
        let slot = match entries.slots.get(name) {
            Some(slot) => slot.clone(),
            None if !is_name(name) => return Err(DatabaseError::Name(shortened(name))),
            None if entries.slots.len() >= MAX_DATABASES => return Err(DatabaseError::TooMany),
            None => {
                let slot = Arc::new(Slot::default());
                entries.slots.insert(name.to_owned(), slot.clone());
                slot
            }
        };
        slot.used.store(now, Ordering::Relaxed);
        Ok(slot)
    }

    async fn open(&self, name: &str, shared: &Shared) -> Result<Arc<Database>, DatabaseError> {
        // The semaphore is never closed. The work goes on if the client leaves, so the permit belongs to the work.
        let permit = self.0.opening.clone().acquire_owned().await.ok();
        let (databases, shared, owned) = (self.clone(), shared.clone(), name.to_owned());
        let opened = blocking(move || {
            let _permit = permit;
            let NamedDatabase { regions, clock } = (databases.0.open)(&owned)?;
            Ok(Arc::new(Database::new(Some(owned), regions, clock, &shared)))
        });
        let opened = opened.await.ok_or(DatabaseError::Closed)?;
        let opened = opened.map_err(|source| DatabaseError::Open { name: name.to_owned(), source })?;
        tracing::debug!(name, "opened a database");
        Ok(opened)
    }

    /// Returns whether this is the slot for a name.
    fn has(&self, name: &str, slot: &Arc<Slot>) -> bool {
        self.entries().slots.get(name).is_some_and(|known| Arc::ptr_eq(known, slot))
    }

    fn now(&self) -> u64 {
        millis(self.0.started.elapsed())
    }

    // The data behind the lock is always consistent, so a panic of another holder does not matter.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let mut entries = self.databases.entries();
        // The table has one reference, and this task another. Any more belong to tasks that still try.
        let is_last = Arc::strong_count(self.slot) == 2;
        let is_same = entries.slots.get(self.name).is_some_and(|known| Arc::ptr_eq(known, self.slot));
        if is_last && is_same && !self.slot.database.initialized() {
            entries.slots.remove(self.name);
        }
    }
}

impl fmt::Debug for NamedDatabases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedDatabases").field("idle", &self.0.idle).finish_non_exhaustive()
    }
}

impl DatabaseError {
    /// Returns the answer to an API call that names no usable database, and logs failures.
    pub(crate) fn refusal(&self) -> ApiError {
        self.log();
        match self {
            Self::Name(_) => ApiError::new(ErrorCode::UnrecognizedClientException, self.to_string()),
            Self::TooMany => ApiError::new(ErrorCode::LimitExceededException, self.to_string()),
            Self::Closed => ApiError::new(ErrorCode::ServiceUnavailable, "The service is stopping."),
            Self::Open { .. } => ApiError::new(ErrorCode::InternalServerError, self.to_string()),
        }
    }

    /// Returns the status of the answer to a command, and logs failures.
    pub(crate) fn status(&self) -> StatusCode {
        self.log();
        match self {
            Self::Name(_) | Self::TooMany => StatusCode::BAD_REQUEST,
            Self::Closed => StatusCode::SERVICE_UNAVAILABLE,
            Self::Open { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn log(&self) {
        if let Self::Open { name, source } = self {
            tracing::error!(error = source.as_ref() as &dyn Error, name, "cannot open a database");
        }
    }
}

/// Closes the database of a slot that is no longer in the table.
fn close(slot: &Slot) {
    if let Some(database) = slot.database.get() {
        database.regions().close();
    }
}

/// Returns whether a text is safe and readable as a name in a path and in a log.
fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= MAX_NAME_BYTES
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(is_inner)
}

/// Shortens a name, which may be any text, for an error message.
fn shortened(name: &str) -> String {
    name.chars().take(MAX_NAME_BYTES).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_that_its_client_leaves_occupies_no_place() {
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let may_go_on = Mutex::new(may_go_on);
        let databases = NamedDatabases::new(None, move |_name| {
            may_go_on.lock().unwrap().recv().unwrap();
            Err("it cannot be opened".into())
        });
        let shared = Shared { endpoint: "localhost:1".to_owned(), snapshots: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let late = tokio::time::timeout(Duration::from_millis(50), databases.get("a", &shared)).await;
            assert!(late.is_err());
            assert_eq!(databases.entries().slots.len(), 0);
            go_on.send(()).unwrap();
            go_on.send(()).unwrap();
            assert!(matches!(databases.get("a", &shared).await, Err(DatabaseError::Open { .. })));
            assert_eq!(databases.entries().slots.len(), 0);
        });
        drop(go_on);
    }

    #[test]
    fn openings_that_their_clients_leave_count_until_they_end() {
        let (at_work, is_at_work) = std::sync::mpsc::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let may_go_on = Mutex::new(may_go_on);
        let databases = NamedDatabases::new(None, move |name| {
            at_work.send(name.to_owned()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
            Err("it cannot be opened".into())
        });
        let shared = Shared { endpoint: "localhost:1".to_owned(), snapshots: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let leave = async |name: &str| {
            let late = tokio::time::timeout(Duration::from_millis(20), databases.get(name, &shared)).await;
            assert!(late.is_err(), "{name}");
        };
        runtime.block_on(async {
            for n in 0..MAX_OPENING + 2 {
                leave(&format!("n{n}")).await;
            }
            let begun = is_at_work.try_iter().collect::<Vec<_>>();
            assert_eq!(begun.len(), MAX_OPENING, "{begun:?}");
            for _ in 0..=MAX_OPENING {
                go_on.send(()).unwrap();
            }
            // There is a permit again.
            assert!(matches!(databases.get("last", &shared).await, Err(DatabaseError::Open { .. })));
        });
    }

    #[test]
    fn names_are_safe_in_paths_and_logs() {
        for name in ["a", "1", "A.b-c_d", "test-17", "x..y", &"x".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "-a", "_a", "a/b", "a b", "a%2Fb", "\u{e9}", "a\n", &"x".repeat(65)] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
