//! Runs the checks in order.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::{
    checks::{all, definition},
    definition::{Definition, Needs},
    far_end::{FarEnd, discover},
    figures::time,
    outcome::Outcome,
    report::{Check, Report, shown},
    target::{Clock, Target},
    words::Words,
};
use crate::{
    client::{ConnectError, Facts, Options, Reason, Step, Url},
    config::CheckName,
};

/// Maximum number of timeouts that a check takes.
const STEPS: u32 = 12;

/// The checks to run, and their far end.
pub struct Plan {
    /// The URL, through the proxy.
    pub url: Url,
    /// The URL without it.
    pub direct: Option<Url>,
    /// The options of each connection.
    pub options: Options,
    /// The subprotocols to offer.
    pub subprotocols: Vec<String>,
    /// The longest silence of the check idle.
    pub idle: Option<Duration>,
    /// The checks, in order.
    pub checks: Vec<CheckName>,
}

/// The reason why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum NoReport {
    /// The flags make no request.
    #[error("{0}")]
    Usage(String),
    /// Nothing answers HTTP at the URL.
    #[error("nobody answers at {url}: {reason}")]
    Nobody {
        /// The URL.
        url: String,
        /// The reason.
        reason: String,
    },
}

/// A far end, and the steps that work there.
struct Examined {
    target: Target,
    /// The first step that does not work, with the reason.
    blocked: Option<(Needs, String)>,
}

/// Runs the checks. `on_check` gets each result as it ends. `clock` shows a long wait.
///
/// # Errors
/// If nothing answers, or the flags make no request.
pub async fn run(plan: Plan, clock: Clock, mut on_check: impl FnMut(&Check)) -> Result<Report, NoReport> {
    let proxied = examine(&plan, &plan.url, &plan.options, clock).await?;
    let direct = match &plan.direct {
        // Another address: `--connect-to` is for the proxy.
        Some(url) => {
            let options = Options {
                connect_to: None,
                ..plan.options.clone()
            };
            Some(examine(&plan, url, &options, clock).await?)
        }
        None => None,
    };
    let causes = [Some(&proxied), direct.as_ref()].map(|end| end?.cause(&plan.checks));
    let mut checks = Vec::new();
    for name in all() {
        if !plan.checks.contains(name) && !causes.contains(&Some(*name)) {
            continue;
        }
        let mut check = proxied.check(*name).await;
        if let Some(direct) = &direct {
            let direct = direct.check(*name).await;
            check.direct =
                (!check.equals(&direct)).then(|| format!("{}: {}", direct.verdict.as_str(), direct.seen));
        }
        on_check(&check);
        checks.push(check);
    }
    Ok(Report::new(&plan.url.to_string(), checks))
}

async fn examine(plan: &Plan, url: &Url, options: &Options, clock: Clock) -> Result<Examined, NoReport> {
    let (far_end, facts, blocked) = match discover(url, options).await {
        Ok((far_end, facts)) => (far_end, facts, None),
        Err(error) => {
            let (blocked, facts) = blocked_by(url, error)?;
            (FarEnd::Other, facts, Some(blocked))
        }
    };
    Ok(Examined {
        target: Target {
            url: url.clone(),
            options: options.clone(),
            subprotocols: plan.subprotocols.clone(),
            idle: plan.idle,
            far_end,
            facts,
            clock,
        },
        blocked,
    })
}

/// Returns the step that does not work, or the reason why none does.
fn blocked_by(url: &Url, error: ConnectError) -> Result<((Needs, String), Facts), NoReport> {
    let reason = match &error.reason {
        Reason::Tls(_)
            if error
                .facts
                .certificates
                .as_ref()
                .is_some_and(|seen| seen.error.is_some()) =>
        {
            (
                Needs::Http,
                "the certificate does not verify; --insecure runs it".to_owned(),
            )
        }
        Reason::Tls(_) => (Needs::Http, "the TLS handshake fails".to_owned()),
        Reason::Handshake(_) => (Needs::WebSocket, "there is no WebSocket connection".to_owned()),
        Reason::TlsConfig(_) | Reason::Field(_) => return Err(NoReport::Usage(shown(&error.to_string()))),
        Reason::Timeout(Step::Resolve | Step::Connect | Step::Tls | Step::Response, _)
        | Reason::Resolve { .. }
        | Reason::Connect(..)
        | Reason::Ended(_)
        | Reason::Failed(_)
        | Reason::Head(_) => {
            return Err(NoReport::Nobody {
                url: shown(&url.to_string()),
                reason: shown(&error.to_string()),
            });
        }
    };
    Ok((reason, *error.facts))
}

impl Examined {
    /// Returns the check that says why some of `names` cannot run. It runs even if it was not chosen: a report without it would
    /// have nothing that is broken.
    fn cause(&self, names: &[CheckName]) -> Option<CheckName> {
        let (needs, _) = self.blocked.as_ref()?;
        let is_blocked = names.iter().any(|name| definition(*name).needs >= *needs);
        is_blocked.then_some(match needs {
            Needs::Tcp | Needs::Http => CheckName::Tls,
            Needs::WebSocket => CheckName::Handshake,
        })
    }

    /// Runs a check. One that a far end keeps busy is ended, too.
    async fn run(&self, definition: Definition) -> Outcome {
        let limit = self.target.timeout() * STEPS + self.target.idle.unwrap_or_default() * 2;
        let run = (definition.run)(&self.target);
        timeout(limit, run).await.unwrap_or_else(|_| {
            Outcome::one(|outcome| outcome.unknown(format!("not ended within {}", time(limit))))
        })
    }

    /// Runs one check, unless what it needs does not work.
    async fn check(&self, name: CheckName) -> Check {
        let definition = definition(name);
        let start = Instant::now();
        let outcome = match &self.blocked {
            Some((needs, reason)) if definition.needs >= *needs => {
                Outcome::one(|outcome| outcome.skipped(format!("not run: {reason}")))
            }
            _ => self.run(definition).await,
        };
        let mut check = Check::new(name, outcome.verdict, &outcome.seen(), start.elapsed());
        if let Some(words) = Words::parse(definition.words) {
            words.describe(&mut check, &outcome.findings, self.target.between().as_deref());
        }
        check
    }
}
