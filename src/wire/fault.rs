//! Frames that must not be: each breaks RFC 6455 in one way, for clients that want to see whether they notice.

use std::str::FromStr;

use bytes::Bytes;

use super::frame::{CLOSE, CONTINUATION, Header, MAX_HEADER, TEXT};

/// One way to break the protocol: `?wire=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A text frame with RSV3 set, which no extension has defined (section 5.2).
    Rsv,
    /// A frame of the reserved opcode 3 (section 5.2).
    Opcode,
    /// A masked text frame, which a server must not send (section 5.1).
    Masked,
    /// A text frame whose length is not in its shortest form (section 5.2).
    Length,
    /// A text frame that is not UTF-8 (section 5.6).
    Utf8,
    /// A continuation frame with nothing to continue (section 5.4).
    Continuation,
    /// A Close frame with code 1005, which must not be on the wire (section 7.4.1).
    CloseCode,
    /// A Close frame with a body of one byte (section 5.5.1).
    CloseLength,
}

impl Fault {
    /// Whether the frame is a Close: nothing may follow it.
    pub fn is_close(self) -> bool {
        matches!(self, Self::CloseCode | Self::CloseLength)
    }

    /// The frame as it goes on the wire.
    pub fn frame(self) -> Bytes {
        /// A text, so that whoever sees the frame knows that it is meant.
        const SAID: &[u8] = b"ws-echo: broken on request";
        let text = Header {
            fin: true,
            rsv: 0,
            opcode: TEXT,
            mask: None,
            len: SAID.len() as u64,
            minimal: true,
        };
        match self {
            Self::Rsv => frame(Header { rsv: 0b001, ..text }, SAID),
            Self::Opcode => frame(Header { opcode: 3, ..text }, SAID),
            Self::Masked => {
                let mask = [0x37, 0xFA, 0x21, 0x3D];
                let masked: Vec<u8> = SAID
                    .iter()
                    .zip(mask.iter().cycle())
                    .map(|(byte, key)| byte ^ key)
                    .collect();
                frame(
                    Header {
                        mask: Some(mask),
                        ..text
                    },
                    &masked,
                )
            }
            Self::Length => {
                let mut bytes = vec![0x81, 126];
                // At most 125, or this would be its shortest form.
                bytes.extend_from_slice(&[0, SAID.len().to_le_bytes()[0]]);
                bytes.extend_from_slice(SAID);
                bytes.into()
            }
            Self::Utf8 => frame(Header { len: 2, ..text }, &[0xC3, 0x28]),
            Self::Continuation => frame(
                Header {
                    opcode: CONTINUATION,
                    ..text
                },
                SAID,
            ),
            Self::CloseCode => frame(
                Header {
                    opcode: CLOSE,
                    len: 2,
                    ..text
                },
                &1005_u16.to_be_bytes(),
            ),
            Self::CloseLength => frame(
                Header {
                    opcode: CLOSE,
                    len: 1,
                    ..text
                },
                &[3],
            ),
        }
    }
}

fn frame(header: Header, payload: &[u8]) -> Bytes {
    let mut frame = header.write(&mut [0; MAX_HEADER]).to_vec();
    frame.extend_from_slice(payload);
    frame.into()
}

impl FromStr for Fault {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Ok(match name {
            "rsv" => Self::Rsv,
            "opcode" => Self::Opcode,
            "masked" => Self::Masked,
            "length" => Self::Length,
            "utf8" => Self::Utf8,
            "continuation" => Self::Continuation,
            "close-code" => Self::CloseCode,
            "close-length" => Self::CloseLength,
            _ => return Err(()),
        })
    }
}
