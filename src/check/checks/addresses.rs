//! `addresses`: each address of the host accepts connections.

use std::net::SocketAddr;

use futures_util::future::join_all;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::{list, time},
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Facts, Reason, Step, resolve},
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::Tcp,
    words: include_str!("../words/addresses.json"),
    run: |target| Box::pin(run(target)),
};

/// Maximum number of addresses that are tried.
const MAX: usize = 32;

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    let mut addresses = match resolve(&target.url, &target.options).await {
        Ok(addresses) => addresses,
        Err(error) => {
            outcome.broken("unresolved", error.to_string());
            return outcome;
        }
    };
    addresses.dedup();
    let left_out = addresses.len().saturating_sub(MAX);
    addresses.truncate(MAX);
    let tried = join_all(addresses.iter().map(|address| connect(target, *address))).await;
    let accepted: Vec<_> = addresses
        .iter()
        .zip(&tried)
        .filter_map(|(address, result)| {
            Some(format!(
                "{address} accepted after {}",
                time(result.as_ref().ok()?.times.connect?)
            ))
        })
        .collect();
    if !accepted.is_empty() {
        outcome.ok(list(&accepted));
    }
    for (address, result) in addresses.iter().zip(tried) {
        match result {
            Ok(_) => {}
            Err(Reason::Timeout(..)) => outcome.broken("silent", format!("{address} does not answer")),
            Err(error) if accepted.is_empty() => outcome.broken("refused", error.to_string()),
            Err(error) => outcome.differs("refused", error.to_string()),
        }
    }
    if left_out > 0 {
        outcome.unknown(format!("{left_out} more addresses were not tried"));
    }
    outcome
}

/// Connects to one address. What HTTP answers there is no matter of this check.
async fn connect(target: &Target, address: SocketAddr) -> Result<Facts, Reason> {
    let mut options = target.options.clone();
    options.connect_to = Some(address.to_string());
    match Connection::connect(&target.url, &options).await {
        Ok(connection) => {
            let facts = connection.facts().clone();
            leave(connection).await;
            Ok(facts)
        }
        Err(error) => match error.reason {
            reason @ (Reason::Connect(..) | Reason::Timeout(Step::Connect, _)) => Err(reason),
            _ => Ok(*error.facts),
        },
    }
}
