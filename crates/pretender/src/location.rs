//! What the name of a database means: memory, a file, or a server. What was meant for a server and is mistyped must not become
//! a file with a password in its name; so no error here repeats the name.

use pdb_store::{Location, OpenError};

/// Names of settings in the form of PostgreSQL's own client, `host=... dbname=...`.
const SETTINGS: [&str; 11] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "service",
    "sslmode",
    "sslrootcert",
    "options",
];
/// Schemes by which other programs know the two kinds of database, or others; a file is never named so.
const SCHEMES: [&str; 10] = [
    "postgres",
    "postgresql",
    "sqlite",
    "sqlite3",
    "file",
    "jdbc",
    "mysql",
    "mariadb",
    "libsql",
    "cockroachdb",
];

/// Finds out what a name means.
pub(crate) fn parse(name: &str) -> Result<Location, OpenError> {
    if name == ":memory:" {
        return Ok(Location::Memory);
    }
    if name.trim().is_empty() {
        // SQLite uses a temporary file without a name for it, and deletes it at the end.
        return Err(OpenError::Address(
            "it is empty: give the path of a file, `:memory:`, or `postgres://USER:PASSWORD@HOST/DATABASE`"
                .to_owned(),
        ));
    }
    let (scheme, rest) = name.split_once(':').unwrap_or(("", name));
    let is = |schemes: &[&str]| schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if is(&["postgres", "postgresql"]) && rest.starts_with("//") {
        return Ok(Location::Postgres(name.to_owned()));
    }
    let why = if is(&["postgres", "postgresql"]) {
        "two slashes follow the scheme: write `postgres://USER:PASSWORD@HOST/DATABASE`"
    } else if is(&["sqlite", "sqlite3", "file"]) {
        "a database in a file has no scheme: give the path of the file alone"
    } else if is(&SCHEMES) || name.contains("://") {
        "its scheme is unknown: give the path of a file, or `postgres://USER:PASSWORD@HOST/DATABASE`"
    } else if has_settings(name) {
        "settings in the form `host=... dbname=...` are not understood: write \
         `postgres://USER:PASSWORD@HOST/DATABASE?NAME=VALUE`"
    } else if has_login(name) {
        "it looks like the address of a server without a scheme: write `postgres://USER:PASSWORD@HOST/DATABASE`, or, for a \
         file of that name, `./` and the name"
    } else {
        return Ok(Location::File(name.into()));
    };
    Err(OpenError::Address(why.to_owned()))
}

/// The most bytes in a name of PostgreSQL, which cuts longer ones.
const MOST_NAME_BYTES: usize = 63;

/// Finds where the data of another region is kept beside this.
pub(crate) fn in_region(location: &Location, region: &str) -> Result<Location, OpenError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || !region.bytes().all(is_plain) {
        return Err(OpenError::Address(
            "the name of a region has lower-case letters, digits and hyphens only".to_owned(),
        ));
    }
    Ok(match location {
        Location::Memory => Location::Memory,
        Location::File(path) => {
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            name.push(".");
            name.push(region);
            if let Some(extension) = path.extension() {
                name.push(".");
                name.push(extension);
            }
            Location::File(path.with_file_name(name))
        }
        Location::Postgres(url) => {
            let (base, query) = url.split_once('?').unwrap_or((url, ""));
            let suffix = region.replace('-', "_");
            let mut schema = format!("pretender_{suffix}");
            let mut parameters = Vec::new();
            for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
                match parameter.strip_prefix("schema=") {
                    Some(name) => schema = format!("{name}_{suffix}"),
                    None => parameters.push(parameter.to_owned()),
                }
            }
            // Two regions must not get the same schema.
            if schema.len() > MOST_NAME_BYTES {
                let why = "with the name of a region behind it, the schema's name is longer than 63 bytes";
                return Err(OpenError::Address(why.to_owned()));
            }
            parameters.push(format!("schema={schema}"));
            Location::Postgres(format!("{base}?{}", parameters.join("&")))
        }
    })
}

/// Whether a word in it is the name of a setting with `=` behind it.
fn has_settings(name: &str) -> bool {
    let mut before_equals = name.split('=');
    // What follows the last one is a value.
    before_equals.next_back();
    let mut last_words = before_equals.filter_map(|text| text.split_whitespace().next_back());
    last_words.any(|word| SETTINGS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// Whether it begins with `user:password@`.
fn has_login(name: &str) -> bool {
    let name = name.strip_prefix("//").unwrap_or(name);
    let host = name.split_once('@').map(|(login, _)| login.split_once(':'));
    let Some(Some((user, password))) = host else { return false };
    // `C:\data@home\orders.db` is a path.
    let is_drive = user.len() == 1 && password.starts_with(['/', '\\']);
    !user.is_empty() && !user.contains(['/', '\\']) && !is_drive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_files_unless_they_say_otherwise() {
        assert_eq!(parse(":memory:").unwrap(), Location::Memory);
        for server in [
            "postgres://me:s3cr3t@h/db",
            "postgresql://h/db",
            "Postgres://h/db",
            "POSTGRESQL://h/db",
            "postgres://",
        ] {
            assert_eq!(parse(server).unwrap(), Location::Postgres(server.to_owned()));
        }
        for file in [
            "pretender.db",
            "/var/lib/pretender/orders.db",
            "./postgres.db",
            "../a b/c=d.db",
            "a@b.db",
            "./me:x@y.db",
            "/data/me:x@y.db",
            "C:\\data\\orders.db",
            "C:/data/orders.db",
            "C:\\data@home\\orders.db",
            "./file:x",
            "./host=x",
            "postgres",
            "orders:2026.db",
            "ghost=1.db",
            "über.db",
            "=",
            ":",
        ] {
            assert_eq!(parse(file).unwrap(), Location::File(file.into()), "{file}");
        }
    }

    #[test]
    fn regions_lie_beside_each_other() {
        let of = |name: &str| in_region(&parse(name).unwrap(), "us-west-2");
        for (name, expected) in [
            ("orders.db", "orders.us-west-2.db"),
            ("/data/a.b/orders.v1.db", "/data/a.b/orders.v1.us-west-2.db"),
            ("./orders", "./orders.us-west-2"),
            (".hidden", ".hidden.us-west-2"),
        ] {
            assert_eq!(of(name).unwrap(), Location::File(expected.into()), "{name}");
        }
        assert_eq!(of(":memory:").unwrap(), Location::Memory);
        for (url, expected) in [
            ("postgres://me:s3@h/db", "postgres://me:s3@h/db?schema=pretender_us_west_2"),
            ("postgres://h/db?schema=orders", "postgres://h/db?schema=orders_us_west_2"),
            (
                "postgres://h/db?schema=a&sslmode=disable",
                "postgres://h/db?sslmode=disable&schema=a_us_west_2",
            ),
            (
                "postgres://h/db?connect_timeout=3&",
                "postgres://h/db?connect_timeout=3&schema=pretender_us_west_2",
            ),
        ] {
            assert_eq!(of(url).unwrap(), Location::Postgres(expected.to_owned()), "{url}");
        }
        assert!(of(&format!("postgres://h/db?schema={}", "x".repeat(60))).is_err());
        for name in ["", "../us-west-2", "us/west", "US-west-2", "us.west"] {
            assert!(in_region(&Location::File("orders.db".into()), name).is_err(), "{name}");
        }
    }

    #[test]
    fn mistyped_addresses_are_refused_and_not_repeated() {
        for (name, hint) in [
            ("", "it is empty"),
            (" ", "it is empty"),
            ("postgres:/me:s3cr3t@h/db", "two slashes"),
            ("postgres:me:s3cr3t@h/db", "two slashes"),
            ("PostgreSQL:me:s3cr3t@h/db", "two slashes"),
            ("postgre://me:s3cr3t@h/db", "scheme is unknown"),
            ("postgress://me:s3cr3t@h/db", "scheme is unknown"),
            ("mysql://me:s3cr3t@h/db", "scheme is unknown"),
            ("mysql:me:s3cr3t@h/db", "scheme is unknown"),
            ("mongodb+srv://me:s3cr3t@h/db", "scheme is unknown"),
            ("jdbc:postgresql://h/db?user=me&password=s3cr3t", "scheme is unknown"),
            ("jdbc:sqlite:s3cr3t.db", "scheme is unknown"),
            ("http://127.0.0.1:8000", "scheme is unknown"),
            (" postgres://me:s3cr3t@h/db", "scheme is unknown"),
            ("://me:s3cr3t@h/db", "scheme is unknown"),
            ("sqlite://s3cr3t.db", "path of the file alone"),
            ("sqlite:///s3cr3t.db", "path of the file alone"),
            ("SQLite:s3cr3t.db", "path of the file alone"),
            ("sqlite::memory:", "path of the file alone"),
            ("sqlite3:s3cr3t.db", "path of the file alone"),
            ("file:s3cr3t.db?mode=rwc", "path of the file alone"),
            ("file:///s3cr3t.db", "path of the file alone"),
            ("host=h dbname=db password=s3cr3t", "host=... dbname=..."),
            ("dbname=s3cr3t", "host=... dbname=..."),
            ("USER = me password = s3cr3t", "host=... dbname=..."),
            ("application_name=x password='s3cr3t'", "host=... dbname=..."),
            ("me:s3cr3t@h/db", "without a scheme"),
            ("//me:s3cr3t@h/db", "without a scheme"),
            ("me:s3/cr3t@h:5432/db", "without a scheme"),
        ] {
            let Err(error) = parse(name) else { panic!("{name} is taken") };
            assert!(matches!(error, OpenError::Address(_)), "{name}: {error:?}");
            assert!(error.to_string().contains(hint), "{name}: {error}");
            for part in ["s3", "cr3t"] {
                assert!(!format!("{error}{error:?}").contains(part), "{name}: {error}");
            }
        }
    }
}
