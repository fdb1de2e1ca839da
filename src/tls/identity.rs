//! A certificate, wherever it comes from.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its chain and its key, and what the log says of where it comes from.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) described: String,
}
