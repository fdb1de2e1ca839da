//! The reasons why a certificate cannot be used.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::platform::quoted;

/// The reason why a certificate cannot be used. Each text is one line with the file and its flag.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {} ({flag}): {source}", quoted(.path))]
    Read {
        /// The flag that named the file.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file is not valid PEM.
    #[error("invalid PEM in {} ({flag}): {source}; expected base64 between a BEGIN and an END line", quoted(.path))]
    Pem {
        /// The flag that named the file.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: rustls::pki_types::pem::Error,
    },
    /// A file without a certificate.
    #[error("no certificate in {} (--tls-cert): expected PEM with a line -----BEGIN CERTIFICATE-----", quoted(.0))]
    NoCertificate(PathBuf),
    /// The content of a PEM block is not a valid certificate.
    #[error(
        "invalid certificate in {} (--tls-cert): {source}; the server's own certificate must be the first", quoted(.path)
    )]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: rustls::Error,
    },
    /// A file without a private key.
    #[error(
        "no private key in {} (--tls-key): expected PEM with a line such as -----BEGIN PRIVATE KEY-----", quoted(.0)
    )]
    NoKey(PathBuf),
    /// A key that is encrypted with a password.
    #[error(
        "the private key in {} (--tls-key) is encrypted; decrypt it with: openssl pkey -in FILE -out NEW", quoted(.0)
    )]
    EncryptedKey(PathBuf),
    /// A key of an unsupported type or size.
    #[error(
        "unsupported private key in {} (--tls-key): expected ECDSA P-256 or P-384, Ed25519, or RSA of at least 2048 bits", quoted(.0)
    )]
    BadKey(PathBuf),
    /// The key does not match the certificate.
    #[error(
        "the private key in {} (--tls-key) does not match the first certificate in {} (--tls-cert)", quoted(.key), quoted(.cert)
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
    #[error("cannot write {} (--tls-ca-out): {source}", quoted(.path))]
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
