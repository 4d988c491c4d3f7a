//! HTTPS: certificates, handshakes that go wrong, and commands that trust the server.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pdb_server::{Authority, Credentials, RunningServer, Server, ServerOptions, Tls};
use pretender::Pretender;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::binary::{Process, pretender};
use crate::harness::{Connection, request};

const HEALTH: &str = "GET /_pretender/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// What takes ten seconds if anything waits for a handshake, and no time at all if not.
const PROMPT: Duration = Duration::from_secs(8);

fn authority() -> Authority {
    Authority::new(["localhost", "127.0.0.1"]).unwrap()
}

fn server_with(authority: &Authority, options: ServerOptions) -> RunningServer {
    let options = ServerOptions { tls: Some(authority.tls()), ..options };
    Server::start(Pretender::in_memory().unwrap(), options).unwrap()
}

/// Returns the settings of a client that trusts an authority.
fn trusting(pem: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn connect(
    address: SocketAddr,
    name: &'static str,
    config: &Arc<ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    StreamOwned::new(ClientConnection::new(config.clone(), ServerName::try_from(name).unwrap()).unwrap(), tcp)
}

/// Sends a request whose connection is closed after it, and returns the whole answer.
fn exchange(address: SocketAddr, name: &'static str, pem: &str, request: &str) -> std::io::Result<String> {
    let mut stream = connect(address, name, &trusting(pem));
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn only_clients_that_trust_the_authority_get_answers() {
    let authority = authority();
    let server = server_with(&authority, ServerOptions::default());
    let (address, pem) = (server.address(), authority.certificate_pem());
    assert_eq!(server.url(), format!("https://{address}"));
    for name in ["localhost", "127.0.0.1"] {
        let answer = exchange(address, name, pem, HEALTH).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(r#"{"status":"alive"}"#),
            "{answer}"
        );
    }
    assert!(exchange(address, "other.example", pem, HEALTH).is_err());
    let other = self::authority();
    assert!(exchange(address, "localhost", other.certificate_pem(), HEALTH).is_err());
    let list = request("DynamoDB_20120810.ListTables", "{}").replace("Host:", "Connection: close\r\nHost:");
    let answer = exchange(address, "localhost", pem, &list).unwrap();
    assert!(answer.ends_with(r#"{"TableNames":[]}"#), "{answer}");
}

#[test]
fn plain_http_is_told_what_is_wrong() {
    let server = server_with(&authority(), ServerOptions::default());
    let long = "x".repeat(40_000);
    for request in [
        HEALTH.to_owned(),
        request("DynamoDB_20120810.ListTables", "{}"),
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n"),
    ] {
        let mut connection = Connection::to(server.address());
        connection.send(request);
        let answer = connection.answer();
        assert_eq!(answer.status, 400);
        assert_eq!(answer.text(), "this server speaks HTTPS only: use a URL that begins with https://\n");
    }
    for nonsense in [&b"\x16\x03\x01\x00\x05nonsense"[..], b"\x00", b"\x80\x80\x01\x03\x01", b"hello"] {
        let mut connection = Connection::to(server.address());
        connection.send(nonsense);
        connection.end_sending();
        assert!(connection.status_unless_cut().is_none(), "{nonsense:?}");
    }
}

#[test]
fn a_handshake_that_does_not_end_delays_nobody() {
    let authority = authority();
    let server = server_with(&authority, ServerOptions { workers: Some(1), ..ServerOptions::default() });
    let start = Instant::now();
    let mut idle: Vec<Connection> = (0..50).map(|_| Connection::to(server.address())).collect();
    for connection in &mut idle[..25] {
        // The beginning of a handshake.
        connection.send(b"\x16\x03\x01\x02\x00\x01");
    }
    for _ in 0..5 {
        let answer = exchange(server.address(), "localhost", authority.certificate_pem(), HEALTH).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
    // They are closed in the end, after ten seconds.
    assert!(idle[0].is_closed() && idle[49].is_closed());
    assert!(start.elapsed() >= PROMPT, "{:?}", start.elapsed());
}

#[test]
fn a_server_stops_in_the_middle_of_handshakes() {
    let server = server_with(&authority(), ServerOptions::default());
    let mut idle: Vec<Connection> = (0..3).map(|_| Connection::to(server.address())).collect();
    idle[0].send(b"\x16\x03\x01\x02\x00\x01");
    let start = Instant::now();
    assert!(server.stop());
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
}

#[test]
fn clients_that_do_not_read_are_cut_off_as_without_tls() {
    let authority = authority();
    let options = ServerOptions {
        bytes_in_flight: 4 << 20,
        body_timeout: Duration::from_millis(400),
        contended_timeout: Duration::from_millis(400),
        ..ServerOptions::default()
    };
    let server = server_with(&authority, options);
    let call = |operation: &str, body: &str| {
        let call = request(&format!("DynamoDB_20120810.{operation}"), body)
            .replace("Host:", "Connection: close\r\nHost:");
        exchange(server.address(), "localhost", authority.certificate_pem(), &call).unwrap()
    };
    let table = r#"{"TableName": "large", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}"#;
    assert!(call("CreateTable", table).starts_with("HTTP/1.1 200"));
    let text = "x".repeat(300_000);
    for n in 0..3 {
        let put = format!(
            r#"{{"TableName": "large", "Item": {{"pk": {{"S": "{n}"}}, "text": {{"S": "{text}"}}}}}}"#
        );
        assert!(call("PutItem", &put).starts_with("HTTP/1.1 200"));
    }
    // Large answers are complete, if they are read.
    assert!(call("Scan", r#"{"TableName": "large"}"#).len() > 900_000);
    let scan = request("DynamoDB_20120810.Scan", r#"{"TableName": "large"}"#);
    let mut stream = connect(server.address(), "localhost", &trusting(authority.certificate_pem()));
    stream.write_all(scan.repeat(20).as_bytes()).unwrap();
    stream.flush().unwrap();
    // Until the client is cut off, one of its answers occupies memory. Then a stop need not wait for it.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        assert!(call("Scan", r#"{"TableName": "large"}"#).len() > 900_000);
    }
    let mut bytes = 0;
    let mut part = [0; 32 * 1024];
    while let Ok(some @ 1..) = stream.read(&mut part) {
        bytes += some;
    }
    assert!(bytes < 20 * 900_000, "{bytes}");
}

#[test]
fn certificates_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&certificate, signed.cert.pem()).unwrap();
    fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let options =
        ServerOptions { tls: Some(Tls::read(&certificate, &key).unwrap()), ..ServerOptions::default() };
    let server = Server::start(Pretender::in_memory().unwrap(), options).unwrap();
    let answer = exchange(server.address(), "localhost", &signed.cert.pem(), HEALTH).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let refusal = |certificate: &std::path::Path, key: &std::path::Path| {
        Tls::read(certificate, key).unwrap_err().to_string()
    };
    let missing = folder.path().join("missing.pem");
    assert!(refusal(&missing, &key).starts_with("cannot read the certificate in `"));
    assert!(refusal(&certificate, &missing).starts_with("cannot read the key in `"));
    assert!(refusal(&key, &key).ends_with("there is no certificate in PEM in it"));
    assert!(refusal(&certificate, &certificate).ends_with("there is no private key in PEM in it"));
    fs::write(&key, other.signing_key.serialize_pem()).unwrap();
    assert!(refusal(&certificate, &key).starts_with("cannot use the certificate: "));
}

#[test]
fn the_cookie_of_the_console_is_for_https_only() {
    let authority = authority();
    let token = Some("t".parse().unwrap());
    let server = server_with(&authority, ServerOptions { control_token: token, ..ServerOptions::default() });
    let pem = authority.certificate_pem();
    let sign_in = |host: &str| {
        let head =
            format!("GET /_pretender/console/sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let page = exchange(server.address(), "localhost", pem, &head).unwrap();
        let token =
            page.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let form = format!("token=t&form_token={token}");
        let head = format!(
            "POST /_pretender/console/sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        exchange(server.address(), "localhost", pem, &head).unwrap()
    };
    let answer = sign_in("localhost:8000");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(answer.contains("HttpOnly; SameSite=Strict; Secure"), "{answer}");
}

#[test]
fn commands_trust_the_authority_of_a_file_and_sign() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    fs::write(&keys, r#"{"keys": [{"accessKeyId": "AKIDOWNER", "secretAccessKey": "s3cret"}]}"#).unwrap();
    assert_eq!(Credentials::read(&keys).unwrap().len(), 1);
    let mut command = pretender();
    command.current_dir(folder.path()).env("PRETENDER_CONTROL_TOKEN", "t0ken").args([
        "serve",
        "-p",
        "0",
        "-d",
        ":memory:",
        "-c",
        "--tls",
        "self-signed",
        "--credentials",
        "keys.json",
        "-l",
        "info",
    ]);
    let mut process = Process::start(&mut command);
    let url = format!("https://{}", process.address());
    assert!(process.line().starts_with("Data in memory"));
    let ca = folder.path().join("pretender-ca.pem");
    assert_eq!(
        process.line(),
        format!("Clients must trust the authority in {}", ca.canonicalize().unwrap().display())
    );
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = pretender();
        command.envs(variables.iter().copied()).args(arguments).args(["--endpoint", &url]);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout) + &text(output.stderr))
    };
    let ca = ca.to_str().unwrap();
    let signing =
        [("AWS_ACCESS_KEY_ID", "AKIDOWNER"), ("AWS_SECRET_ACCESS_KEY", "s3cret"), ("AWS_CA_BUNDLE", ca)];
    let (is_fine, text) = run(&signing, &["ls"]);
    assert!(is_fine, "{text}");
    let (is_fine, text) = run(&signing[..2], &["ls", "--ca-file", ca]);
    assert!(is_fine, "{text}");
    let (is_fine, text) = run(&[("AWS_CA_BUNDLE", ca)], &["ping"]);
    assert!(is_fine && text.contains(&format!("at {url} is ready")), "{text}");
    let (is_fine, text) =
        run(&[("AWS_CA_BUNDLE", ca), ("PRETENDER_CONTROL_TOKEN", "t0ken")], &["ctl", "clock", "show"]);
    assert!(is_fine, "{text}");
    let (is_fine, text) =
        run(&[("AWS_CA_BUNDLE", ca), ("PRETENDER_CONTROL_TOKEN", "t0ken")], &["top", "--once"]);
    assert!(is_fine, "{text}");
    for (variables, arguments, expected) in [
        (&signing[..2], &["ls"][..], "--ca-file or AWS_CA_BUNDLE names the authority to trust"),
        (
            &signing[..2],
            &["ls", "--ca-file", "/missing.pem"],
            "--ca-file: there are no certificates in PEM in `/missing.pem`",
        ),
        (
            &signing[2..],
            &["ls"],
            "UnrecognizedClientException: The security token included in the request is invalid.",
        ),
        (
            &[
                ("AWS_ACCESS_KEY_ID", "AKIDOWNER"),
                ("AWS_SECRET_ACCESS_KEY", "wr0ng"),
                ("AWS_SESSION_TOKEN", "t"),
                ("AWS_CA_BUNDLE", ca),
            ],
            &["ls"],
            "UnrecognizedClientException",
        ),
        (
            &[("AWS_ACCESS_KEY_ID", "AKIDOWNER"), ("AWS_SECRET_ACCESS_KEY", "wr0ng"), ("AWS_CA_BUNDLE", ca)],
            &["ls"],
            "InvalidSignatureException: The request signature we calculated does not match",
        ),
    ] {
        let (is_fine, text) = run(variables, arguments);
        assert!(!is_fine && text.contains(expected), "{text}");
    }
    #[cfg(unix)]
    {
        let (_, log) = process.stop_and_read("-TERM");
        assert!(log.contains("The request signature we calculated does not match"), "{log}");
        for secret in ["s3cret", "wr0ng", "t0ken", "Canonical String", "x-amz-date"] {
            assert!(!log.contains(secret), "{secret}: {log}");
        }
    }
}

#[test]
fn a_command_gets_the_key_and_the_authority() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("keys"),
        "[ci]\naws_access_key_id = AKIDCI\naws_secret_access_key = s3cret\n",
    )
    .unwrap();
    let mut command = pretender();
    command.current_dir(folder.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default()).args([
        "run",
        "--tls",
        "self-signed",
        "--credentials",
        "keys",
        "--",
        env!("CARGO_BIN_EXE_pretender"),
        "ls",
    ]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("keys"),
        "[ci]\naws_access_key_id = AKIDCI\naws_secret_access_key = s3cret\n",
    )
    .unwrap();
    for (arguments, expected) in [
        (
            &["-c", "--credentials", "keys"][..],
            "--credentials with --control needs a token (PRETENDER_CONTROL_TOKEN)",
        ),
        (&["--credentials", "missing"], "cannot read the credentials in `missing`"),
        (&["--tls-cert", "keys"], "--tls-key <FILE>"),
        (&["--tls-cert", "keys", "--tls-key", "keys"], "there is no certificate in PEM in it"),
        (&["--tls", "self-signed", "--tls-ca-file", "keys"], "is not replaced: choose another --tls-ca-file"),
        (&["--tls-ca-file", "ca"], "--tls <KIND>"),
    ] {
        let mut command = pretender();
        command.current_dir(folder.path()).args(["serve", "-p", "0", "-d", ":memory:"]).args(arguments);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(expected), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
