//! Violations of the protocol or of a limit by a peer's frames.

use thiserror::Error;

/// The first violation in a stream of frames. Its text is the close reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Violation {
    /// RFC 6455 section 5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values".
    #[error("reserved bits are set")]
    ReservedBits,
    /// RFC 6455 section 5.2: opcodes 3 to 7 and 11 to 15 are reserved.
    #[error("opcode {0} is reserved")]
    ReservedOpcode(u8),
    /// RFC 6455 section 5.1: "a client MUST mask all frames that it sends to the server".
    #[error("a frame from the client is not masked")]
    Unmasked,
    /// RFC 6455 section 5.1: "a server MUST NOT mask any frames that it sends to the client".
    #[error("a frame from the server is masked")]
    Masked,
    /// RFC 6455 section 5.5: control frames "MUST NOT be fragmented".
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// RFC 6455 section 5.5: control frames "MUST have a payload length of 125 bytes or less".
    #[error("a control frame is longer than 125 bytes")]
    LongControl,
    /// RFC 6455 section 5.2: "the minimal number of bytes MUST be used to encode the length", and the most significant
    /// bit of a 64-bit length "MUST be 0".
    #[error("a payload length is not in its shortest form or has its highest bit set")]
    LengthEncoding,
    /// RFC 6455 section 5.4: a continuation frame without a fragmented message before it.
    #[error("a continuation frame without a message to continue")]
    UnexpectedContinuation,
    /// RFC 6455 section 5.4: a new message before the fragmented one has ended.
    #[error("a new message before the fragmented one has ended")]
    ExpectedContinuation,
    /// RFC 6455 section 5.5.1: a Close body "MUST be a 2-byte unsigned integer" at least.
    #[error("a Close frame with a body of one byte")]
    ShortClose,
    /// RFC 6455 section 7.4: a code that must not be sent in a Close frame.
    #[error("close code {0} must not be sent")]
    CloseCode(u16),
    /// RFC 6455 section 8.1: text that is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// RFC 7692 section 7.2.2: a message that cannot be decompressed.
    #[error("a compressed message cannot be decompressed")]
    Deflate,
    /// The message is larger than the limit, by its decompressed bytes or by the lengths in its headers.
    #[error("a message of more than {limit} bytes")]
    TooBig {
        /// Largest message in bytes.
        limit: usize,
    },
    /// The message has more frames than the limit.
    #[error("a message of more than {limit} frames")]
    TooManyFragments {
        /// Maximum number of frames of one message.
        limit: usize,
    },
}

impl Violation {
    /// Returns the code of the Close frame that the receiver of the frame sends (RFC 6455 section 7.4.1).
    pub fn close_code(self) -> u16 {
        match self {
            // RFC 7692 has no code for data that cannot be decompressed. 1007 is the code for data that is not consistent with the
            // type of the message.
            Self::Utf8 | Self::Deflate => 1007,
            Self::TooBig { .. } | Self::TooManyFragments { .. } => 1009,
            _ => 1002,
        }
    }
}
