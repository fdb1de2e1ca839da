//! The `handshake` event of `/watch/{key}`. Pure.

use std::{num::NonZeroU32, time::Duration};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    client::ClientAddr,
    description::{Described, Tls},
    header_section::{HeaderSection, cut, request_fields},
};
use crate::{
    config::{Rate, Timer},
    protocol::Limits,
};

/// The data of the `handshake` event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HandshakeEvent {
    connection: u64,
    /// Milliseconds since the Unix epoch.
    at: u64,
    peer: String,
    path: String,
    subprotocol: Option<String>,
    extensions: Option<String>,
    http_version: &'static str,
    client: ClientAddr,
    tls: Option<Box<RawValue>>,
    request: HeaderSection,
    response: HeaderSection,
    limits: ConnectionLimits,
}

/// The limits of one connection. `None` is no limit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionLimits {
    /// Bytes.
    max_message_size: Option<usize>,
    max_fragments: Option<usize>,
    max_messages_per_second: Option<NonZeroU32>,
    ping_interval_ms: Option<u64>,
    idle_timeout_ms: Option<u64>,
    stall_timeout_ms: Option<u64>,
}

impl ConnectionLimits {
    pub(super) fn new(
        limits: Limits,
        messages_per_second: Rate,
        ping_interval: Timer,
        idle_timeout: Timer,
        stall_timeout: Option<Duration>,
    ) -> Self {
        let finite = |limit| (limit != usize::MAX).then_some(limit);
        let ms = |timer: Duration| u64::try_from(timer.as_millis()).unwrap_or(u64::MAX);
        Self {
            max_message_size: finite(limits.message_size),
            max_fragments: finite(limits.fragments),
            max_messages_per_second: messages_per_second.limit(),
            ping_interval_ms: ping_interval.duration().map(ms),
            idle_timeout_ms: idle_timeout.duration().map(ms),
            stall_timeout_ms: stall_timeout.map(ms),
        }
    }
}

impl HandshakeEvent {
    /// Returns the event with the response as the server composes it.
    pub(super) fn new(connection: Described<'_>, limits: ConnectionLimits, at: u64) -> Self {
        let Described {
            path,
            query,
            negotiated,
            ..
        } = connection;
        let request = request_fields(connection.head, connection.headers, connection.request.key);
        let verbatim = request.line.is_some();
        let line = match request.line {
            Some(line) => String::from_utf8_lossy(line).into_owned(),
            None if query.is_empty() => format!("GET {path} HTTP/1.1"),
            None => format!("GET {path}?{query} HTTP/1.1"),
        };
        let response = negotiated.response(connection.id).finish();
        let fields = response.headers().iter();
        let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
        Self {
            connection: connection.id,
            at,
            peer: connection.peer.to_string(),
            path: cut(path),
            subprotocol: negotiated.subprotocol.clone(),
            extensions: negotiated.deflate.map(|deflate| deflate.to_string()),
            http_version: "1.1",
            client: connection.client.clone(),
            tls: connection
                .tls
                .and_then(|info| to_raw_value(&Tls::from(info)).ok()),
            request: HeaderSection::new(&line, request.fields, verbatim),
            response: HeaderSection::new("HTTP/1.1 101 Switching Protocols", fields, false),
            limits,
        }
    }

    /// Replaces the response by `head`, the bytes that the server writes.
    pub(super) fn with_response(self, head: &[u8]) -> Self {
        let response = HeaderSection::of_response(head);
        Self { response, ..self }
    }
}
