//! The values of the labels. Each is a short, closed list, so that no peer can create an unlimited number of series.

/// One value of a label.
pub trait Label: Copy + Sized + 'static {
    /// All values, in the order of their index.
    const ALL: &'static [Self];

    /// Returns the value in the exposition.
    fn name(self) -> &'static str;
}

/// An enum whose variants are the values of a label.
macro_rules! label {
    ($(#[$doc:meta])* $label:ident { $($(#[$variant_doc:meta])* $variant:ident => $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $label {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $label {
            /// Number of values.
            pub const COUNT: usize = [$($name),+].len();

            /// Returns the index of its counter.
            pub const fn index(self) -> usize {
                self as usize
            }
        }

        impl Label for $label {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

label! {
    /// The type of a data message.
    MessageType {
        /// UTF-8.
        Text => "text",
        /// Bytes.
        Binary => "binary",
    }
}

label! {
    /// A frame, by its opcode (RFC 6455 section 5.2).
    FrameKind {
        /// 0
        Continuation => "continuation",
        /// 1
        Text => "text",
        /// 2
        Binary => "binary",
        /// 8
        Close => "close",
        /// 9
        Ping => "ping",
        /// 10
        Pong => "pong",
        /// Any other opcode, sent if a URL requests it.
        Reserved => "reserved",
    }
}

impl FrameKind {
    /// Returns the kind of an opcode.
    pub const fn of(opcode: u8) -> Self {
        match opcode {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => Self::Reserved,
        }
    }
}

impl From<MessageType> for FrameKind {
    fn from(kind: MessageType) -> Self {
        match kind {
            MessageType::Text => Self::Text,
            MessageType::Binary => Self::Binary,
        }
    }
}

label! {
    /// The side that sent a Close frame first, or that ended the connection without one.
    ClosedBy {
        /// The client.
        Peer => "peer",
        /// This server.
        Server => "server",
    }
}

label! {
    /// A close code (RFC 6455 section 7.4.1 and its IANA registry).
    CloseCodeLabel {
        /// Normal closure.
        C1000 => "1000",
        /// Going away.
        C1001 => "1001",
        /// Protocol error.
        C1002 => "1002",
        /// Unsupported data.
        C1003 => "1003",
        /// A Close without a code.
        C1005 => "1005",
        /// No Close at all.
        C1006 => "1006",
        /// Invalid payload.
        C1007 => "1007",
        /// Policy violation.
        C1008 => "1008",
        /// Message too big.
        C1009 => "1009",
        /// A mandatory extension.
        C1010 => "1010",
        /// Internal error.
        C1011 => "1011",
        /// Service restart.
        C1012 => "1012",
        /// Try again later.
        C1013 => "1013",
        /// Bad gateway.
        C1014 => "1014",
        /// For libraries and frameworks. One value, because a client could otherwise create 1,000 series.
        C3xxx => "3000-3999",
        /// For applications.
        C4xxx => "4000-4999",
        /// Any other code, sent if a URL requests it.
        Other => "other",
    }
}

impl CloseCodeLabel {
    /// Returns the value for a code.
    pub fn of(code: u16) -> Self {
        match code {
            3000..=3999 => Self::C3xxx,
            4000..=4999 => Self::C4xxx,
            _ => {
                let name = code.to_string();
                let known = Self::ALL.iter().find(|known| known.name() == name);
                known.copied().unwrap_or(Self::Other)
            }
        }
    }
}

label! {
    /// The reason why a handshake was refused.
    RefusalReason {
        /// Not a GET.
        Method => "method",
        /// Not HTTP/1.1.
        HttpVersion => "http_version",
        /// No `Host`. Stays 0, because actix-http refuses such a request with an empty 400 before.
        Host => "host",
        /// `Upgrade` is not exactly `websocket`.
        Upgrade => "upgrade",
        /// `Connection` does not contain `Upgrade`, or contains `close`.
        Connection => "connection",
        /// It has a body.
        Body => "body",
        /// Not version 13.
        Version => "version",
        /// No key of 16 bytes.
        Key => "key",
        /// Not a list of unique tokens.
        Subprotocol => "subprotocol",
        /// Not in `--allow-origin`.
        Origin => "origin",
        /// An invalid behaviour.
        Behaviour => "behaviour",
        /// The server shuts down.
        ShuttingDown => "shutting_down",
        /// `--max-connections` is reached.
        MaxConnections => "max_connections",
        /// `--max-connections-per-ip` is reached.
        MaxConnectionsPerIp => "max_connections_per_ip",
        /// `--max-http-connections` is reached.
        MaxHttpConnections => "max_http_connections",
        /// `--max-handshakes-per-second` is reached.
        MaxHandshakesPerSecond => "max_handshakes_per_second",
        /// The URL requested it.
        RequestedStatus => "asked",
    }
}

label! {
    /// A limit that the operator sets, by its flag.
    Limit {
        /// Close 1009.
        MaxMessageSize => "max_message_size",
        /// Close 1009.
        MaxFragments => "max_fragments",
        /// 503.
        MaxConnections => "max_connections",
        /// 503.
        MaxConnectionsPerIp => "max_connections_per_ip",
        /// 429.
        MaxHandshakesPerSecond => "max_handshakes_per_second",
        /// A message had to wait.
        MaxMessagesPerSecond => "max_messages_per_second",
        /// Close 1001.
        IdleTimeout => "idle_timeout",
        /// Close 1013.
        MaxBuffered => "max_buffered",
        /// 503.
        MaxHttpConnections => "max_http_connections",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_code_has_one_of_a_few_label_values() {
        for (code, name) in [
            (1000, "1000"),
            (1006, "1006"),
            (1014, "1014"),
            (3000, "3000-3999"),
            (4999, "4000-4999"),
            (1004, "other"),
            (0, "other"),
            (u16::MAX, "other"),
        ] {
            assert_eq!(CloseCodeLabel::of(code).name(), name);
        }
        for (index, code) in CloseCodeLabel::ALL.iter().enumerate() {
            assert_eq!(code.index(), index);
        }
    }
}
