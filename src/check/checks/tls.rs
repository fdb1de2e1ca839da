//! `tls`: version, ALPN, and the certificate.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::CertificateError;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::list,
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Facts, Presented},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::Tcp,
    words: include_str!("../words/tls.json"),
    run: |target| Box::pin(run(target)),
};

/// Number of days before its end in which a certificate should be renewed. Let's Encrypt renews 30 days before.
const RENEWAL: i64 = 14;

/// Maximum number of names in the report.
const MAX_NAMES: usize = 5;

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    if !target.url.is_tls() {
        outcome.skipped("the URL is ws://, without TLS");
        return outcome;
    }
    // Any certificate, so that the version and the names of one that does not verify are seen, too.
    let mut options = target.options.clone();
    options.trust.accept_any();
    let facts = match Connection::connect(&target.url, &options).await {
        Ok(connection) => {
            let facts = connection.facts().clone();
            leave(connection).await;
            facts
        }
        Err(error) if error.facts.tls.is_some() => *error.facts,
        Err(error) => {
            outcome.broken("failed", error.to_string());
            return outcome;
        }
    };
    describe(&facts, target.url.host(), &mut outcome);
    outcome
}

fn describe(facts: &Facts, host: &str, outcome: &mut Outcome) {
    if let Some(tls) = &facts.tls {
        let alpn = tls.alpn.as_deref().unwrap_or("none");
        outcome.ok(format!("TLS {}, {}, ALPN {alpn}", tls.version, tls.cipher_suite));
    }
    let Some(presented) = &facts.certificates else {
        outcome.unknown("no certificate was seen");
        return;
    };
    verification(presented, host, outcome);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    for (index, certificate) in presented.chain.iter().enumerate() {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
            continue;
        };
        let seconds = certificate.validity().not_after.timestamp() - now;
        let days = seconds / (24 * 60 * 60);
        if index == 0 {
            let names = names(&certificate);
            let issuer = certificate.issuer().to_string();
            let left = if seconds < 0 {
                format!("ended {} days ago", -days)
            } else {
                format!("{days} days left")
            };
            outcome.ok(format!(
                "for {names}, by {issuer}, {left}, chain of {}",
                presented.chain.len()
            ));
        }
        if seconds >= 0 && days < RENEWAL {
            let which = if index == 0 {
                "the certificate"
            } else {
                "an intermediate certificate"
            };
            outcome.differs("expires", format!("{which} ends in {days} days"));
        }
    }
}

/// Adds the reason why the certificates do not verify, if so.
fn verification(presented: &Presented, host: &str, outcome: &mut Outcome) {
    let Some(error) = &presented.error else {
        return;
    };
    let finding = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "early",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "name",
            CertificateError::UnknownIssuer if presented.chain.len() == 1 => "issuer-or-chain",
            CertificateError::UnknownIssuer => "issuer",
            _ => "invalid",
        },
        _ => "invalid",
    };
    let seen = match finding {
        "name" => format!("the certificate is not for {host}"),
        "expired" => "the certificate has expired".to_owned(),
        "early" => "the certificate is not valid yet".to_owned(),
        "issuer" | "issuer-or-chain" => {
            "no certificate authority that is trusted has issued the certificate".to_owned()
        }
        _ => format!("the certificate does not verify: {error}"),
    };
    outcome.broken(finding, seen);
}

/// Returns the names that a certificate is valid for.
fn names(certificate: &X509Certificate<'_>) -> String {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names: Vec<String> = alternative
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect();
    match names.len() {
        0 => "no name".to_owned(),
        count if count > MAX_NAMES => {
            format!("{} and {} more", names[..MAX_NAMES].join(", "), count - MAX_NAMES)
        }
        _ => list(&names),
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(bytes).to_string());
    }
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(bytes).to_string())
}
