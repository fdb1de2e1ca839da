//! `ws-echo healthcheck`: asks a running server whether it is alive, for containers that hold no other program.

use std::{net::IpAddr, time::Duration};

use awc::Client;
use thiserror::Error;

use crate::config::{Config, ListenAddr};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Why the server does not count as alive.
#[derive(Debug, Error)]
pub enum Unhealthy {
    /// No answer came.
    #[error("no answer from {url}: {error}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// What went wrong.
        error: String,
    },
    /// The answer was not 200.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked.
        url: String,
        /// What it answered.
        status: u16,
    },
}

/// Asks `url`, or `/healthz` at the first address of `--listen`.
///
/// # Errors
/// When there is no answer in time, or another one than 200.
pub async fn probe(url: Option<String>, config: &Config) -> Result<(), Unhealthy> {
    let url = url.unwrap_or_else(|| default_url(config.listen.first()));
    let client = Client::builder().timeout(TIMEOUT).finish();
    match client.get(&url).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(Unhealthy::Status {
            url,
            status: response.status().as_u16(),
        }),
        Err(error) => Err(Unhealthy::NoAnswer {
            url,
            error: error.to_string(),
        }),
    }
}

fn default_url(listen: Option<&ListenAddr>) -> String {
    let (host, port) = listen.map_or(("localhost", 3000), |listen| (listen.host.as_str(), listen.port));
    let host = match host.parse() {
        // Numbers, for an empty image cannot resolve a name.
        _ if host.eq_ignore_ascii_case("localhost") => "127.0.0.1".to_owned(),
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => "[::1]".to_owned(),
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => host.to_owned(),
    };
    format!("http://{host}:{port}/healthz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_asks_where_the_server_listens() {
        for (listen, url) in [
            ("localhost:3000", "http://127.0.0.1:3000/healthz"),
            ("0.0.0.0:80", "http://127.0.0.1:80/healthz"),
            ("[::]:80", "http://[::1]:80/healthz"),
            ("[::2]:80", "http://[::2]:80/healthz"),
            ("10.0.0.1:80", "http://10.0.0.1:80/healthz"),
        ] {
            assert_eq!(default_url(listen.parse().ok().as_ref()), url);
        }
    }
}
