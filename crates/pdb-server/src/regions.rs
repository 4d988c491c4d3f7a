//! The databases of a server: one, or one for each region.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pdb_model::{ApiError, ErrorCode};
use pdb_wire::Wire;
use pretender::{Pretender, StoreError};

/// How many regions a server keeps apart: each has threads, and on disk a file of its own. AWS has not many more.
const MOST_REGIONS: usize = 32;

/// The databases that a server answers from: one whatever region requests name, or one for each region.
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
    others: RwLock<BTreeMap<String, Arc<Wire>>>,
    /// Held while a database is opened, so that none is opened twice.
    opening: Mutex<()>,
}

/// Why there is no database for a region.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegionError {
    /// No region has this name.
    #[error("`{0}` is no region")]
    Unknown(String),
    /// There are as many as there may be.
    #[error("this server keeps {MOST_REGIONS} regions apart, and not `{0}` too")]
    TooMany(String),
    /// The database of the region cannot be opened.
    #[error("the database of a region cannot be opened")]
    Open(#[source] StoreError),
}

impl From<Pretender> for Regions {
    fn from(home: Pretender) -> Self {
        Self::new(home, None)
    }
}

impl Regions {
    /// Keeps regions apart: requests for that of `home` are answered from `home`, others from databases which are opened when they are
    /// first asked for, by their names: at most 32 with names like `eu-west-1`, or `local` and `localhost`.
    ///
    /// All have to take the time from the same clock. Those that are opened here are closed by [`close`](Self::close).
    pub fn separate(
        home: Pretender,
        open: impl Fn(&str) -> Result<Pretender, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::new(home, Some(Box::new(open)))
    }

    fn new(home: Pretender, open: Option<Box<Open>>) -> Self {
        Self(Arc::new(Inner { home, open, others: RwLock::default(), opening: Mutex::default() }))
    }

    /// Closes the databases, also that which was given.
    pub fn close(&self) {
        for database in self.all() {
            database.close();
        }
    }

    /// Returns the database that was given.
    pub(crate) fn home(&self) -> &Pretender {
        &self.0.home
    }

    /// Returns the region of the database that was given.
    pub(crate) fn home_region(&self) -> &str {
        &self.0.home.account().region
    }

    /// Whether each region has a database of its own.
    pub(crate) fn are_separate(&self) -> bool {
        self.0.open.is_some()
    }

    /// Returns the databases that are open, that which was given first.
    pub(crate) fn all(&self) -> Vec<Pretender> {
        let others = self.0.others.read().unwrap_or_else(PoisonError::into_inner);
        [&self.0.home].into_iter().chain(others.values().map(|wire| wire.pretender())).cloned().collect()
    }

    /// Returns what answers for a region other than that of the database that was given, if its database is open.
    pub(crate) fn find(&self, region: &str) -> Option<Arc<Wire>> {
        self.0.others.read().unwrap_or_else(PoisonError::into_inner).get(region).cloned()
    }

    /// Returns what answers for a region other than that of the database that was given; opens its database if need be, which takes a
    /// while. `endpoint` is where clients reach this server.
    pub(crate) fn open(&self, region: &str, endpoint: &str) -> Result<Arc<Wire>, RegionError> {
        let Some(open) = self.0.open.as_ref().filter(|_| is_region(region)) else {
            return Err(RegionError::Unknown(region.to_owned()));
        };
        // There is nothing behind the lock that could be left half done.
        let _opening = self.0.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wire) = self.find(region) {
            return Ok(wire);
        }
        // The one that was given counts, too.
        if self.0.others.read().unwrap_or_else(PoisonError::into_inner).len() + 1 >= MOST_REGIONS {
            return Err(RegionError::TooMany(region.to_owned()));
        }
        let database = open(region).map_err(RegionError::Open)?;
        tracing::info!(region, "opened the database of a region");
        let wire = Arc::new(Wire::new(database).with_endpoint(endpoint).with_separate_regions());
        self.0.others.write().unwrap_or_else(PoisonError::into_inner).insert(region.to_owned(), wire.clone());
        Ok(wire)
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
    /// What AWS answers to a request for a region it does not have; what else is wrong has no text there.
    pub(crate) fn refusal(&self) -> ApiError {
        match self {
            Self::Unknown(region) => ApiError::new(
                ErrorCode::InvalidSignatureException,
                format!("Credential should be scoped to a valid region, not '{}'. ", shortened(region)),
            ),
            Self::TooMany(_) => ApiError::new(ErrorCode::LimitExceededException, self.to_string()),
            Self::Open(_) => ApiError::new(
                ErrorCode::InternalServerError,
                "The request processing has failed because of an unknown error, exception or failure.",
            ),
        }
    }
}

/// A name that may be anything, as far as it helps.
fn shortened(region: &str) -> &str {
    region.char_indices().nth(64).map_or(region, |(at, _)| &region[..at])
}

/// Whether a region can have this name: `us-gov-east-1`, or what tools take where there is none. Files are named after it.
fn is_region(name: &str) -> bool {
    if matches!(name, "local" | "localhost") {
        return true;
    }
    let parts: Vec<&str> = name.split('-').collect();
    let [area, words @ .., number] = parts.as_slice() else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    name.len() <= 32
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
            assert!(is_region(name), "{name}");
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
            assert!(!is_region(name), "{name}");
        }
    }

    #[test]
    fn there_are_only_so_many() {
        let builder = Pretender::builder().in_memory().sweep_interval(None);
        let home = builder.clone().open().unwrap();
        let regions = Regions::separate(home, move |region| builder.clone().in_region(region).open());
        let name =
            |n: usize| format!("us-{}-1", char::from(b'a' + (n % 26) as u8).to_string().repeat(1 + n / 26));
        for n in 0..MOST_REGIONS - 1 {
            let wire = regions.open(&name(n), "localhost:1").unwrap();
            assert_eq!(wire.pretender().account().region, name(n));
        }
        assert!(matches!(regions.open(&name(MOST_REGIONS), "localhost:1"), Err(RegionError::TooMany(_))));
        assert!(regions.open(&name(0), "localhost:1").is_ok());
        assert_eq!(regions.all().len(), MOST_REGIONS);
        regions.close();
    }
}
