//! Invalid frames. Each breaks RFC 6455 in one way, so that a client's author can test whether the client detects it.

use std::str::FromStr;

use super::frame::{self, CLOSE, CONTINUATION, Header, MAX_HEADER, TEXT};

/// An invalid frame (`?wire=`). The sections are those of RFC 6455.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A text frame with RSV3 set, for which no extension was negotiated (section 5.2).
    Rsv,
    /// A frame of the reserved opcode 3 (section 5.2).
    Opcode,
    /// A masked text frame, which a server must not send (section 5.1).
    Masked,
    /// A text frame whose length is not in its shortest form (section 5.2).
    Length,
    /// A text frame that is not UTF-8 (section 5.6).
    Utf8,
    /// A continuation frame without a message before it (section 5.4).
    Continuation,
    /// A Close frame with code 1005, which must not be sent (section 7.4.1).
    CloseCode,
    /// A Close frame with a body of one byte (section 5.5.1).
    CloseLength,
}

impl Fault {
    /// All of them, in the order of the docs.
    pub const ALL: [Self; 8] = [
        Self::Rsv,
        Self::Opcode,
        Self::Masked,
        Self::Length,
        Self::Utf8,
        Self::Continuation,
        Self::CloseCode,
        Self::CloseLength,
    ];

    /// Returns the value of `?wire=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsv => "rsv",
            Self::Opcode => "opcode",
            Self::Masked => "masked",
            Self::Length => "length",
            Self::Utf8 => "utf8",
            Self::Continuation => "continuation",
            Self::CloseCode => "close-code",
            Self::CloseLength => "close-length",
        }
    }

    /// Returns whether this is a Close frame. No frame may be sent after one (RFC 6455 section 5.5.1).
    pub fn is_close(self) -> bool {
        matches!(self, Self::CloseCode | Self::CloseLength)
    }

    /// Returns the bytes of the frame.
    pub fn frame(self) -> Vec<u8> {
        /// A text for the client's log, which shows that the server sent the frame on purpose.
        const TEXT_PAYLOAD: &[u8] = b"ws-echo: invalid frame by request";
        let text = Header::unfragmented(TEXT, TEXT_PAYLOAD.len());
        match self {
            Self::Rsv => encode(Header { rsv: 0b001, ..text }, TEXT_PAYLOAD),
            Self::Opcode => encode(Header { opcode: 3, ..text }, TEXT_PAYLOAD),
            Self::Masked => {
                let mask = [0x37, 0xFA, 0x21, 0x3D];
                let mut masked = TEXT_PAYLOAD.to_vec();
                frame::mask(&mut masked, mask, 0);
                encode(
                    Header {
                        mask: Some(mask),
                        ..text
                    },
                    &masked,
                )
            }
            Self::Length => {
                let mut bytes = vec![0x81, 126];
                // The low byte is enough: the payload has at most 125 bytes. For more, this form would be the shortest.
                bytes.extend_from_slice(&[0, TEXT_PAYLOAD.len().to_le_bytes()[0]]);
                bytes.extend_from_slice(TEXT_PAYLOAD);
                bytes
            }
            Self::Utf8 => encode(Header { len: 2, ..text }, &[0xC3, 0x28]),
            Self::Continuation => encode(
                Header::unfragmented(CONTINUATION, TEXT_PAYLOAD.len()),
                TEXT_PAYLOAD,
            ),
            Self::CloseCode => encode(Header::unfragmented(CLOSE, 2), &1005_u16.to_be_bytes()),
            Self::CloseLength => encode(Header::unfragmented(CLOSE, 1), &[3]),
        }
    }
}

fn encode(header: Header, payload: &[u8]) -> Vec<u8> {
    let mut frame = header.write(&mut [0; MAX_HEADER]).to_vec();
    frame.extend_from_slice(payload);
    frame
}

impl FromStr for Fault {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == name);
        found.ok_or(())
    }
}
