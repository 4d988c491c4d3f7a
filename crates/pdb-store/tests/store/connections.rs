//! How a server is connected to: what it is told, and when it is left alone.

use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use pdb_store::{OpenError, Store, StoreError, StoreOptions};
use pdb_testpg::{Failure, Server, ServerOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Counts connections, and what came over them; hands each to `serve`.
struct Listener {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Listener {
    /// Its thread ends with the test program.
    fn start(serve: impl Fn(TcpStream, &Mutex<Vec<u8>>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counted, heard, serve) = (connections.clone(), received.clone(), Arc::new(serve));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::AcqRel);
                let (serve, heard) = (serve.clone(), heard.clone());
                std::thread::spawn(move || serve(client, &heard));
            }
        });
        Self { address, connections, received }
    }

    /// A server that says it has no encryption, and asks for the password in clear text.
    fn without_encryption() -> Self {
        Self::start(|mut client, heard| drop(converse_in_clear_text(&mut client, heard)))
    }

    /// Passes everything on to the server on a port.
    fn before(port: u16) -> Self {
        Self::start(move |client, _| {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
            let pass = |mut from: TcpStream, mut to: TcpStream| {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Write);
            };
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || pass(back.0, back.1));
            pass(client, server);
        })
    }

    fn url(&self, login: &str, host: &str, query: &str) -> String {
        format!("postgres://{login}@{host}:{}/postgres?{query}", self.address.port())
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    fn has_heard(&self, text: &str) -> bool {
        self.received.lock().unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes())
    }
}

fn converse_in_clear_text(client: &mut TcpStream, heard: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    fn hear(client: &mut TcpStream, length: usize, heard: &Mutex<Vec<u8>>) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes)?;
        heard.lock().unwrap().extend_from_slice(&bytes);
        Ok(bytes)
    }
    let length_of = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap()) as usize;
    loop {
        let head = hear(client, 8, heard)?;
        match length_of(&head[4..]) {
            // A request for encryption: no.
            80_877_103 => client.write_all(b"N")?,
            // The start of a session: asks for the password, and does not like it.
            196_608 => {
                hear(client, length_of(&head[..4]) - 8, heard)?;
                client.write_all(b"R\0\0\0\x08\0\0\0\x03")?;
                let head = hear(client, 5, heard)?;
                hear(client, length_of(&head[1..]) - 4, heard)?;
                break;
            }
            // An encryption that was not asked for before.
            _ => break,
        }
    }
    client.write_all(&fatal("28P01", "wrong password!"))?;
    // Until the other end has read it.
    client.read_to_end(&mut Vec::new()).map(drop)
}

/// What a server says before it closes a connection.
fn fatal(code: &str, text: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0C{code}\0M{text}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [b"E", &length[..], fields.as_bytes()].concat()
}

fn open(url: &str) -> Result<Store, StoreError> {
    Store::open(&StoreOptions::postgres(url).with_writers(1).with_readers(1))
}

/// The error with its causes; it does not tell the password.
fn refusal(url: &str) -> String {
    let Err(error) = open(url) else { panic!("{url} is opened") };
    assert!(matches!(error, StoreError::Open(OpenError::Unreachable { .. })), "{url}: {error:?}");
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(&format!(": {error}"));
        cause = error.source();
    }
    assert!(!told.contains("s3cr3t"), "{told}");
    told
}

#[test]
fn a_server_without_encryption_never_gets_the_password_of_those_who_ask_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, Authority::new("some").issuer.pem()).unwrap();
    let file = format!("sslrootcert={}", file.display());
    for query in [
        "sslmode=require",
        "sslmode=verify-ca",
        "sslmode=verify-full",
        "sslmode=verify%2Dfull",
        "sslrootcert=system",
        "%73slrootcert=system",
        "sslmode=prefer&sslrootcert=system",
        "sslrootcert=system&sslmode=require",
        "sslnegotiation=direct",
        "sslmode=require&sslnegotiation=direct",
        "channel_binding=require",
        &file,
    ] {
        let server = Listener::without_encryption();
        let told = refusal(&server.url("me:s3cr3t", "127.0.0.1", query));
        assert!(!server.has_heard("s3cr3t"), "{query}");
        assert!(told.contains("TLS"), "{query}: {told}");
        assert_eq!(server.connections(), 1, "{query}: it is refused once and for all: {told}");
    }
    // That it would be noticed: those who do not ask for it send the password.
    for query in ["", "sslmode=prefer", "sslmode=disable"] {
        let server = Listener::without_encryption();
        let told = refusal(&server.url("me:s3cr3t", "127.0.0.1", query));
        assert!(server.has_heard("s3cr3t"), "{query}");
        assert!(told.contains("wrong password!"), "{query}: {told}");
        assert_eq!(server.connections(), 1, "{query}: it is refused once and for all: {told}");
    }
}

#[test]
fn an_address_that_contradicts_itself_reaches_nobody() {
    let server = Listener::without_encryption();
    for query in [
        "sslmode=verify-full&sslmode=prefer",
        "sslmode=require&sslmode=disable",
        "sslmode=disable&sslrootcert=system",
        "sslmode=require&%73slmode=disable",
        "ssl=true",
    ] {
        let error = open(&server.url("me:s3cr3t", "127.0.0.1", query)).unwrap_err();
        assert!(matches!(error, StoreError::Open(OpenError::Address(_))), "{query}: {error:?}");
    }
    assert_eq!(server.connections(), 0);
}

/// One that refuses us is the last that is tried: the next may be anybody's.
#[test]
fn a_host_that_refuses_us_is_the_last_that_is_tried() {
    let (first, second) = (Listener::without_encryption(), Listener::without_encryption());
    let hosts = format!("127.0.0.1:{},127.0.0.1", first.address.port());
    let told = refusal(&second.url("me:s3cr3t", &hosts, ""));
    assert!(told.contains("wrong password!"), "{told}");
    assert_eq!((first.connections(), second.connections()), (1, 0));
    // One that is not there is passed over.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = refusal(&second.url("me:s3cr3t", &format!("127.0.0.1:{},127.0.0.1", gone.port()), ""));
    assert!(told.contains("wrong password!"), "{told}");
    assert_eq!(second.connections(), 1);
}

/// An authority of a test, which nobody else trusts.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// A server's certificate and key, in PEM.
    fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A PostgreSQL server with a certificate for `localhost`, and the role `app`, which must encrypt and has a password.
fn encrypted(authority: &Authority) -> Option<Server> {
    let (certificate, key) = authority.certify("localhost");
    let options = ServerOptions::default()
        .with_tls(&certificate, &key)
        .with_access("hostssl postgres app 127.0.0.1/32 scram-sha-256")
        .with_access("host all app 127.0.0.1/32 reject");
    match Server::start(&options) {
        Ok(server) => {
            server.sql("CREATE ROLE app LOGIN PASSWORD 's3cr3t'; GRANT ALL ON SCHEMA public TO app").unwrap();
            Some(server)
        }
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
            None
        }
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn who_the_server_is_and_who_we_are_is_decided_at_once() {
    let (authority, other) = (Authority::new("right"), Authority::new("wrong"));
    let Some(server) = encrypted(&authority) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("sslrootcert={}", path.display())
    };
    let (right, wrong) = (file("right.pem", &authority.issuer.pem()), file("wrong.pem", &other.issuer.pem()));
    for (login, host, query, why) in [
        // Whose certificate it is.
        ("app:s3cr3t", "localhost", wrong.clone(), "UnknownIssuer"),
        ("app:s3cr3t", "localhost", "sslrootcert=system".to_owned(), "UnknownIssuer"),
        ("app:s3cr3t", "localhost", "sslmode=verify-full".to_owned(), "UnknownIssuer"),
        ("app:s3cr3t", "127.0.0.1", right.clone(), "not valid for name"),
        ("app:s3cr3t", "127.0.0.1", format!("{right}&sslmode=verify-ca"), "not valid for name"),
        // Who we are, and what we ask for.
        ("app:wr0ng", "localhost", right.clone(), "28P01"),
        ("app", "localhost", right.clone(), "password missing"),
        ("app:s3cr3t", "localhost", "sslmode=disable".to_owned(), "28000"),
        ("nobody", "localhost", right.clone(), "28000"),
        ("app:s3cr3t", "localhost", format!("{right}&options=-cno_such%3D1"), "42704"),
        ("postgres", "localhost", format!("{right}&options=-cwork_mem%3Dmuch"), "22023"),
    ] {
        let counted = Listener::before(server.port());
        let told = refusal(&counted.url(login, host, &query));
        assert!(told.contains(why), "{login} {host} {query}: {told}");
        assert_eq!(
            counted.connections(),
            1,
            "{login} {host} {query}: it is refused once and for all: {told}"
        );
    }
    let counted = Listener::before(server.port());
    let told = refusal(&counted.url("postgres", "localhost", &right).replace("/postgres?", "/no_such?"));
    assert!(told.contains("3D000"), "{told}");
    assert_eq!(counted.connections(), 1, "{told}");
    // And what fits is let in.
    for query in [
        right.clone(),
        format!("{right}&sslmode=verify-full"),
        format!("{right}&channel_binding=require"),
        "sslmode=require".to_owned(),
        "sslmode=prefer".to_owned(),
    ] {
        let counted = Listener::before(server.port());
        open(&counted.url("app:s3cr3t", "localhost", &query)).unwrap_or_else(|e| panic!("{query}: {e:?}"));
    }
}

/// What may be otherwise in a moment is tried again.
#[test]
fn a_server_that_is_starting_or_full_is_tried_again() {
    for (code, text) in [("57P03", "the database system is starting up"), ("53300", "too many clients")] {
        let tries = AtomicUsize::new(0);
        let server = Listener::start(move |mut client, _| {
            let mut request = [0; 8];
            if client.read_exact(&mut request).is_err() || client.write_all(b"N").is_err() {
                return;
            }
            // The second time it says something else, which ends the attempts.
            let (code, text) = match tries.fetch_add(1, Ordering::AcqRel) {
                0 => (code, text),
                _ => ("28P01", "wrong password!"),
            };
            if client.write_all(&fatal(code, text)).is_ok() {
                // Until the other end has read it.
                let _ = client.read_to_end(&mut Vec::new());
            }
        });
        let told = refusal(&server.url("me:s3cr3t", "127.0.0.1", ""));
        assert!(told.contains("wrong password!"), "{told}");
        assert_eq!(server.connections(), 2, "{code}");
    }
}
