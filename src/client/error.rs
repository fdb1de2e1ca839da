//! The reasons why a client has no connection.

use std::{fmt, io, net::SocketAddr, time::Duration};

use thiserror::Error;

use super::{accept::HandshakeError, facts::Facts, head::HeadError, request_head::FieldError};

/// A connection that was not opened: the reason, and all facts up to then.
#[derive(Debug, Error)]
#[error("{reason}")]
pub struct ConnectError {
    /// The reason.
    pub reason: Reason,
    /// The facts of the steps before.
    pub facts: Box<Facts>,
}

/// A step that has a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The name of the host is resolved.
    Resolve,
    /// The TCP connection is opened.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The request is written, and the header section of the response is read.
    Response,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "address of the host",
            Self::Connect => "TCP connection",
            Self::Tls => "TLS handshake",
            Self::Response => "complete header section of a response",
        })
    }
}

/// The reason why a connection was not opened.
#[derive(Debug, Error)]
pub enum Reason {
    /// A step exceeded its timeout.
    #[error("no {0} within {1:?}")]
    Timeout(Step, Duration),
    /// The host has no address.
    #[error("cannot resolve {host}: {source}")]
    Resolve {
        /// The host.
        host: String,
        /// The error of the system.
        source: io::Error,
    },
    /// No address of the host accepts a TCP connection. The reason is that of the last one.
    #[error("cannot connect to {0}: {1}")]
    Connect(SocketAddr, io::Error),
    /// TLS cannot be used with this host or these roots.
    #[error("cannot use TLS: {0}")]
    TlsConfig(String),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    /// A field of the request cannot be sent.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The connection ended after this number of bytes of the response.
    #[error("the connection ended after {0} bytes of the response")]
    Ended(usize),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Failed(io::Error),
    /// The bytes are no response.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The response opens no connection.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
}
