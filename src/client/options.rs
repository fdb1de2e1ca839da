//! The options of a connection.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use super::trust::Trust;
use crate::protocol::deflate::Deflate;

/// The options of a connection. [`Default`] opens a connection as a browser does, without an origin.
#[derive(Debug, Clone)]
pub struct Options {
    /// The value of `Origin`.
    pub origin: Option<String>,
    /// The lines of `Sec-WebSocket-Protocol`. Each has one name, or a list.
    pub subprotocols: Vec<String>,
    /// The lines of `Sec-WebSocket-Extensions`, sent as they are. Only permessage-deflate can be used.
    pub extensions: Vec<String>,
    /// Additional fields. A field replaces the client's own of the same name.
    pub headers: Vec<(String, String)>,
    /// The certificates that are accepted.
    pub trust: Trust,
    /// The protocols that are offered by ALPN (RFC 7301), in order of preference.
    pub alpn: Vec<String>,
    /// `HOST:PORT` to connect to instead of the URL's. `Host`, and the name in the certificate, are still those of the URL.
    pub connect_to: Option<String>,
    /// Timeout of each step: to resolve the host, to connect, for TLS, for the header section of the response, to write a message,
    /// and for each event that is awaited with [`super::Connection::next_in_time`].
    pub timeout: Duration,
    /// Largest message in bytes that is received, over all fragments and decompressed.
    pub max_message_size: usize,
    /// Largest number of fragments of a message that is received.
    pub max_fragments: usize,
    /// Largest payload of a data frame that is sent. `None` is no limit.
    pub fragment: Option<NonZeroUsize>,
    /// Whether the connection also returns each data and control frame, before what it is part of.
    pub frames: bool,
    /// Whether the connection replies to a Ping by a Pong, to a Close by a Close, and to a violation by a Close, as RFC 6455
    /// requires. Without it, the caller replies.
    pub replies: bool,
    /// Number of bytes a second that are read, with a small receive buffer. `None` is no limit.
    pub read_rate: Option<NonZeroU32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            origin: None,
            subprotocols: Vec::new(),
            extensions: vec![Deflate::OFFER.to_owned()],
            headers: Vec::new(),
            trust: Trust::default(),
            alpn: vec!["http/1.1".to_owned()],
            connect_to: None,
            timeout: Duration::from_secs(10),
            max_message_size: 16 << 20,
            max_fragments: 1 << 20,
            fragment: None,
            frames: false,
            replies: true,
            read_rate: None,
        }
    }
}
