//! A certificate with its key, from files or self-signed.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its chain, its key, and its source for the log.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) described: String,
}
