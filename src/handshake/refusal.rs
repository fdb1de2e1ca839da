//! The refusals of a handshake: status, error and hint for the client, and labels for the metrics.

use actix_http::body::BoxBody;
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use thiserror::Error;

use crate::{
    admission::{AdmissionError, RateExceeded},
    metrics::{Limit, RefusalReason},
    session::behaviour::InvalidParam,
    transport::error_body::ErrorBody,
};

/// The reason to refuse a handshake.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("the method is not GET")]
    Method,
    #[error("the HTTP version is not 1.1")]
    HttpVersion,
    /// Unreachable over HTTP/1.1: actix-http answers a request without Host with an empty 400. The variant
    /// stays, because the counter has the series `reason="host"`, and because the validation must not depend
    /// on actix-http.
    #[error("no Host header")]
    Host,
    #[error("no Upgrade: websocket header")]
    NotUpgrade,
    #[error("no Connection: Upgrade header")]
    NotConnectionUpgrade,
    #[error("the Connection header has close beside Upgrade")]
    ConnectionClose,
    #[error("the Upgrade header lists more than websocket")]
    OtherUpgrades,
    #[error("the handshake has a body")]
    Body,
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
    #[error("Sec-WebSocket-Key is not 16 bytes in base64")]
    Key,
    #[error("more than one Sec-WebSocket-Key")]
    SeveralKeys,
    #[error("Sec-WebSocket-Protocol is not a list of unique tokens")]
    Subprotocol,
    #[error("this origin is not allowed")]
    Origin,
    #[error(transparent)]
    Behaviour(#[from] InvalidParam),
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    #[error(transparent)]
    RateExceeded(#[from] RateExceeded),
    #[error("the client closed the connection before the response")]
    Disconnected,
    #[error("the connection has no peer address")]
    NoPeer,
    #[error("the request lacks the credentials that auth requires")]
    Unauthorized,
    #[error("status {status} requested by handshake-status")]
    RequestedStatus { status: u16, location: String },
}

impl Refusal {
    /// Returns the label of the counter of refusals.
    pub(super) fn metric_reason(&self) -> RefusalReason {
        match self {
            Self::Method => RefusalReason::Method,
            Self::HttpVersion => RefusalReason::HttpVersion,
            Self::Host => RefusalReason::Host,
            Self::NotUpgrade | Self::OtherUpgrades => RefusalReason::Upgrade,
            Self::NotConnectionUpgrade | Self::ConnectionClose | Self::NoPeer | Self::Disconnected => {
                RefusalReason::Connection
            }
            Self::Body => RefusalReason::Body,
            Self::Version => RefusalReason::Version,
            Self::Key | Self::SeveralKeys => RefusalReason::Key,
            Self::Subprotocol => RefusalReason::Subprotocol,
            Self::Origin => RefusalReason::Origin,
            Self::Behaviour(_) => RefusalReason::Behaviour,
            Self::Admission(AdmissionError::MaxConnections(_)) => RefusalReason::MaxConnections,
            Self::Admission(AdmissionError::MaxConnectionsPerIp(_)) => RefusalReason::MaxConnectionsPerIp,
            Self::Admission(AdmissionError::MaxHttpConnections(_)) => RefusalReason::MaxHttpConnections,
            Self::Admission(AdmissionError::Draining) => RefusalReason::ShuttingDown,
            Self::RateExceeded(_) => RefusalReason::MaxHandshakesPerSecond,
            Self::RequestedStatus { .. } | Self::Unauthorized => RefusalReason::RequestedStatus,
        }
    }

    /// Returns the limit that was reached.
    pub(super) fn limit(&self) -> Option<Limit> {
        match self {
            Self::Admission(error) => error.limit(),
            Self::RateExceeded(_) => Some(Limit::MaxHandshakesPerSecond),
            _ => None,
        }
    }

    /// Returns the hint for the client.
    fn hint(&self) -> &str {
        match self {
            Self::Method => "send a GET request (RFC 6455 section 4.1)",
            Self::HttpVersion => "send HTTP/1.1, and configure each proxy in between to use it",
            Self::Host => "send a Host header (RFC 9112 section 3.2)",
            Self::NotUpgrade => {
                "send Upgrade: websocket, and configure each proxy in between to forward it (RFC 9110 section 7.6.1)"
            }
            Self::NotConnectionUpgrade => {
                "send Connection: Upgrade, and configure each proxy in between to forward it (RFC 9110 section 7.6.1)"
            }
            Self::ConnectionClose => {
                "remove close, because the server closes the connection when the session ends"
            }
            Self::OtherUpgrades => "send Upgrade: websocket without another protocol",
            Self::Body => "remove Content-Length and Transfer-Encoding",
            Self::Version => "send Sec-WebSocket-Version: 13, once (RFC 6455 section 4.1)",
            Self::Key => "send 16 random bytes in base64, 24 characters (RFC 6455 section 4.1)",
            Self::SeveralKeys => "send Sec-WebSocket-Key once (RFC 6455 section 11.3.1)",
            Self::Subprotocol => {
                "send each name once, separated by commas, of letters, digits and !#$%&'*+-.^_`|~"
            }
            Self::Origin => "ask the operator to add the origin to --allow-origin",
            Self::Behaviour(invalid) => &invalid.hint,
            Self::Admission(error) => error.hint(),
            Self::RateExceeded(error) => error.hint(),
            Self::Disconnected => "keep the connection open until the response",
            Self::NoPeer => "connect over TCP",
            Self::Unauthorized => {
                "send Authorization: Basic with the user and the password of auth (RFC 7617)"
            }
            Self::RequestedStatus { .. } => "remove handshake-status from the URL to open a connection",
        }
    }
}

/// Value of `Retry-After` in seconds (RFC 9110 section 10.2.3), except after a rate limit.
const RETRY_AFTER: &str = "5";

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            // Every number from 300 to 599 is a status code, registered or not.
            Self::RequestedStatus { status, .. } => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST)
            }
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Admission(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::RateExceeded(_) => StatusCode::TOO_MANY_REQUESTS,
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
                let wait = if matches!(self, Self::RateExceeded(_)) {
                    "1"
                } else {
                    RETRY_AFTER
                };
                response.insert_header((header::RETRY_AFTER, wait));
            }
            _ => {}
        }
        if let Self::RequestedStatus { location, .. } = self
            && status.is_redirection()
        {
            response.insert_header((header::LOCATION, location.as_str()));
        }
        // RFC 9110 section 15.4.5: "A 304 response is terminated by the end of the header section". A body
        // would be read as the start of the next response.
        if status == StatusCode::NOT_MODIFIED {
            return response.finish();
        }
        response.json(ErrorBody {
            error: &self.to_string(),
            hint: self.hint(),
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;

    use super::*;

    fn requested(status: u16) -> HttpResponse {
        let refusal = Refusal::RequestedStatus {
            status,
            location: "/chat".to_owned(),
        };
        refusal.error_response()
    }

    #[test]
    fn a_requested_304_has_no_body_and_no_length() {
        let response = requested(304);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(response.headers().get(header::LOCATION).unwrap(), "/chat");
        for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE] {
            assert!(!response.headers().contains_key(name));
        }
        assert!(response.into_body().try_into_bytes().unwrap().is_empty());
    }

    #[test]
    fn every_other_requested_status_has_a_body_and_a_redirect_has_a_location() {
        for status in (300..600).filter(|status| *status != 304) {
            let response = requested(status);
            assert_eq!(response.status().as_u16(), status);
            let redirects = (300..400).contains(&status);
            assert_eq!(
                response.headers().contains_key(header::LOCATION),
                redirects,
                "{status}"
            );
            let body = response.into_body().try_into_bytes().unwrap();
            assert!(
                body.starts_with(
                    format!("{{\"error\":\"status {status} requested by handshake-status\"").as_bytes()
                ),
                "{status}"
            );
        }
    }

    #[test]
    fn an_error_of_the_admission_becomes_a_refusal_with_its_limit() {
        for (error, limit) in [
            (AdmissionError::Draining, None),
            (AdmissionError::MaxConnections(1), Some(Limit::MaxConnections)),
            (
                AdmissionError::MaxConnectionsPerIp(1),
                Some(Limit::MaxConnectionsPerIp),
            ),
            (
                AdmissionError::MaxHttpConnections(1),
                Some(Limit::MaxHttpConnections),
            ),
        ] {
            let refusal = Refusal::from(error);
            assert_eq!(
                refusal.status_code(),
                StatusCode::SERVICE_UNAVAILABLE,
                "{refusal}"
            );
            assert_eq!(refusal.limit(), limit, "{refusal}");
            assert_eq!(refusal.hint(), error.hint());
            assert!(
                refusal
                    .error_response()
                    .headers()
                    .contains_key(header::RETRY_AFTER)
            );
        }
    }
}
