//! The certificates that a client accepts, and a verifier that keeps what it has seen.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use thiserror::Error as ThisError;

/// The file of certificates on Debian, Fedora, SUSE, Alpine and FreeBSD. macOS and Windows keep theirs in a store that only a
/// framework of the system reads.
const SYSTEM_FILES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
];

/// The certificate authorities that a client trusts: by default those of Mozilla, in the binary.
#[derive(Debug, Clone)]
pub struct Trust {
    roots: Arc<RootCertStore>,
    insecure: bool,
}

/// A file of certificates that cannot be used.
#[derive(Debug, ThisError)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file has no certificate in PEM that can be an authority.
    #[error("{0} has no certificate in PEM")]
    NoCertificate(PathBuf),
}

impl Default for Trust {
    fn default() -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self {
            roots: Arc::new(roots),
            insecure: false,
        }
    }
}

impl Trust {
    /// Adds the certificates of a PEM file.
    ///
    /// # Errors
    /// If the file cannot be read, or has no certificate.
    pub fn add_file(&mut self, path: &Path) -> Result<(), TrustError> {
        let text = fs::read(path).map_err(|source| TrustError::Read {
            path: path.to_owned(),
            source,
        })?;
        let certificates = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok);
        let (added, _) = Arc::make_mut(&mut self.roots).add_parsable_certificates(certificates);
        if added == 0 {
            return Err(TrustError::NoCertificate(path.to_owned()));
        }
        Ok(())
    }

    /// Adds the certificates of the system: those of the file in `SSL_CERT_FILE`, or of the first file that Linux and BSD usually
    /// have. Windows and macOS keep theirs in no such file.
    pub fn add_system(&mut self) {
        match env::var_os("SSL_CERT_FILE") {
            Some(path) => drop(self.add_file(Path::new(&path))),
            None => {
                let _ = SYSTEM_FILES
                    .iter()
                    .any(|path| self.add_file(Path::new(path)).is_ok());
            }
        }
    }

    /// Accepts any certificate. The facts of a connection still contain the result of its verification.
    pub fn accept_any(&mut self) {
        self.insecure = true;
    }

    /// Returns a configuration, and the verifier that it uses.
    pub(super) fn config(&self, alpn: &[String]) -> Result<(ClientConfig, Arc<Recorder>), Error> {
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&provider))
                .build()
                .map_err(|error| Error::General(error.to_string()))?;
        let recorder = Arc::new(Recorder {
            verifier,
            insecure: self.insecure,
            seen: Mutex::default(),
        });
        let verifier = Arc::clone(&recorder);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.clone().into_bytes()).collect();
        Ok((config, recorder))
    }
}

/// The certificates of a server, and whether they verify.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The server's certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The reason why they do not verify, if so.
    pub error: Option<Error>,
}

/// A verifier that keeps the certificates, also of a handshake that fails.
#[derive(Debug)]
pub(super) struct Recorder {
    verifier: Arc<WebPkiServerVerifier>,
    insecure: bool,
    seen: Mutex<Option<Presented>>,
}

impl Recorder {
    /// Returns what the server has presented, if its handshake came so far.
    pub(super) fn take(&self) -> Option<Presented> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let chain = [end_entity].into_iter().chain(intermediates);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Presented {
            chain: chain
                .map(|certificate| certificate.clone().into_owned())
                .collect(),
            error: verified.as_ref().err().cloned(),
        });
        if self.insecure {
            return Ok(ServerCertVerified::assertion());
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
