//! RFC 6455 and RFC 7692 without a socket, a clock or a runtime: bytes to messages, and messages to bytes.
//!
//! [`Decoder`] reads frames from a [`ReadBuffer`], [`Encoder`] appends frames to a `Vec`. Both serve either end of a
//! connection by their [`Role`] parameter. A frame is validated as soon as its header is complete, so that an invalid or
//! too large one is rejected before it costs memory. `.ci/imports.py` checks that this module does no IO.

mod decoded;
mod decoder;
pub mod deflate;
mod encoder;
mod fault;
pub mod fields;
mod fragmented_message;
pub mod frame;
pub mod handshake_key;
mod message;
mod observer;
#[cfg(test)]
mod properties;
mod read_buffer;
mod recorder;
mod role;
mod single_frame_message;
mod utf8;
mod validate;
mod violation;

pub use decoder::{Decoder, Limits};
pub use encoder::{Encoder, EncoderOptions};
pub use fault::Fault;
pub use message::{CloseFrame, DataKind, Incoming, Message, MessageMeta};
pub use observer::{Direction, NoObserver, OBSERVED_PAYLOAD, ObservedFrame, Observer, TapEvent};
pub use read_buffer::ReadBuffer;
pub use role::{Client, MaskingKeys, Role, Server};
pub use validate::{SENDABLE_CLOSE_CODES, is_sendable_close_code};
pub use violation::Violation;
