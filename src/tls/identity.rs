//! A certificate with its key, from files or self-signed.

use std::path::PathBuf;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its chain, its key, and its origin for the log.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) origin: Origin,
}

/// The origin of a certificate.
#[derive(Debug)]
pub(super) enum Origin {
    /// The file of `--tls-cert`.
    File(PathBuf),
    /// Made at startup, for these names.
    SelfSigned(Vec<String>),
}
