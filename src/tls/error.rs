//! Why there is no certificate to present.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why there is no certificate to show. Each is one line that names the file and says what to do.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path:?} of {flag}: {source}")]
    Read {
        /// Which flag named it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What stands between the lines of PEM is none.
    #[error(
        "{path:?} of {flag} is broken PEM ({source}); write it anew, as text, with its BEGIN and END lines"
    )]
    Pem {
        /// Which flag named it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// A file without a certificate.
    #[error("no certificate in {0:?} of --tls-cert; it must be PEM, with a line -----BEGIN CERTIFICATE-----")]
    NoCertificate(PathBuf),
    /// What is said to be a certificate is none.
    #[error(
        "the certificate in {path:?} of --tls-cert cannot be used ({source}); the server's own must be the first"
    )]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// A file without a private key.
    #[error(
        "no private key in {0:?} of --tls-key; it must be PEM, with a line such as -----BEGIN PRIVATE KEY-----"
    )]
    NoKey(PathBuf),
    /// A key that wants a password.
    #[error(
        "the private key in {0:?} of --tls-key is encrypted; decrypt it with: openssl pkey -in FILE -out NEW"
    )]
    EncryptedKey(PathBuf),
    /// A key of a kind or a size that is not known.
    #[error(
        "the private key in {0:?} of --tls-key cannot be used; take ECDSA P-256 or P-384, Ed25519, or RSA from 2048 bits"
    )]
    BadKey(PathBuf),
    /// The two files do not belong together.
    #[error(
        "the private key in {key:?} does not belong to the first certificate in {cert:?}; name a pair, the server's own certificate first"
    )]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}; look at --tls-name")]
    Make(#[from] rcgen::Error),
    /// The CA cannot be written.
    #[error("cannot write {path:?} of --tls-ca-out: {source}")]
    CaOut {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// rustls takes no such configuration.
    #[error("cannot set TLS up: {0}")]
    Setup(#[from] rustls::Error),
}
