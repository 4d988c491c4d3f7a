//! TLS of the server: certificates, and the handshake of a connection.

mod certificates;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use certificates::Authority;

/// How long a client may take for the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The first byte of every handshake.
const HANDSHAKE: u8 = 0x16;
/// How much of a request in plain HTTP is read, so that its client can read the answer.
const MAX_PLAIN_BYTES: usize = 64 * 1024;
/// How long that may take.
const PLAIN_TIMEOUT: Duration = Duration::from_secs(2);
const NEEDS_HTTPS: &str = "this server speaks HTTPS only: use a URL that begins with https://\n";

/// The certificate with which a server speaks TLS. `Debug` does not show its key.
///
/// # Examples
///
/// ```
/// use pdb_server::{Authority, Server, ServerOptions};
/// use pretender::Pretender;
///
/// let authority = Authority::new(["localhost", "127.0.0.1"])?;
/// let options = ServerOptions { tls: Some(authority.tls()), ..ServerOptions::default() };
/// let server = Server::start(Pretender::in_memory()?, options)?;
/// assert!(server.url().starts_with("https://"));
/// assert!(authority.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tls(Arc<ServerConfig>);

/// A connection after its handshake.
pub(crate) type TlsConnection<S> = TokioIo<TlsStream<TokioIo<S>>>;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has no certificate or no key in PEM.
    #[error("cannot read the {what} in `{}`: {reason}", path.display())]
    File {
        /// `certificate` or `key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason, for people.
        reason: String,
    },
    /// The key does not belong to the certificate, or TLS does not know its kind.
    #[error("cannot use the certificate: {0}")]
    Unusable(#[from] rustls::Error),
    /// No certificate can be made for these names.
    #[error("cannot make a certificate: {0}")]
    NotMade(#[from] rcgen::Error),
}

impl Tls {
    /// Reads a certificate, with those of its authorities behind it, and its key, both in PEM.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        use rustls::pki_types::pem::PemObject;
        let fault =
            |what, path: &Path, reason: String| TlsError::File { what, path: path.to_owned(), reason };
        let unread = |error| fault("certificate", certificate, reason(&error, "certificate"));
        let chain = CertificateDer::pem_file_iter(certificate).map_err(unread)?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unread)?;
        if chain.is_empty() {
            return Err(fault("certificate", certificate, "there is no certificate in PEM in it".to_owned()));
        }
        let private = PrivateKeyDer::from_pem_file(key);
        Self::new(chain, private.map_err(|error| fault("key", key, reason(&error, "private key")))?)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        // Named here, because other crates of the program could bring a second one.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = versions.with_no_client_auth().with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Waits for the handshake of a client. Nothing but this connection waits for it. `None` if there is none: then the client has an
    /// answer, if it speaks HTTP.
    pub(crate) async fn accept<S>(
        &self,
        tcp: TcpStream,
        wrap: impl FnOnce(TcpStream) -> S,
    ) -> Option<TlsConnection<S>>
    where
        S: Read + Write + Unpin + Send,
    {
        let handshake = async {
            let mut first = [0];
            if tcp.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first[0] != HANDSHAKE {
                // Methods of HTTP are in upper case.
                if first[0].is_ascii_uppercase() {
                    // The client has its answer, or does not want it.
                    let _ = timeout(PLAIN_TIMEOUT, answer_plainly(tcp)).await;
                }
                return Err(io::Error::new(io::ErrorKind::InvalidData, "no TLS handshake"));
            }
            TlsAcceptor::from(self.0.clone()).accept(TokioIo::new(wrap(tcp))).await
        };
        match timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(Ok(stream)) => Some(TokioIo::new(stream)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                None
            }
        }
    }
}

/// Returns why a PEM file could not be read.
fn reason(error: &rustls::pki_types::pem::Error, what: &str) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::Io(error) => error.to_string(),
        Error::NoItemsFound => format!("there is no {what} in PEM in it"),
        other => other.to_string(),
    }
}

/// Answers a request in plain HTTP.
async fn answer_plainly(mut tcp: TcpStream) -> io::Result<()> {
    let length = NEEDS_HTTPS.len();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{NEEDS_HTTPS}"
    );
    tcp.write_all(answer.as_bytes()).await?;
    tcp.shutdown().await?;
    // A connection that is closed with unread bytes is reset, and the answer may be lost.
    let mut rest = [0; 4096];
    let mut read = 0;
    while read < MAX_PLAIN_BYTES {
        match tcp.read(&mut rest).await? {
            0 => break,
            bytes => read += bytes,
        }
    }
    Ok(())
}
