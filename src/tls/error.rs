//! The reasons why a certificate cannot be used.

use std::{io, path::PathBuf};

use thiserror::Error;

/// The reason why a certificate cannot be used. Each text is one line with the file and its flag.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path:?} ({flag}): {source}")]
    Read {
        /// The flag that named the file.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file is not valid PEM.
    #[error("invalid PEM in {path:?} ({flag}): {source}; expected base64 between a BEGIN and an END line")]
    Pem {
        /// The flag that named the file.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: rustls::pki_types::pem::Error,
    },
    /// A file without a certificate.
    #[error("no certificate in {0:?} (--tls-cert): expected PEM with a line -----BEGIN CERTIFICATE-----")]
    NoCertificate(PathBuf),
    /// The content of a PEM block is not a valid certificate.
    #[error(
        "invalid certificate in {path:?} (--tls-cert): {source}; the server's own certificate must be the first"
    )]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: rustls::Error,
    },
    /// A file without a private key.
    #[error(
        "no private key in {0:?} (--tls-key): expected PEM with a line such as -----BEGIN PRIVATE KEY-----"
    )]
    NoKey(PathBuf),
    /// A key that is encrypted with a password.
    #[error(
        "the private key in {0:?} (--tls-key) is encrypted; decrypt it with: openssl pkey -in FILE -out NEW"
    )]
    EncryptedKey(PathBuf),
    /// A key of an unsupported type or size.
    #[error(
        "unsupported private key in {0:?} (--tls-key): expected ECDSA P-256 or P-384, Ed25519, or RSA of at least 2048 bits"
    )]
    BadKey(PathBuf),
    /// The key does not match the certificate.
    #[error(
        "the private key in {key:?} (--tls-key) does not match the first certificate in {cert:?} (--tls-cert)"
    )]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}; check --tls-name")]
    Make(#[from] rcgen::Error),
    /// The CA cannot be written.
    #[error("cannot write {path:?} (--tls-ca-out): {source}")]
    CaOut {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// rustls rejects the configuration.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
}
