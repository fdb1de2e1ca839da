//! The facts that a client learns while it connects.

use std::{net::SocketAddr, time::Duration};

use super::{head::ResponseHead, trust::Presented};
use crate::transport::TlsInfo;

/// The facts of one connection, also of one that failed: each step that was reached has left its own.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The addresses of the host, in the order of the system.
    pub addresses: Vec<SocketAddr>,
    /// The addresses that were tried without success, each with the reason.
    pub failed: Vec<(SocketAddr, String)>,
    /// The address that the client is connected to.
    pub peer: Option<SocketAddr>,
    /// The parameters of TLS.
    pub tls: Option<TlsInfo>,
    /// The certificates of the server.
    pub certificates: Option<Presented>,
    /// The bytes of the request.
    pub request: Vec<u8>,
    /// The responses with a status of 1xx before the last one, such as 103.
    pub interim: Vec<ResponseHead>,
    /// The header section of the response.
    pub response: Option<ResponseHead>,
    /// The start of the body of a response that opens no connection, at most [`super::MAX_REFUSAL`] bytes.
    pub body: Vec<u8>,
    /// The duration of each step.
    pub times: Times,
}

/// The duration of each step that has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// To resolve the name of the host.
    pub resolve: Option<Duration>,
    /// To open the TCP connection.
    pub connect: Option<Duration>,
    /// For the TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the end of the header section of the response.
    pub response: Option<Duration>,
}
