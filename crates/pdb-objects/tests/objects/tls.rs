//! A service that speaks TLS.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use pdb_objects::{ObjectError, ObjectStore, S3Credentials, S3Objects, S3Settings, S3Timeouts};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Starts a service that has the object `secret` under every key. Returns its address and its certificate.
fn service() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, stream));
            let mut line = String::new();
            // A client that does not trust us ends the connection.
            while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                line.clear();
            }
            let answer =
                "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret";
            let stream = reader.get_mut();
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (url, made.cert.pem())
}

#[test]
fn only_authorities_that_are_trusted_are_talked_to() {
    let (url, certificate) = service();
    let short = Duration::from_millis(400);
    let settings = S3Settings::new("us-east-1", S3Credentials::new("id", "secret"))
        .endpoint(url)
        .timeouts(S3Timeouts { attempt: Duration::from_secs(20), retries: short });
    let store = S3Objects::new(settings.clone()).unwrap();
    let error = store.open("bkt", "k").err().unwrap();
    assert!(
        matches!(&error, ObjectError::Failed { source, .. } if source.to_string().contains("certificate")),
        "{error}"
    );
    let store = S3Objects::new(settings.authorities(certificate)).unwrap();
    assert_eq!(store.get("bkt", "k", 9).unwrap().unwrap(), b"secret");
}
