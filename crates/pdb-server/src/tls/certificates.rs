//! An authority that exists as long as the server, for tests that need HTTPS and no certificate of their own.

use pretender::time::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use super::{Tls, TlsError};

/// How long the certificates are valid. Some systems accept no certificate of a server that is valid for longer than 398 days.
const VALIDITY: Duration = Duration::days(365);
/// How far clocks of clients may be behind.
const SKEW: Duration = Duration::days(1);

/// An authority with one certificate, for the names of a server.
///
/// Its key signs that certificate and is forgotten: it is never on the disk, and those who trust the authority trust nobody else. The
/// next start of a server makes another one.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    tls: Tls,
}

impl Authority {
    /// Makes an authority and a certificate for these host names and IP addresses.
    ///
    /// # Errors
    ///
    /// [`TlsError::NotMade`] for a text that is neither.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Result<Self, TlsError> {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(SystemClock.now().0);
        let mut root = CertificateParams::new(Vec::<String>::new())?;
        root.distinguished_name.push(DnType::CommonName, "pretender (until it stops)");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (root.not_before, root.not_after) = (now - SKEW, now + VALIDITY);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate()?)?;

        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "pretender");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        (leaf.not_before, leaf.not_after) = (now - SKEW, now + VALIDITY);
        let key = KeyPair::generate()?;
        let leaf = leaf.signed_by(&key, &root)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = Tls::new(vec![leaf.der().clone()], key)?;
        Ok(Self { certificate: root.pem(), tls })
    }

    /// Returns the certificate that clients must trust, in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// Returns what a server needs.
    #[must_use]
    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }
}
