//! The reasons why a certificate cannot be used.

use std::{io, path::PathBuf};

use thiserror::Error;

/// The reason why a certificate cannot be used. Each text is one line with the file and what to do.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path:?} of {flag}: {source}")]
    Read {
        /// The flag that named the file.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file is not valid PEM.
    #[error(
        "{path:?} of {flag} is broken PEM ({source}); write it anew, as text, with its BEGIN and END lines"
    )]
    Pem {
        /// The flag that named the file.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: rustls::pki_types::pem::Error,
    },
    /// A file without a certificate.
    #[error("no certificate in {0:?} of --tls-cert; it must be PEM, with a line -----BEGIN CERTIFICATE-----")]
    NoCertificate(PathBuf),
    /// The content of a PEM block is not a valid certificate.
    #[error(
        "the certificate in {path:?} of --tls-cert cannot be used ({source}); the server's own must be the first"
    )]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: rustls::Error,
    },
    /// A file without a private key.
    #[error(
        "no private key in {0:?} of --tls-key; it must be PEM, with a line such as -----BEGIN PRIVATE KEY-----"
    )]
    NoKey(PathBuf),
    /// A key that is encrypted with a password.
    #[error(
        "the private key in {0:?} of --tls-key is encrypted; decrypt it with: openssl pkey -in FILE -out NEW"
    )]
    EncryptedKey(PathBuf),
    /// A key of an unsupported type or size.
    #[error(
        "the private key in {0:?} of --tls-key cannot be used; take ECDSA P-256 or P-384, Ed25519, or RSA from 2048 bits"
    )]
    BadKey(PathBuf),
    /// The key does not match the certificate.
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
        /// The error of the system.
        source: io::Error,
    },
    /// rustls rejects the configuration.
    #[error("cannot set TLS up: {0}")]
    Setup(#[from] rustls::Error),
}
