//! A certificate of the server's own making, for tests and for trying wss.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};

use super::{error::TlsError, identity::Identity};
use crate::config::TlsName;

/// What every such certificate is for.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// It is made anew at each start: long enough for a server that is left running, and short of the 398 days beyond which
/// browsers take no certificate.
const VALID: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Makes a CA and a certificate that it signs. The CA is what a client can be told to trust: a leaf that signs itself
/// is not accepted as a root by every TLS library. Its key is dropped here, so that it signs nothing else.
pub(super) fn make(names: &[TlsName], ca_out: Option<&Path>) -> Result<Identity, TlsError> {
    let mut all: Vec<String> = OWN_NAMES.map(str::to_owned).to_vec();
    for name in names.iter().map(TlsName::as_str) {
        if !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    let described = format!("made for {}", all.join(", "));

    let ca = CertifiedIssuer::self_signed(ca()?, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = leaf(all)?.signed_by(&key, &ca)?;
    if let Some(path) = ca_out {
        fs::write(path, ca.pem()).map_err(|source| TlsError::CaOut {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(Identity {
        chain: vec![leaf.der().clone()],
        key: key.into(),
        described,
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
    // RFC 5280 section 4.2.1.1, and some clients insist on it.
    leaf.use_authority_key_identifier_extension = true;
    Ok(leaf)
}

fn params(name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // A client's clock may be behind.
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + VALID).into();
    Ok(params)
}
