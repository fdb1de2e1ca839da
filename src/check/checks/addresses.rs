//! `addresses`: each address of the host accepts connections.

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::leave,
        figures::{list, time},
        outcome::Outcome,
        target::Target,
    },
    client::{Connection, Reason, Step, resolve},
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
    judge(&addresses, tried, &mut outcome);
    if left_out > 0 {
        outcome.unknown(format!("{left_out} more addresses were not tried"));
    }
    outcome
}

/// Adds what each address did. The time is that of the TCP connection.
fn judge(addresses: &[SocketAddr], tried: Vec<Result<Duration, Reason>>, outcome: &mut Outcome) {
    let accepted: Vec<_> = addresses
        .iter()
        .zip(&tried)
        .filter_map(|(address, result)| {
            let after = time(*result.as_ref().ok()?);
            Some(format!("{address} accepted after {after}"))
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
}

/// Connects to one address. What HTTP answers there is no matter of this check.
async fn connect(target: &Target, address: SocketAddr) -> Result<Duration, Reason> {
    let mut options = target.options.clone();
    options.connect_to = Some(address.to_string());
    let times = match Connection::connect(&target.url, &options).await {
        Ok(connection) => {
            let times = connection.facts().times;
            leave(connection).await;
            times
        }
        Err(error) => match error.reason {
            reason @ (Reason::Connect(..) | Reason::Timeout(Step::Connect, _)) => return Err(reason),
            _ => error.facts.times,
        },
    };
    Ok(times.connect.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::check::report::Verdict;

    #[test]
    fn an_address_that_refuses_differs_and_one_that_is_silent_is_broken() {
        let addresses: Vec<SocketAddr> = ["192.0.2.1:80", "[2001:db8::1]:80"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        let accepted = || Ok(Duration::from_millis(12));
        let refused = || {
            Err(Reason::Connect(
                addresses[1],
                io::ErrorKind::ConnectionRefused.into(),
            ))
        };
        let silent = || Err(Reason::Timeout(Step::Connect, Duration::from_secs(10)));
        for (tried, verdict, seen) in [
            (
                vec![accepted(), accepted()],
                Verdict::Ok,
                "192.0.2.1:80 accepted after 12 ms and [2001:db8::1]:80 accepted after 12 ms",
            ),
            (
                vec![accepted(), refused()],
                Verdict::Differs,
                "cannot connect to [2001:db8::1]:80",
            ),
            (
                vec![accepted(), silent()],
                Verdict::Broken,
                "[2001:db8::1]:80 does not answer",
            ),
            (vec![refused(), refused()], Verdict::Broken, "cannot connect to"),
        ] {
            let mut outcome = Outcome::default();
            judge(&addresses, tried, &mut outcome);
            assert_eq!(outcome.verdict, verdict);
            assert!(outcome.seen().starts_with(seen), "{}", outcome.seen());
        }
    }
}
