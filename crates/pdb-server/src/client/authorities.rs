//! The authorities that a command trusts instead of those of browsers.

use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// The certificates of authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authorities(Arc<Vec<Vec<u8>>>);

impl Authorities {
    /// Reads certificates in PEM; `None` if there are none.
    pub(super) fn parse(pem: &str) -> Option<Self> {
        let items = parse_pem(pem.as_bytes()).collect::<Result<Vec<_>, _>>().ok()?;
        let certificates: Vec<Vec<u8>> = items
            .into_iter()
            .filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate.der().to_vec()),
                _ => None,
            })
            .collect();
        (!certificates.is_empty()).then(|| Self(Arc::new(certificates)))
    }

    /// Returns the settings of a client.
    pub(super) fn config(&self) -> TlsConfig {
        let certificates = self.0.iter().map(|der| Certificate::from_der(der).to_owned());
        TlsConfig::builder().root_certs(RootCerts::from(certificates)).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_at_least_one_certificate() {
        let authority = pdb_server::Authority::new(["localhost"]).unwrap();
        let pem = authority.certificate_pem();
        assert_eq!(Authorities::parse(pem).unwrap().0.len(), 1);
        assert_eq!(Authorities::parse(&format!("# ours\n{pem}\n{pem}")).unwrap().0.len(), 2);
        for bad in [
            "",
            "nonsense",
            "-----BEGIN CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(Authorities::parse(bad), None, "{bad}");
        }
    }
}
