use super::*;

#[test]
fn addresses_say_where_and_how() {
    let address = Address::parse(
        "postgres://me:secret@one:5433,two/db?schema=a%20b&sslmode=verify-full&connect_timeout=3&options=-csearch_path%3Dx",
    )
    .unwrap();
    assert_eq!(address.shown(), "postgres://one:5433,two:5432/db");
    assert_eq!(address.schema.as_deref(), Some("a b"));
    assert_eq!(address.trust, Trust::Web);
    assert_eq!(address.hosts.len(), 2);
    for config in &address.hosts {
        assert_eq!((config.get_user(), config.get_password()), (Some("me"), Some(&b"secret"[..])));
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_options(), Some(&*format!("{OPTIONS} -csearch_path=x")));
    }
    let address = Address::parse("postgresql://me@h/db?sslrootcert=%2Fca.pem").unwrap();
    assert_eq!(address.trust, Trust::File("/ca.pem".into()));
    assert_eq!(address.hosts[0].get_ssl_mode(), SslMode::Require);
    let address = Address::parse("postgres://me@h/db").unwrap();
    assert_eq!((address.trust, address.schema), (Trust::Anybody, None));
    let address = Address::parse("postgres:///db?host=%2Frun%2Fpostgresql&port=5433&user=me").unwrap();
    assert_eq!(address.shown(), "postgres:///run/postgresql:5433/db");
    let address = Address::parse("postgres://me@name/db?hostaddr=127.0.0.1").unwrap();
    assert_eq!(address.shown(), "postgres://name:5432/db");
}

/// What is to be encrypted, and whose certificate is believed.
#[test]
fn whatever_asks_for_trust_asks_for_encryption() {
    let web = || Trust::Web;
    let cases = [
        ("", SslMode::Prefer, Trust::Anybody),
        ("sslmode=prefer", SslMode::Prefer, Trust::Anybody),
        ("sslmode=disable", SslMode::Disable, Trust::Anybody),
        ("sslnegotiation=postgres&channel_binding=prefer", SslMode::Prefer, Trust::Anybody),
        ("sslmode=require", SslMode::Require, Trust::Anybody),
        ("sslnegotiation=direct", SslMode::Require, Trust::Anybody),
        ("sslmode=prefer&sslnegotiation=direct", SslMode::Require, Trust::Anybody),
        ("channel_binding=require", SslMode::Require, Trust::Anybody),
        ("sslmode=verify-ca", SslMode::Require, web()),
        ("sslmode=verify-full", SslMode::Require, web()),
        ("sslmode=verify%2Dfull", SslMode::Require, web()),
        ("%73slmode=verify-full", SslMode::Require, web()),
        ("sslrootcert=system", SslMode::Require, web()),
        ("sslrootcert=%73ystem", SslMode::Require, web()),
        ("sslmode=prefer&sslrootcert=system", SslMode::Require, web()),
        ("sslrootcert=system&sslmode=require", SslMode::Require, web()),
        ("sslrootcert=ca.pem&sslmode=prefer", SslMode::Require, Trust::File("ca.pem".into())),
    ];
    for (query, mode, trust) in cases {
        let address = Address::parse(&format!("postgres://me:secret@one,two/db?{query}")).unwrap();
        assert_eq!(address.trust, trust, "{query}");
        assert!(address.hosts.iter().all(|host| host.get_ssl_mode() == mode), "{query}");
    }
    for asker in ["sslrootcert=system", "sslrootcert=f", "sslnegotiation=direct", "channel_binding=require"] {
        for query in [format!("sslmode=disable&{asker}"), format!("{asker}&sslmode=disable")] {
            let why = refusal(&format!("postgres://me:secret@h/db?{query}"));
            assert!(why.contains("sslmode=disable"), "{query}: {why}");
        }
    }
}

/// The text of a refusal, which must not hold a part of the password.
fn refusal(address: &str) -> String {
    let Err(error) = Address::parse(address) else { panic!("{address} is taken") };
    assert!(matches!(error, OpenError::Address(_)), "{address}: {error:?}");
    let told = format!("{error}{error:?}");
    for part in ["secret", "s3", "cr3t"] {
        assert!(!told.contains(part), "{address}: {told}");
    }
    error.to_string()
}

#[test]
fn what_is_not_understood_or_said_twice_is_refused() {
    let cases = [
        ("sslmode=require&sslmode=disable", "more than once"),
        ("sslmode=disable&sslmode=disable", "more than once"),
        ("sslmode=require&%73slmode=disable", "more than once"),
        ("sslrootcert=system&sslrootcert=a.pem", "more than once"),
        ("sslnegotiation=direct&sslnegotiation=postgres", "more than once"),
        ("schema=a&schema=a", "more than once"),
        ("connect_timeout=1&connect_timeout=2", "more than once"),
        ("user=other", "more than once"),
        ("password=secret", "more than once"),
        ("dbname=other", "more than once"),
        ("host=other", "more than once"),
        ("port=1", "more than once"),
        ("ssl=true", "`ssl`"),
        ("sslcert=a.pem", "`sslcert`"),
        ("requiressl=1", "`requiressl`"),
        ("SSLMODE=require", "`SSLMODE`"),
        ("sslmode", "`sslmode` must be"),
        ("sslmode=allow", "`sslmode` must be"),
        ("sslmode=Require", "`sslmode` must be"),
        ("sslmode=maybe", "`sslmode` must be"),
        ("sslrootcert=", "`sslrootcert`"),
        ("schema=%4", "`schema`"),
        ("connect_timeout=soon", "`connect_timeout`"),
        ("channel_binding=always", "`channel_binding`"),
    ];
    for (query, why) in cases {
        let told = refusal(&format!("postgres://me:secret@h:5432/db?{query}"));
        assert!(told.contains(why), "{query}: {told}");
    }
}

#[test]
fn no_refusal_repeats_a_password() {
    for address in [
        // Characters that divide an address, in a password.
        "postgres://me:s3@cr3t@h/db",
        "postgres://me:s3?cr3t@h/db",
        "postgres://me:s3?cr3t=1@h/db",
        "postgres://me:s3?sslmode=require&cr3t@h/db",
        "postgres://me@h/db?password=s3&cr3t",
        "postgres://me@h/db?password=s3&cr3t=1",
        "postgres://me@h/db?password=s3?x@cr3t",
        // Forgotten parts.
        "postgres://me:s3cr3t/db",
        "postgres://me:s3cr3t@/db",
        "postgres://me:s3cr3t@h:x/db",
        "postgres://me:s3cr3t@h:1,g:2,i:3/db?hostaddr=127.0.0.1",
        "s3cr3t",
        "mysql://me:s3cr3t@h/db",
        "host=h password=s3cr3t",
    ] {
        refusal(address);
    }
    // A `/` does no harm, and neither does what is written with `%`.
    for (password, means) in [("s3/cr3t", "s3/cr3t"), ("s3%40cr3t%3F", "s3@cr3t?"), ("a:b&c=d", "a:b&c=d")] {
        let address = Address::parse(&format!("POSTGRES://me:{password}@h/db?schema=x")).unwrap();
        assert_eq!(address.hosts[0].get_password(), Some(means.as_bytes()));
        assert_eq!(address.shown(), "postgres://h:5432/db");
        assert!(!format!("{address:?}").contains("s3"), "{address:?}");
    }
}
