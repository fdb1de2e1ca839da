//! TLS: the certificate, its reload, and the handshake of a connection.
//!
//! rustls with ring, TLS 1.2 and 1.3. Nothing here is process-wide: each server has its own certificate.

mod accept;
mod error;
mod files;
mod identity;
mod self_signed;

use std::{
    fmt::Write as _,
    sync::{Arc, PoisonError, RwLock},
};

pub(crate) use accept::{HandshakeError, accept};
pub use error::TlsError;
use identity::Origin;
use log::{error, info};
use ring::digest;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring as provider},
    pki_types::{CertificateDer, PrivateKeyDer},
    server::NoServerSessionStorage,
};

use crate::config::CertificateSource;

/// The certificate for new connections. It can be replaced while connections are open.
#[derive(Debug)]
pub(crate) struct CertificateStore {
    source: CertificateSource,
    /// A reload replaces the complete configuration, with its session tickets. So no client resumes a session of the old
    /// certificate.
    current: RwLock<Arc<ServerConfig>>,
}

impl CertificateStore {
    /// Reads the files, or makes a certificate.
    pub(crate) fn load(source: CertificateSource) -> Result<Self, TlsError> {
        let loaded = load(&source)?;
        loaded.log_loaded();
        let current = RwLock::new(loaded.config);
        Ok(Self { source, current })
    }

    /// Returns the configuration for a new connection.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn replace(&self) -> Result<(), TlsError> {
        let loaded = load(&self.source)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&loaded.config);
        // After the replacement, because a reader of the log may connect at once.
        loaded.log_loaded();
        Ok(())
    }
}

/// The handler of SIGHUP, on systems that have it: it reloads the certificate.
#[derive(Debug, Clone)]
pub struct Reload(Option<Arc<CertificateStore>>);

impl Reload {
    /// Creates the handler. Without a certificate it reloads nothing.
    pub(crate) fn of(certificates: Option<&Arc<CertificateStore>>) -> Self {
        Self(certificates.cloned())
    }

    /// Reads the certificate's files again, for new connections. If that fails, logs the reason and keeps the current certificate.
    pub fn reload(&self) {
        match &self.0 {
            Some(certificates) if matches!(certificates.source, CertificateSource::Files { .. }) => {
                if let Err(error) = certificates.replace() {
                    error!(reason:% = error; "certificate reload failed, keeping the current certificate");
                }
            }
            _ => info!("SIGHUP ignored: no certificate files are configured"),
        }
    }
}

/// A loaded configuration, with its certificate's origin and fingerprint for the log.
struct Loaded {
    config: Arc<ServerConfig>,
    origin: Origin,
    fingerprint: String,
}

impl Loaded {
    fn log_loaded(&self) {
        let (file, names) = match &self.origin {
            Origin::File(path) => (Some(path.display().to_string()), None),
            Origin::SelfSigned(names) => (None, Some(names.join(", "))),
        };
        info!(file, names, sha256 = self.fingerprint; "certificate loaded");
    }
}

fn load(source: &CertificateSource) -> Result<Loaded, TlsError> {
    let provider = Arc::new(provider::default_provider());
    let identity = match source {
        CertificateSource::Files { cert, key } => files::read(cert, key, &provider)?,
        CertificateSource::SelfSigned { names, ca_out } => self_signed::make(names, ca_out.as_deref())?,
    };
    let fingerprint = identity
        .chain
        .first()
        .map(|leaf| fingerprint(leaf))
        .unwrap_or_default();
    Ok(Loaded {
        config: configure(identity.chain, identity.key, provider)?,
        origin: identity.origin,
        fingerprint,
    })
}

fn configure(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // A browser would choose h2 by ALPN (RFC 7301), and the handshake of RFC 6455 needs HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // The state of resumable sessions is in the clients' tickets. The server stores none.
    config.ticketer = provider::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// Returns the SHA-256 of a certificate in the form that browsers show.
fn fingerprint(certificate: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, certificate);
    let mut text = String::new();
    for byte in digest.as_ref() {
        let colon = if text.is_empty() { "" } else { ":" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{colon}{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_has_the_form_of_browsers() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            fingerprint(b"abc"),
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        );
    }
}
