//! The URL of a server (RFC 6455 section 3).

use std::{fmt, str::FromStr};

use actix_web::http::Uri;
use thiserror::Error;

/// A `ws://` or `wss://` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    tls: bool,
    host: String,
    port: u16,
    /// The value of `Host`.
    authority: String,
    target: String,
}

/// The reason why a text is no URL of a WebSocket server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UrlError {
    /// No scheme, no host, or characters that a URL must not contain.
    #[error("expected ws://HOST[:PORT][/PATH][?QUERY] or wss://")]
    Form,
    /// A port that is not a number from 1 to 65535.
    #[error("expected a port from 1 to 65535")]
    Port,
    /// A user name or a password before the host.
    #[error("a WebSocket URL has no user name; send an Authorization field")]
    User,
    /// A fragment, which RFC 6455 section 3 forbids.
    #[error("a WebSocket URL has no fragment; write # as %23")]
    Fragment,
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.contains('#') {
            return Err(UrlError::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| UrlError::Form)?;
        let scheme = uri.scheme_str().map(str::to_ascii_lowercase);
        let tls = match scheme.as_deref() {
            // The WebSocket constructor of browsers takes all four.
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            _ => return Err(UrlError::Form),
        };
        let authority = uri.authority().ok_or(UrlError::Form)?;
        if authority.as_str().contains('@') {
            return Err(UrlError::User);
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(UrlError::Form);
        }
        let default = if tls { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(host) {
            Some("") => default,
            Some(port) => port
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .filter(|port| *port != 0)
                .ok_or(UrlError::Port)?,
            None => return Err(UrlError::Form),
        };
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        // RFC 6455 section 3: an empty path is `/`.
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            authority: if port == default {
                host.to_owned()
            } else {
                format!("{host}:{port}")
            },
            target: format!("{slash}{target}"),
        })
    }
}

impl Url {
    /// Returns whether the scheme is `wss`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Returns the host: a name or an address, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, by default 80 or 443.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the value of `Host`: the host, with the port unless it is the default.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the request target: path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the same URL with another request target, such as `/events?every=1s`.
    #[must_use]
    pub fn with_target(&self, target: &str) -> Self {
        Self {
            target: target.to_owned(),
            ..self.clone()
        }
    }

    /// Returns the same URL with `parameters`, such as `reply=json&tick=1s`, in the query. They replace those of the same names.
    #[must_use]
    pub fn with_parameters(&self, parameters: &str) -> Self {
        let name = |parameter: &str| parameter.split('=').next().unwrap_or_default().to_owned();
        let replaced: Vec<_> = parameters.split('&').map(name).collect();
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let kept = query
            .split('&')
            .filter(|parameter| !parameter.is_empty() && !replaced.contains(&name(parameter)));
        let query: Vec<_> = kept.chain([parameters]).collect();
        self.with_target(&format!("{path}?{}", query.join("&")))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_and_a_request_target() {
        for (text, host, port, authority, target) in [
            (
                "ws://127.0.0.1:3000/a?b=c",
                "127.0.0.1",
                3000,
                "127.0.0.1:3000",
                "/a?b=c",
            ),
            ("wss://echo.test", "echo.test", 443, "echo.test", "/"),
            ("WSS://Echo.test:443?x", "Echo.test", 443, "Echo.test", "/?x"),
            ("ws://[::1]:80/", "::1", 80, "[::1]", "/"),
            ("https://[::1]:8443/", "::1", 8443, "[::1]:8443", "/"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.host(), url.port(), url.authority()), (host, port, authority));
            assert_eq!(url.target(), target);
        }
    }

    #[test]
    fn another_text_is_no_url() {
        use UrlError::{Form, Fragment, Port, User};
        for (text, error) in [
            ("", Form),
            ("localhost:3000", Form),
            ("/chat", Form),
            ("ftp://a/", Form),
            ("ws://", Form),
            ("ws://:80/", Form),
            ("ws://a b/", Form),
            ("ws://a/\r\nx", Form),
            ("ws://a:0/", Port),
            ("ws://a:/", Port),
            ("ws://a:x/", Port),
            ("ws://a:65536/", Port),
            ("ws://u:p@a/", User),
            ("ws://a/#b", Fragment),
        ] {
            assert_eq!(text.parse::<Url>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn parameters_are_added_to_the_query() {
        for (text, expected) in [
            ("ws://a", "ws://a/?x=1"),
            ("ws://a/?", "ws://a/?x=1"),
            ("ws://a:8/b?c", "ws://a:8/b?c&x=1"),
            ("ws://a/?x=2&c=1&x", "ws://a/?c=1&x=1"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(url.with_parameters("x=1").to_string(), expected);
        }
    }
}
