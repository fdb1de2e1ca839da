//! The self-signed certificate, for tests and to try wss.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};

use super::{
    error::TlsError,
    identity::{Identity, Origin},
};
use crate::config::TlsName;

/// The names of every self-signed certificate.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Validity from the start of the server. Below the 398 days that browsers accept at most.
const VALID: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Makes a CA and a certificate that it signs. A client can be configured to trust the CA, because not every TLS library accepts a
/// self-signed leaf as a root. The CA's key is dropped here, so that it signs nothing else.
pub(super) fn make(names: &[TlsName], ca_out: Option<&Path>) -> Result<Identity, TlsError> {
    let mut all: Vec<String> = OWN_NAMES.map(str::to_owned).to_vec();
    for name in names.iter().map(TlsName::as_str) {
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    let ca = CertifiedIssuer::self_signed(ca()?, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = leaf(all.clone())?.signed_by(&key, &ca)?;
    if let Some(path) = ca_out {
        fs::write(path, ca.pem()).map_err(|source| TlsError::CaOut {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(Identity {
        chain: vec![leaf.der().clone()],
        key: key.into(),
        origin: Origin::SelfSigned(all),
    })
}

fn ca() -> Result<CertificateParams, rcgen::Error> {
    let mut ca = params("ws-echo CA, made at its start", Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(ca)
}

fn leaf(names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut leaf = params("ws-echo", names)?;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // RFC 5280 section 4.2.1.1. Some clients require it.
    leaf.use_authority_key_identifier_extension = true;
    Ok(leaf)
}

fn params(name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // A client's clock may lag.
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + VALID).into();
    Ok(params)
}
