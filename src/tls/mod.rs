//! TLS beneath HTTP: the certificate, how it is read again, and the handshake of a connection.
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
use identity::Identity;
use log::{error, info};
use ring::digest;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring as provider},
    server::NoServerSessionStorage,
};

use crate::config::CertificateSource;

/// The certificate that new connections are shown, which can be replaced while others are open.
#[derive(Debug)]
pub(crate) struct CertificateStore {
    source: CertificateSource,
    /// The whole configuration is replaced and not its certificate alone: tickets of the old one end with it, so that no
    /// client goes on by resumption with a certificate that is no longer there.
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

    /// What a new connection is served with.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    fn replace(&self) -> Result<(), TlsError> {
        let loaded = load(&self.source)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&loaded.config);
        // Now, for who reads the log may connect as soon as it says so.
        loaded.log_loaded();
        Ok(())
    }
}

/// Reads again what SIGHUP asks to be read again.
#[derive(Debug, Clone)]
pub struct Reload(Option<Arc<CertificateStore>>);

impl Reload {
    /// Of the certificate of these, where there are any.
    pub(crate) fn of(certificates: Option<&Arc<CertificateStore>>) -> Self {
        Self(certificates.cloned())
    }

    /// Reads the certificate's files again: new connections get what they hold now, open ones keep what they have. Where
    /// that fails, the log says why, and all stays as it is.
    pub fn reload(&self) {
        match &self.0 {
            None => info!("SIGHUP: nothing to read again, there is no certificate"),
            Some(certificates) if matches!(certificates.source, CertificateSource::SelfSigned { .. }) => {
                info!("SIGHUP: nothing to read again, the certificate is self-signed");
            }
            Some(certificates) => {
                if let Err(error) = certificates.replace() {
                    error!(reason:% = error; "SIGHUP: the certificate read before stays in use");
                }
            }
        }
    }
}

/// A configuration that can be served with, and what the log says of it.
struct Loaded {
    config: Arc<ServerConfig>,
    described: String,
    fingerprint: String,
}

impl Loaded {
    fn log_loaded(&self) {
        info!(sha256 = self.fingerprint; "certificate {}", self.described);
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
    let described = identity.described.clone();
    let config = configure(identity, provider)?;
    Ok(Loaded {
        config,
        described,
        fingerprint,
    })
}

fn configure(identity: Identity, provider: Arc<CryptoProvider>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)?;
    // A browser would choose h2 where it could (RFC 7301), over which there is no handshake of RFC 6455.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Clients keep the state of a session that can be resumed, in tickets; the server keeps none.
    config.ticketer = provider::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The SHA-256 of a certificate as browsers show it.
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
    fn a_fingerprint_reads_as_in_a_browser() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            fingerprint(b"abc"),
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        );
    }
}
