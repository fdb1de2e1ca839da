//! What the URL requests of the handshake itself: a delay, a refusal, credentials, and fields of the response.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};

use super::{field_lines, redirect::without_key, refusal::Refusal};
use crate::{
    admission::{Admission, AdmissionError},
    session::behaviour::{Behaviour, ExtraFields},
    transport::Socket,
};

/// Runs `handshake-delay`, `auth` and `handshake-status`, in this order. If the client disconnects during the
/// delay, its place is free at once.
pub(super) async fn delay_or_refuse(
    behaviour: &Behaviour,
    request: &HttpRequest,
    admission: &Admission,
    socket: Option<&Socket>,
) -> Result<(), Refusal> {
    if let Some(delay) = behaviour.handshake_delay {
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = admission.stopping() => return Err(AdmissionError::Draining.into()),
            () = disconnected(socket) => return Err(Refusal::Disconnected),
        }
    }
    if let Some(credentials) = &behaviour.auth {
        // A request has one field (RFC 9110 section 11.6.2). If it has several, no one can tell which counts.
        let mut values = field_lines(request.headers(), &header::AUTHORIZATION);
        let are_right = values.next().is_some_and(|value| credentials.are_in(value));
        if !are_right || values.next().is_some() {
            return Err(Refusal::Unauthorized);
        }
    }
    match behaviour.handshake_status {
        Some(status) => Err(Refusal::RequestedStatus {
            status,
            location: without_key(request.path(), request.query_string(), "handshake-status"),
        }),
        None => Ok(()),
    }
}

/// Adds the fields of `set-header` to a response. The first field of a name replaces those that the server has
/// set, and further ones are added.
pub(super) fn add_fields(headers: &mut HeaderMap, fields: &ExtraFields) {
    let mut replaced: Vec<HeaderName> = Vec::new();
    for (name, value) in fields.iter() {
        // `ExtraFields` has checked both.
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) else {
            continue;
        };
        if replaced.contains(&name) {
            headers.append(name, value);
        } else {
            headers.insert(name.clone(), value);
            replaced.push(name);
        }
    }
}

/// Resolves when the client has closed the connection. Never resolves without a socket.
async fn disconnected(socket: Option<&Socket>) {
    match socket {
        Some(socket) => socket.disconnected().await,
        None => std::future::pending().await,
    }
}
