//! The value of `?handshake=`: the kinds of an invalid or unusual 101.

use std::str::FromStr;

/// A 101 that a client must refuse, except for the last kind (RFC 6455 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenHandshake {
    /// `wrong-accept`: `Sec-WebSocket-Accept` is that of another key.
    WrongAccept,
    /// `no-accept`: no `Sec-WebSocket-Accept`.
    NoAccept,
    /// `no-upgrade`: no `Upgrade`.
    NoUpgrade,
    /// `http10`: the version is HTTP/1.0.
    Http10,
    /// `garbage`: bytes that are no HTTP, and then the end of the TCP connection.
    Garbage,
    /// `truncated`: the first half of the header section, and then the end of the TCP connection.
    Truncated,
    /// `folded`: the value of `Sec-WebSocket-Accept` is on a line of its own (RFC 9112 section 5.2).
    Folded,
    /// `two-subprotocols`: two lines of `Sec-WebSocket-Protocol`.
    TwoSubprotocols,
    /// `unasked-extension`: an extension that no client offers.
    UnaskedExtension,
    /// `glued`: a valid 101 in one write with the first frame.
    Glued,
}

impl BrokenHandshake {
    const ALL: [Self; 10] = [
        Self::WrongAccept,
        Self::NoAccept,
        Self::NoUpgrade,
        Self::Http10,
        Self::Garbage,
        Self::Truncated,
        Self::Folded,
        Self::TwoSubprotocols,
        Self::UnaskedExtension,
        Self::Glued,
    ];

    /// Returns the value of `?handshake=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongAccept => "wrong-accept",
            Self::NoAccept => "no-accept",
            Self::NoUpgrade => "no-upgrade",
            Self::Http10 => "http10",
            Self::Garbage => "garbage",
            Self::Truncated => "truncated",
            Self::Folded => "folded",
            Self::TwoSubprotocols => "two-subprotocols",
            Self::UnaskedExtension => "unasked-extension",
            Self::Glued => "glued",
        }
    }

    /// Returns whether the TCP connection ends after the response.
    pub fn ends_the_connection(self) -> bool {
        matches!(self, Self::Garbage | Self::Truncated)
    }
}

impl FromStr for BrokenHandshake {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or(())
    }
}
