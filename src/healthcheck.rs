//! `ws-echo healthcheck`: probes a running server, for container images that contain no other program.
//!
//! It sends one GET over TCP. An HTTP client would bring more crates than the rest of the server.

use std::{io, net::IpAddr, time::Duration};

use actix_web::http::{Uri, uri::Scheme};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::config::{Config, ListenAddr};

/// Timeout of the probe.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum size of the header section of the response.
const MAX_HEADER_SECTION: usize = 16 * 1024;

/// Maximum number of header fields of the response.
const MAX_FIELDS: usize = 128;

/// The reason why the probe failed.
#[derive(Debug, Error)]
pub enum Unhealthy {
    /// The URL is none that the probe supports.
    #[error("invalid URL {0:?}: expected http://HOST:PORT/PATH")]
    InvalidUrl(String),
    /// The server did not respond.
    #[error("no response from {url}: {error}")]
    NoResponse {
        /// The probed URL.
        url: String,
        /// The error of the request.
        error: RequestError,
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

/// The reason why a request got no response.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The header section of the response did not arrive in time.
    #[error("timed out after {TIMEOUT:?}")]
    Timeout,
    /// The connection ended before the end of the header section.
    #[error("the connection ended before the response")]
    Incomplete,
    /// The header section exceeds 16 KiB.
    #[error("the header section exceeds {MAX_HEADER_SECTION} bytes")]
    TooLarge,
    /// The response is not HTTP/1.1.
    #[error("invalid HTTP response: {0}")]
    Invalid(#[from] httparse::Error),
}

/// Probes `url`, or `/healthz` at the first address of `--listen`.
///
/// # Errors
/// If there is no response in time, or its status is not 2xx.
pub async fn probe(url: Option<String>, config: &Config) -> Result<(), Unhealthy> {
    let url = url.unwrap_or_else(|| default_url(config.listen.first()));
    let Some(target) = Target::parse(&url) else {
        return Err(Unhealthy::InvalidUrl(url));
    };
    match tokio::time::timeout(TIMEOUT, target.get()).await {
        Ok(Ok(200..=299)) => Ok(()),
        Ok(Ok(status)) => Err(Unhealthy::Status { url, status }),
        Ok(Err(error)) => Err(Unhealthy::NoResponse { url, error }),
        Err(_) => Err(Unhealthy::NoResponse {
            url,
            error: RequestError::Timeout,
        }),
    }
}

/// The parts of a URL that a request needs.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// A name, or an address without brackets.
    host: String,
    port: u16,
    request: String,
}

impl Target {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host();
        if uri.scheme() != Some(&Scheme::HTTP) || host.is_empty() {
            return None;
        }
        // A port that is not a number is none for `Uri`, and not the default one.
        let port = match authority.as_str().rsplit_once(host)?.1 {
            "" => 80,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Some(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            request: format!(
                "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: ws-echo/{}\r\nConnection: close\r\n\r\n",
                env!("CARGO_PKG_VERSION")
            ),
        })
    }

    /// Sends the request, and returns the status of the response.
    async fn get(&self) -> Result<u16, RequestError> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.write_all(self.request.as_bytes()).await?;
        let mut received = Vec::with_capacity(1024);
        loop {
            if let Some(status) = status(&received)? {
                return Ok(status);
            }
            if received.len() >= MAX_HEADER_SECTION {
                return Err(RequestError::TooLarge);
            }
            let room = MAX_HEADER_SECTION - received.len();
            if (&mut stream).take(room as u64).read_buf(&mut received).await? == 0 {
                return Err(RequestError::Incomplete);
            }
        }
    }
}

/// Returns the status of the response when its header section is complete.
fn status(received: &[u8]) -> Result<Option<u16>, httparse::Error> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    Ok(match response.parse(received)? {
        httparse::Status::Complete(_) => response.code,
        httparse::Status::Partial => None,
    })
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
    use tokio::net::TcpListener;

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
            assert!(Target::parse(url).is_some());
        }
    }

    #[test]
    fn a_url_has_a_host_a_port_and_a_request_target() {
        for (url, host, port, first_lines) in [
            (
                "http://127.0.0.1:3000/healthz",
                "127.0.0.1",
                3000,
                "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n",
            ),
            (
                "http://[::1]:80/a?b=c",
                "::1",
                80,
                "GET /a?b=c HTTP/1.1\r\nHost: [::1]:80\r\n",
            ),
            (
                "HTTP://echo.test",
                "echo.test",
                80,
                "GET / HTTP/1.1\r\nHost: echo.test:80\r\n",
            ),
            ("http://a:a@a:8/", "a", 8, "GET / HTTP/1.1\r\nHost: a:8\r\n"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!((target.host.as_str(), target.port), (host, port), "{url}");
            assert!(target.request.starts_with(first_lines), "{}", target.request);
        }
    }

    #[test]
    fn a_url_of_another_form_is_invalid() {
        for url in [
            "",
            "/healthz",
            "localhost:3000",
            "https://localhost/healthz",
            "http://",
            "http://:80/",
            "http://localhost:/",
            "http://localhost:x/",
            "http://localhost:65536/",
            "http://local host/",
            "http://localhost/\r\nHost: x",
        ] {
            assert_eq!(Target::parse(url), None, "{url}");
        }
    }

    /// Probes a server that sends these bytes, and then closes the connection if `close` is true.
    async fn probe_server(response: &[u8], close: bool) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serve = async {
            let mut stream = listener.accept().await.unwrap().0;
            let mut request = [0; 1024];
            assert_ne!(stream.read(&mut request).await.unwrap(), 0);
            for part in response.chunks(1000) {
                // The probe ends the connection when it has read enough.
                if stream.write_all(part).await.is_err() {
                    break;
                }
            }
            if !close {
                std::future::pending::<()>().await;
            }
        };
        let config = Config::default();
        let outcome = tokio::select! {
            outcome = probe(Some(url.clone()), &config) => outcome,
            () = async { serve.await; std::future::pending().await } => unreachable!(),
        };
        outcome.map_err(|error| error.to_string().replace(&url, "URL"))
    }

    #[tokio::test]
    async fn only_a_complete_header_section_with_2xx_is_healthy() {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(probe_server(ok.as_bytes(), true).await, Ok(()));
        assert_eq!(
            probe_server(ok.as_bytes(), false).await,
            Ok(()),
            "the body is not read"
        );
        for (response, error) in [
            (
                "HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n",
                "URL returned status 301; expected 2xx",
            ),
            ("HTTP/1.1 503 x\r\n\r\n", "URL returned status 503; expected 2xx"),
            (
                "",
                "no response from URL: the connection ended before the response",
            ),
            (
                "HTTP/1.1 200 OK\r\nA: b\r\n",
                "no response from URL: the connection ended before the response",
            ),
            (
                "SSH-2.0-x\r\n\r\n",
                "no response from URL: invalid HTTP response: invalid HTTP version",
            ),
        ] {
            assert_eq!(
                probe_server(response.as_bytes(), true).await.unwrap_err(),
                error,
                "{response}"
            );
        }
    }

    #[tokio::test]
    async fn a_header_section_without_an_end_is_not_read_further_than_its_limit() {
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(2 * MAX_HEADER_SECTION));
        let error = probe_server(endless.as_bytes(), false).await.unwrap_err();
        assert_eq!(
            error,
            "no response from URL: the header section exceeds 16384 bytes"
        );
    }

    // The clock advances to the timeout, because nothing else happens.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_respond_is_unhealthy_after_the_timeout() {
        let error = probe_server(b"HTTP/1.1 200 OK\r\n", false).await.unwrap_err();
        assert_eq!(error, "no response from URL: timed out after 3s");
    }
}
