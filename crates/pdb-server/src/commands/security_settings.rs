//! Who may call a server, and how its connections are protected: `--credentials` and `--tls`.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
#[cfg(feature = "https")]
use clap::ValueEnum;
use pdb_server::Credentials;

/// Heading of these options, and of others about the network, in the help.
pub(super) const NETWORK: &str = "Network";

/// These settings.
#[derive(Args, Debug)]
pub(super) struct SecuritySettings {
    /// File with the access keys that requests must be signed with: JSON, or sections as in ~/.aws/credentials
    ///
    /// Without this option, any signature is accepted without a look at it. With it, signatures of version 4 are verified, with
    /// AWS's errors, and a key can be limited to reading or to some tables: see docs/security.md.
    #[arg(long, env = "PRETENDER_CREDENTIALS", value_name = "FILE", help_heading = NETWORK)]
    credentials: Option<PathBuf>,

    /// Speak HTTPS, with a certificate that is made at the start
    ///
    /// Clients must trust the authority in the file of --tls-ca-file, for example with AWS_CA_BUNDLE.
    #[cfg(feature = "https")]
    #[arg(long, env = "PRETENDER_TLS", value_enum, value_name = "KIND", conflicts_with_all = ["tls_cert", "tls_key"], help_heading = NETWORK)]
    tls: Option<TlsKind>,

    /// File to write the authority of --tls self-signed to [default: pretender-ca.pem]
    #[cfg(feature = "https")]
    #[arg(long, env = "PRETENDER_TLS_CA_FILE", value_name = "FILE", requires = "tls", help_heading = NETWORK)]
    tls_ca_file: Option<PathBuf>,

    /// Speak HTTPS, with the certificate in this PEM file, which also has those of its authorities
    #[cfg(feature = "https")]
    #[arg(long, env = "PRETENDER_TLS_CERT", value_name = "FILE", requires = "tls_key", help_heading = NETWORK)]
    tls_cert: Option<PathBuf>,

    /// PEM file with the private key of --tls-cert
    #[cfg(feature = "https")]
    #[arg(long, env = "PRETENDER_TLS_KEY", value_name = "FILE", requires = "tls_cert", help_heading = NETWORK)]
    tls_key: Option<PathBuf>,
}

/// How a server gets a certificate without a file.
#[cfg(feature = "https")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TlsKind {
    /// An authority of its own, whose key is forgotten at once
    SelfSigned,
}

/// The certificate of a server.
#[cfg(feature = "https")]
pub(super) struct ServerTls {
    pub(super) tls: pdb_server::Tls,
    /// The file for the authority that clients must trust, and its certificate, if it was made now.
    authority: Option<(PathBuf, String)>,
}

#[cfg(feature = "https")]
impl ServerTls {
    /// Writes the file with the authority, if one was made. Returns its absolute path.
    pub(super) fn write_authority(&self) -> Result<Option<PathBuf>, String> {
        let Some((path, certificate)) = &self.authority else { return Ok(None) };
        super::ca_file::write(path, certificate)?;
        Ok(Some(std::path::absolute(path).unwrap_or_else(|_| path.clone())))
    }
}

impl SecuritySettings {
    /// Returns whether requests must be signed with known keys.
    pub(super) fn checks_signatures(&self) -> bool {
        self.credentials.is_some()
    }

    /// Reads the access keys that requests must be signed with.
    pub(super) fn credentials(&self) -> Result<Option<Credentials>, Box<dyn Error>> {
        let Some(path) = &self.credentials else { return Ok(None) };
        let credentials = Credentials::read(path)?;
        warn_if_readable(path);
        Ok(Some(credentials))
    }

    /// Returns the certificate of a server that is reached under these names besides the usual ones; `None` if it speaks plain HTTP.
    #[cfg(feature = "https")]
    pub(super) fn tls(&self, more_names: &[String]) -> Result<Option<ServerTls>, Box<dyn Error>> {
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            warn_if_readable(key);
            return Ok(Some(ServerTls { tls: pdb_server::Tls::read(certificate, key)?, authority: None }));
        }
        if self.tls.is_none() {
            return Ok(None);
        }
        let usual = ["localhost", "*.localhost", "host.docker.internal", "pretender", "127.0.0.1", "::1"];
        let mut names: Vec<String> = usual.into_iter().map(str::to_owned).collect();
        names.extend(more_names.iter().cloned());
        let authority = pdb_server::Authority::new(names)?;
        let path = self.tls_ca_file.clone().unwrap_or_else(|| "pretender-ca.pem".into());
        let certificate = authority.certificate_pem().to_owned();
        Ok(Some(ServerTls { tls: authority.tls(), authority: Some((path, certificate)) }))
    }
}

fn warn_if_readable(path: &Path) {
    if pdb_server::is_readable_by_others(path) {
        tracing::warn!(file = %path.display(), "other users of this machine can read a secret: `chmod 600` prevents that");
    }
}
