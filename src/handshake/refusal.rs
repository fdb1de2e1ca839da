//! Why a handshake is refused: what the client is told, and what it is counted as.

use actix_http::body::BoxBody;
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use thiserror::Error;

use crate::{
    admission::{AdmissionError, RateExceeded},
    metrics::{Limit, RefusalReason as Reason},
    session::behaviour::InvalidParam,
    transport::error_body::ErrorBody,
};

/// Why a handshake was refused.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("a WebSocket handshake is a GET request")]
    Method,
    #[error("a WebSocket handshake is an HTTP/1.1 request")]
    HttpVersion,
    #[error("no Host header")]
    Host,
    #[error("no Upgrade: websocket header")]
    NotUpgrade,
    #[error("no Connection: Upgrade header")]
    NotConnectionUpgrade,
    #[error("the Connection header says close as well as Upgrade")]
    ConnectionClose,
    #[error("the Upgrade header asks for more than websocket")]
    OtherUpgrades,
    #[error("a WebSocket handshake has no body")]
    Body,
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
    #[error("Sec-WebSocket-Key is not 16 bytes in base64")]
    Key,
    #[error("more than one Sec-WebSocket-Key")]
    SeveralKeys,
    #[error("Sec-WebSocket-Protocol is not a list of unique tokens")]
    Subprotocol,
    #[error("this origin may not connect")]
    Origin,
    #[error(transparent)]
    Behaviour(#[from] InvalidParam),
    #[error("the server is shutting down")]
    Draining,
    #[error(transparent)]
    Admission(AdmissionError),
    #[error(transparent)]
    TooFast(#[from] RateExceeded),
    #[error("the client has left")]
    Gone,
    #[error("the peer has no address")]
    NoPeer,
    #[error("the URL asks for status {status}")]
    Asked { status: u16, location: String },
}

impl From<AdmissionError> for Refusal {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Draining => Self::Draining,
            error => Self::Admission(error),
        }
    }
}

impl Refusal {
    /// The label of the counter.
    pub(super) fn counted_as(&self) -> Reason {
        match self {
            Self::Method => Reason::Method,
            Self::HttpVersion => Reason::HttpVersion,
            Self::Host => Reason::Host,
            Self::NotUpgrade | Self::OtherUpgrades => Reason::Upgrade,
            Self::NotConnectionUpgrade | Self::ConnectionClose | Self::NoPeer | Self::Gone => {
                Reason::Connection
            }
            Self::Body => Reason::Body,
            Self::Version => Reason::Version,
            Self::Key | Self::SeveralKeys => Reason::Key,
            Self::Subprotocol => Reason::Subprotocol,
            Self::Origin => Reason::Origin,
            Self::Behaviour(_) => Reason::Behaviour,
            Self::Draining => Reason::ShuttingDown,
            Self::Admission(AdmissionError::MaxConnections(_)) => Reason::MaxConnections,
            Self::Admission(AdmissionError::MaxConnectionsPerIp(_)) => Reason::MaxConnectionsPerIp,
            Self::Admission(AdmissionError::MaxHttpConnections(_)) => Reason::MaxHttpConnections,
            Self::Admission(AdmissionError::Draining) => Reason::ShuttingDown,
            Self::TooFast(_) => Reason::MaxHandshakesPerSecond,
            Self::Asked { .. } => Reason::RequestedStatus,
        }
    }

    /// The limit that was hit.
    pub(super) fn limit(&self) -> Option<Limit> {
        match self {
            Self::Admission(AdmissionError::MaxConnections(_)) => Some(Limit::MaxConnections),
            Self::Admission(AdmissionError::MaxConnectionsPerIp(_)) => Some(Limit::MaxConnectionsPerIp),
            Self::Admission(AdmissionError::MaxHttpConnections(_)) => Some(Limit::MaxHttpConnections),
            Self::TooFast(_) => Some(Limit::MaxHandshakesPerSecond),
            _ => None,
        }
    }

    fn hint(&self) -> &str {
        match self {
            Self::Method => "send GET; a page's new WebSocket(url) does",
            Self::HttpVersion => "send HTTP/1.1; a proxy in between may have changed it",
            Self::Host => "send Host (RFC 9112 section 3.2)",
            Self::NotUpgrade => {
                "send Upgrade: websocket; a proxy drops it unless it is told to pass it on (RFC 9110 section 7.6.1)"
            }
            Self::NotConnectionUpgrade => {
                "send Connection: Upgrade; a proxy drops it unless it is told to pass it on (RFC 9110 section 7.6.1)"
            }
            Self::ConnectionClose => {
                "leave close out; the server closes the connection when the session has ended"
            }
            Self::OtherUpgrades => "send Upgrade: websocket and nothing else in it",
            Self::Body => "leave Content-Length and Transfer-Encoding out",
            Self::Version => "send Sec-WebSocket-Version: 13, once (RFC 6455 section 4.1)",
            Self::Key => "send 16 random bytes in base64, 24 characters (RFC 6455 section 4.1)",
            Self::SeveralKeys => "send Sec-WebSocket-Key once (RFC 6455 section 11.3.1)",
            Self::Subprotocol => {
                "send names of letters, digits and !#$%&'*+-.^_`|~, each once, with commas between"
            }
            Self::Origin => "the operator lists the origins that may: --allow-origin",
            Self::Behaviour(bad) => &bad.expected,
            Self::Draining => "try again later; Retry-After says when",
            Self::Admission(error) => error.hint(),
            Self::TooFast(error) => error.hint(),
            Self::Gone => "stay connected",
            Self::NoPeer => "connect over TCP",
            Self::Asked { .. } => "leave handshake-status out to be let in",
        }
    }
}

/// Seconds that a refused client is asked to wait.
const RETRY_AFTER: &str = "5";

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            // Any number from 300 to 599 is a status, known or not.
            Self::Asked { status, .. } => StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Draining | Self::Admission(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let status = self.status_code();
        let mut response = HttpResponseBuilder::new(status);
        match status {
            StatusCode::METHOD_NOT_ALLOWED => {
                response.insert_header((header::ALLOW, "GET"));
            }
            StatusCode::UPGRADE_REQUIRED => {
                response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
            }
            StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"ws-echo\""));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                let wait = if matches!(self, Self::TooFast(_)) {
                    "1"
                } else {
                    RETRY_AFTER
                };
                response.insert_header((header::RETRY_AFTER, wait));
            }
            _ => {}
        }
        if let Self::Asked { location, .. } = self
            && status.is_redirection()
        {
            response.insert_header((header::LOCATION, location.as_str()));
        }
        response.json(ErrorBody {
            error: &self.to_string(),
            hint: self.hint(),
        })
    }
}
