//! The databases of a server: one, or one for each region.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use pdb_model::{ApiError, ErrorCode};
use pdb_wire::Wire;
use pretender::errors::StoreError;
use pretender::{Habits, Pretender};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The maximum number of separate regions: each has threads and, on disk, a file. AWS does not have many more.
const MAX_REGIONS: usize = 32;

/// The databases that a server answers from: one for the requests of all regions, or one for each region.
///
/// # Examples
///
/// ```
/// use pdb_server::{Regions, Server, ServerOptions};
/// use pretender::Pretender;
///
/// let builder = Pretender::builder().in_memory().region("eu-west-1");
/// let home = builder.clone().open()?;
/// let regions = Regions::separate(home, move |region| builder.clone().in_region(region).open());
/// let server = Server::start(regions, ServerOptions::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Regions(Arc<Inner>);

/// Opens the database of a region.
type Open = dyn Fn(&str) -> Result<Pretender, StoreError> + Send + Sync;

struct Inner {
    home: Pretender,
    open: Option<Box<Open>>,
    others: RwLock<Others>,
}

/// The other regions, besides that of the home database.
#[derive(Default)]
struct Others {
    /// The wires of the regions that are open.
    wires: BTreeMap<String, Arc<Wire>>,
    /// The regions that are being opened.
    turns: BTreeMap<String, Waiting>,
    /// Whether the server is stopping, so that no more regions are opened.
    are_closed: bool,
}

/// The opening of a region: the lock for it, and the number of tasks that hold it or wait for it.
#[derive(Default)]
struct Waiting {
    held: Arc<Mutex<()>>,
    count: usize,
}

/// A task's turn to open the database of one region, after it [`held`](Self::held) the lock. Tasks for other regions do
/// not wait.
pub(crate) struct Turn {
    regions: Regions,
    region: String,
    held: Arc<Mutex<()>>,
}

/// Why there is no database for a region.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegionError {
    /// No region has this name.
    #[error("`{0}` is not a region")]
    Unknown(String),
    /// The maximum number of regions is reached.
    #[error("this server already has {MAX_REGIONS} regions, and cannot add `{0}`")]
    TooMany(String),
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed,
    /// The database of the region could not be opened.
    #[error("cannot open the database of a region")]
    Open(#[source] StoreError),
}

impl From<Pretender> for Regions {
    fn from(home: Pretender) -> Self {
        Self::new(home, None)
    }
}

impl Regions {
    /// The maximum length of a region's name.
    pub const MAX_NAME_BYTES: usize = 32;

    /// Creates separate databases for regions. Requests for the region of `home` are answered from `home`; those for
    /// another region are answered from a database that its first request opens. At most 32 regions, with names such as
    /// `eu-west-1`, or `local` and `localhost`. If `home` has all habits of DynamoDB Local, a name is a letter and up
    /// to 31 further letters, digits and hyphens, and upper case means lower case.
    ///
    /// All databases must use the same clock. Those that are opened here are closed by [`close`](Self::close).
    pub fn separate(
        home: Pretender,
        open: impl Fn(&str) -> Result<Pretender, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::new(home, Some(Box::new(open)))
    }

    fn new(home: Pretender, open: Option<Box<Open>>) -> Self {
        Self(Arc::new(Inner { home, open, others: RwLock::default() }))
    }

    /// Closes all databases, including `home`. No more are opened; one that is being opened is closed as soon as it is
    /// open.
    pub fn close(&self) {
        self.others_to_change().are_closed = true;
        if !self.are_separate() {
            return self.0.home.close();
        }
        // Closing may take some seconds, until the current write is finished.
        std::thread::scope(|scope| {
            for database in self.all() {
                scope.spawn(move || database.close());
            }
        });
    }

    /// Returns the home database.
    #[must_use]
    pub fn home(&self) -> &Pretender {
        &self.0.home
    }

    /// Returns the region of the home database.
    pub(crate) fn home_region(&self) -> &str {
        &self.0.home.account().region
    }

    /// Returns whether each region has a separate database.
    pub(crate) fn are_separate(&self) -> bool {
        self.0.open.is_some()
    }

    /// Returns the open databases, with the home database first.
    pub(crate) fn all(&self) -> Vec<Pretender> {
        let others = self.others();
        [&self.0.home]
            .into_iter()
            .chain(others.wires.values().map(|wire| wire.pretender()))
            .cloned()
            .collect()
    }

    /// Returns the wire for a database. `endpoint` is the address at which clients reach this server.
    pub(crate) fn wire(&self, database: Pretender, endpoint: &str) -> Wire {
        let wire = Wire::new(database).with_endpoint(endpoint);
        if self.are_separate() { wire.with_separate_regions() } else { wire }
    }

    /// Returns the name of the region that a request means.
    pub(crate) fn name_of<'r>(&self, region: &'r str) -> Cow<'r, str> {
        if self.has_any_names() && region.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(region.to_ascii_lowercase())
        } else {
            Cow::Borrowed(region)
        }
    }

    /// Returns the wire of another region, if its database is open.
    pub(crate) fn find(&self, region: &str) -> Option<Arc<Wire>> {
        self.others().wires.get(region).cloned()
    }

    /// Checks the name of a region.
    pub(crate) fn check_name(&self, region: &str) -> Result<(), RegionError> {
        let is_region = if self.has_any_names() { is_plain(region) } else { is_like_those_of_aws(region) };
        if is_region { Ok(()) } else { Err(RegionError::Unknown(region.to_owned())) }
    }

    /// Takes a turn to open the database of another region.
    pub(crate) fn turn(&self, region: &str) -> Result<Turn, RegionError> {
        self.check_name(region)?;
        let mut others = self.others_to_change();
        let Others { wires, turns, .. } = &mut *others;
        if !wires.contains_key(region) && !turns.contains_key(region) {
            let opening = turns.keys().filter(|region| !wires.contains_key(*region)).count();
            // The home region counts, too.
            if wires.len() + opening + 1 >= MAX_REGIONS {
                return Err(RegionError::TooMany(region.to_owned()));
            }
        }
        let waiting = turns.entry(region.to_owned()).or_default();
        waiting.count += 1;
        Ok(Turn { regions: self.clone(), region: region.to_owned(), held: waiting.held.clone() })
    }

    /// Returns the wire of another region. Opens its database if necessary, which takes a while. `endpoint` is the
    /// address at which clients reach this server.
    pub(crate) fn open(&self, region: &str, endpoint: &str) -> Result<Arc<Wire>, RegionError> {
        let turn = self.turn(region)?;
        let _held = turn.held.blocking_lock();
        turn.open(endpoint)
    }

    fn has_any_names(&self) -> bool {
        self.0.home.habits() == Habits::dynamodb_local()
    }

    // The data behind the lock is always consistent, so a panic of another holder does not matter.
    fn others(&self) -> RwLockReadGuard<'_, Others> {
        self.0.others.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn others_to_change(&self) -> RwLockWriteGuard<'_, Others> {
        self.0.others.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Waits until no other task is opening this region. The turn lasts as long as the returned guard.
    pub(crate) async fn held(&self) -> OwnedMutexGuard<()> {
        self.held.clone().lock_owned().await
    }

    /// Opens the database, unless another task has done so meanwhile.
    pub(crate) fn open(&self, endpoint: &str) -> Result<Arc<Wire>, RegionError> {
        let Self { regions, region, .. } = self;
        let Some(open) = &regions.0.open else { return Err(RegionError::Unknown(region.clone())) };
        {
            let others = regions.others();
            if others.are_closed {
                return Err(RegionError::Closed);
            }
            if let Some(wire) = others.wires.get(region) {
                return Ok(wire.clone());
            }
        }
        let database = open(region).map_err(RegionError::Open)?;
        let wire = Arc::new(regions.wire(database.clone(), endpoint));
        let mut others = regions.others_to_change();
        if others.are_closed {
            drop(others);
            database.close();
            return Err(RegionError::Closed);
        }
        others.wires.insert(region.clone(), wire.clone());
        tracing::info!(region, "opened the database of a region");
        Ok(wire)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut others = self.regions.others_to_change();
        if let Some(waiting) = others.turns.get_mut(&self.region) {
            waiting.count -= 1;
            if waiting.count == 0 {
                others.turns.remove(&self.region);
            }
        }
    }
}

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regions")
            .field("home", &self.0.home)
            .field("are_separate", &self.are_separate())
            .finish_non_exhaustive()
    }
}

impl RegionError {
    /// Returns AWS's answer to a request for a region that it does not have. For other errors, AWS has no message.
    pub(crate) fn refusal(&self) -> ApiError {
        match self {
            Self::Unknown(region) => ApiError::new(
                ErrorCode::InvalidSignatureException,
                format!("Credential should be scoped to a valid region, not '{}'. ", shortened(region)),
            ),
            Self::TooMany(_) => ApiError::new(ErrorCode::LimitExceededException, self.to_string()),
            Self::Closed => ApiError::new(ErrorCode::ServiceUnavailable, "The service is stopping."),
            Self::Open(_) => ApiError::new(
                ErrorCode::InternalServerError,
                "The request processing has failed because of an unknown error, exception or failure.",
            ),
        }
    }
}

/// Shortens a region name, which may be any text, for an error message.
fn shortened(region: &str) -> &str {
    region.char_indices().nth(64).map_or(region, |(at, _)| &region[..at])
}

/// Returns whether a name is safe as a part of a file or schema name: `local-env`, as test suites for DynamoDB Local
/// call their region.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= Regions::MAX_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(is_plain)
}

/// Returns whether AWS could have a region of this name, such as `us-gov-east-1`, or whether tools use it instead of a
/// region.
fn is_like_those_of_aws(name: &str) -> bool {
    if matches!(name, "local" | "localhost") {
        return true;
    }
    let parts: Vec<&str> = name.split('-').collect();
    let [area, words @ .., number] = parts.as_slice() else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    name.len() <= Regions::MAX_NAME_BYTES
        && area.len() == 2
        && is_word(area)
        && !words.is_empty()
        && words.iter().all(is_word)
        && number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_names_like_those_of_aws() {
        for name in [
            "us-east-1",
            "ap-southeast-7",
            "us-gov-west-1",
            "us-iso-east-1",
            "us-fake-1",
            "local",
            "localhost",
        ] {
            assert!(is_like_those_of_aws(name) && is_plain(name), "{name}");
        }
        let long = format!("us-{}-1", "x".repeat(40));
        for name in [
            "",
            "us",
            "us-east",
            "us-1",
            "us--1",
            "us-east-",
            "us-east-11",
            "us-east-x",
            "usa-east-1",
            "US-east-1",
            "us-east1-1",
            "us_east_1",
            "../us-east-1",
            "us-east/-1",
            "us-east-1.db",
            "us-é-1",
            "ddblocal",
            "-",
            "us-east-1-2",
            &long,
        ] {
            assert!(!is_like_those_of_aws(name), "{name}");
        }
    }

    #[test]
    fn names_for_dynamodb_local_are_those_that_a_file_can_have() {
        for name in ["local-env", "fake", "test", "x", "us-east-11", "eu-", &"x".repeat(32)] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "-", "-x", "1x", "Test", "us_east_1", "../x", "x/y", "x.db", "é", &"x".repeat(33)] {
            assert!(!is_plain(name), "{name}");
        }
    }

    fn opened() -> Regions {
        let builder = Pretender::builder().in_memory().sweep_interval(None);
        let home = builder.clone().open().unwrap();
        Regions::separate(home, move |region| builder.clone().in_region(region).open())
    }

    #[test]
    fn nothing_is_opened_after_the_end() {
        let regions = opened();
        let west = regions.open("us-west-2", "localhost:1").unwrap();
        let early = regions.turn("eu-west-1").unwrap();
        regions.close();
        assert!(west.pretender().list_tables(&Default::default()).is_err());
        assert!(matches!(early.open("localhost:1"), Err(RegionError::Closed)));
        assert!(matches!(regions.open("eu-west-2", "localhost:1"), Err(RegionError::Closed)));
    }

    #[test]
    fn a_database_that_was_being_opened_at_the_end_is_closed() {
        let builder = Pretender::builder().in_memory().sweep_interval(None);
        let home = builder.clone().open().unwrap();
        let (at_work, is_at_work) = std::sync::mpsc::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let (opened, was_opened) = std::sync::mpsc::channel();
        let may_go_on = std::sync::Mutex::new(may_go_on);
        let regions = Regions::separate(home, move |region| {
            at_work.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
            let database = builder.clone().in_region(region).open()?;
            opened.send(database.clone()).unwrap();
            Ok(database)
        });
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| regions.open("us-west-2", "localhost:1"));
            is_at_work.recv().unwrap();
            regions.close();
            go_on.send(()).unwrap();
            assert!(matches!(opening.join().unwrap(), Err(RegionError::Closed)));
        });
        assert!(was_opened.recv().unwrap().list_tables(&Default::default()).is_err());
    }

    #[test]
    fn a_region_that_is_being_opened_delays_no_other() {
        let builder = Pretender::builder().in_memory().sweep_interval(None);
        let home = builder.clone().open().unwrap();
        let (at_work, is_at_work) = std::sync::mpsc::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let may_go_on = std::sync::Mutex::new(may_go_on);
        let regions = Regions::separate(home, move |region| {
            if region == "us-west-2" {
                at_work.send(()).unwrap();
                may_go_on.lock().unwrap().recv().unwrap();
                return Err(StoreError::Closed);
            }
            builder.clone().in_region(region).open()
        });
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| regions.open("us-west-2", "localhost:1"));
            is_at_work.recv().unwrap();
            assert!(regions.open("eu-west-1", "localhost:1").is_ok());
            go_on.send(()).unwrap();
            assert!(matches!(opening.join().unwrap(), Err(RegionError::Open(_))));
        });
        // A failed attempt does not occupy a place.
        assert_eq!((regions.all().len(), regions.others().turns.len()), (2, 0));
        regions.close();
    }

    #[test]
    fn the_number_of_regions_is_limited() {
        let regions = opened();
        let name =
            |n: usize| format!("us-{}-1", char::from(b'a' + (n % 26) as u8).to_string().repeat(1 + n / 26));
        for n in 0..MAX_REGIONS - 1 {
            let wire = regions.open(&name(n), "localhost:1").unwrap();
            assert_eq!(wire.pretender().account().region, name(n));
        }
        assert!(matches!(regions.open(&name(MAX_REGIONS), "localhost:1"), Err(RegionError::TooMany(_))));
        assert!(regions.open(&name(0), "localhost:1").is_ok());
        assert_eq!(regions.all().len(), MAX_REGIONS);
        regions.close();
    }
}
