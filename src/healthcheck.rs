//! `ws-echo healthcheck`: probes a running server, for container images that contain no other program.

use std::{net::IpAddr, time::Duration};

use awc::Client;
use thiserror::Error;

use crate::config::{Config, ListenAddr};

/// Timeout of the probe.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The reason why the probe failed.
#[derive(Debug, Error)]
pub enum Unhealthy {
    /// The server did not respond.
    #[error("no response from {url}: {error}")]
    NoResponse {
        /// The probed URL.
        url: String,
        /// The error of the client.
        error: String,
    },
    /// The status of the response was not 2xx.
    #[error("{url} returned status {status}; expected 2xx")]
    Status {
        /// The probed URL.
        url: String,
        /// The status.
        status: u16,
    },
}

/// Probes `url`, or `/healthz` at the first address of `--listen`.
///
/// # Errors
/// If there is no response in time, or its status is not 2xx.
pub async fn probe(url: Option<String>, config: &Config) -> Result<(), Unhealthy> {
    let url = url.unwrap_or_else(|| default_url(config.listen.first()));
    let client = Client::builder().timeout(TIMEOUT).finish();
    match client.get(&url).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(Unhealthy::Status {
            url,
            status: response.status().as_u16(),
        }),
        Err(error) => Err(Unhealthy::NoResponse {
            url,
            error: error.to_string(),
        }),
    }
}

fn default_url(listen: Option<&ListenAddr>) -> String {
    let (host, port) = listen.map_or(("localhost", 3000), |listen| (listen.host.as_str(), listen.port));
    let host = match host.parse() {
        // A numeric address, because an image without a C library's resolver cannot resolve a name.
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
    fn the_default_url_is_the_first_listen_address() {
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
