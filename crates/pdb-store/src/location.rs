//! Names of databases: what may be shown of them, and which mean the same one.

use std::fmt;

use crate::options::Location;

impl Location {
    /// Returns whether both are known to be the same database, also under different names: links to one file, or addresses of servers that differ in
    /// nothing that says which database it is. Two names of one host are not known to be one.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            #[cfg(feature = "sqlite")]
            (Self::File(one), Self::File(other)) => crate::sqlite::files::is_same(one, other),
            #[cfg(not(feature = "sqlite"))]
            (Self::File(one), Self::File(other)) => one == other,
            #[cfg(feature = "postgres")]
            (Self::Postgres(one), Self::Postgres(other)) => crate::postgres::address::is_same(one, other),
            #[cfg(not(feature = "postgres"))]
            (Self::Postgres(one), Self::Postgres(other)) => one == other,
            _ => false,
        }
    }
}

/// For people: of a server its hosts and the database, without user, password and parameters.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::File(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => match crate::postgres::address::shown(url) {
                Some(shown) => f.write_str(&shown),
                None => f.write_str("a server whose address is not usable"),
            },
            #[cfg(not(feature = "postgres"))]
            Self::Postgres(_) => f.write_str("a server"),
        }
    }
}
