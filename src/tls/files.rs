//! A certificate and its key from PEM files.

use std::{fs, path::Path};

use rustls::{
    InconsistentKeys,
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    sign::CertifiedKey,
};

use super::{
    error::TlsError,
    identity::{Identity, Origin},
};

const CERT: &str = "--tls-cert";
const KEY: &str = "--tls-key";

/// Reads both files, and checks that the key matches the certificate.
pub(super) fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<Identity, TlsError> {
    let chain = chain(cert)?;
    let private = private_key(key)?;
    let signer = provider
        .key_provider
        .load_private_key(private.clone_key())
        .map_err(|_| TlsError::BadKey(key.to_owned()))?;
    match CertifiedKey::new(chain.clone(), signer).keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Identity {
            chain,
            key: private,
            origin: Origin::File(cert.to_owned()),
        }),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            cert: cert.to_owned(),
            key: key.to_owned(),
        }),
        Err(source) => Err(TlsError::BadCertificate {
            path: cert.to_owned(),
            source,
        }),
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = text(CERT, path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|source| invalid_pem(CERT, path, source))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = text(KEY, path)?;
    // RFC 7468 section 11, and the older form with a field in the PEM block (RFC 1421 section 4.6.1.1).
    let encrypted = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| contains(&text, mark)) {
        return Err(TlsError::EncryptedKey(path.to_owned()));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|source| match source {
        pem::Error::NoItemsFound => TlsError::NoKey(path.to_owned()),
        source => invalid_pem(KEY, path, source),
    })
}

fn text(flag: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        flag,
        path: path.to_owned(),
        source,
    })
}

fn invalid_pem(flag: &'static str, path: &Path, source: pem::Error) -> TlsError {
    TlsError::Pem {
        flag,
        path: path.to_owned(),
        source,
    }
}

fn contains(text: &[u8], mark: &str) -> bool {
    text.windows(mark.len()).any(|window| window == mark.as_bytes())
}
