//! `tls`: what it says of each fault of a certificate.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::support::{
    check::{Checked, report},
    process::{Process, ws_echo},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the parameters of an authority.
fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// Starts a server with a certificate for localhost that `change` has changed, and runs the check. An authority that the client
/// trusts has issued an intermediate certificate, and that the server's. The server sends the intermediate one if `sends_chain`.
async fn checked(sends_chain: bool, change: impl FnOnce(&mut CertificateParams)) -> Checked {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| fs::write(Path::new(&path(name)), text).unwrap();
    let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap();
    let intermediate =
        CertifiedIssuer::signed_by(authority("intermediate"), KeyPair::generate().unwrap(), &root).unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = (SystemTime::now() - DAY).into();
    params.not_after = (SystemTime::now() + DAY * 181 / 2).into();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &intermediate).unwrap();
    let chain = if sends_chain {
        intermediate.pem()
    } else {
        String::new()
    };
    write("cert.pem", &(leaf.pem() + &chain));
    write("key.pem", &key.serialize_pem());
    write("ca.pem", &root.pem());
    let mut command = ws_echo();
    command.args([
        "--listen=127.0.0.1:0",
        "--tls-listen=127.0.0.1:0",
        "--tls-cert",
        &path("cert.pem"),
    ]);
    command.args(["--tls-key", &path("key.pem")]);
    let mut server = Process::spawn(command, 1).await;
    let addr = server.listening_on("https").await;
    let (url, connect_to) = (format!("wss://localhost:{}/", addr.port()), addr.to_string());
    let only = "--only=tls,handshake";
    report(&[&url, "--connect-to", &connect_to, "--ca", &path("ca.pem"), only]).await
}

#[actix_rt::test]
async fn a_chain_that_verifies_is_ok() {
    let checked = checked(true, |_| {}).await;
    checked.assert(
        "tls",
        "ok",
        &["for localhost", "CN=intermediate", "90 days left, chain of 2"],
    );
    checked.assert("handshake", "ok", &[]);
}

#[actix_rt::test]
async fn a_chain_without_its_intermediate_certificate_is_broken() {
    let checked = checked(false, |_| {}).await;
    checked.assert(
        "tls",
        "broken",
        &["no certificate authority that is trusted", "chain of 1"],
    );
    let meaning = checked.result("tls")["meaning"].as_str().unwrap();
    assert!(
        meaning.contains("the intermediate certificate is missing"),
        "{meaning}"
    );
    checked.assert("handshake", "skipped", &["--insecure"]);
}

#[actix_rt::test]
async fn a_certificate_that_has_expired_or_starts_later_is_broken() {
    let expired = checked(true, |params| {
        params.not_before = (SystemTime::now() - 90 * DAY).into();
        params.not_after = (SystemTime::now() - DAY * 3 / 2).into();
    })
    .await;
    expired.assert(
        "tls",
        "broken",
        &["the certificate has expired", "ended 1 days ago"],
    );
    let early = checked(true, |params| {
        params.not_before = (SystemTime::now() + DAY).into()
    })
    .await;
    early.assert("tls", "broken", &["the certificate is not valid yet"]);
}

#[actix_rt::test]
async fn a_certificate_that_ends_soon_differs() {
    let checked = checked(true, |params| {
        params.not_after = (SystemTime::now() + DAY * 7 / 2).into()
    })
    .await;
    checked.assert("tls", "differs", &["the certificate ends in 3 days"]);
    checked.assert("handshake", "ok", &[]);
}
