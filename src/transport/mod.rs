//! The bytes of a connection: TCP, TLS, the hand-over from HTTP/1.1 to a session, and the buffers between them.
//!
//! [`Carrier`] is the interface between a session and its connection. [`Inbound`] and [`Outbound`] run [`crate::protocol`] on a
//! carrier. [`SessionTask`] runs a session between the two.

mod body_pipe;
mod buffered_tcp;
mod byte_source;
mod carrier;
mod copy_alignment;
mod discard;
pub mod error_body;
mod head_bytes;
mod http1;
mod inbound;
mod linger;
mod outbound;
mod pool;
#[cfg(test)]
mod properties;
mod rate_limiter;
mod request_clock;
mod socket;
mod stall;
mod stream;
mod tcp;
mod tls_stream;
mod unread;
mod upgraded;
mod write_buffer;

pub use body_pipe::{BodyPipe, PipeBody};
pub use buffered_tcp::BufferedTcp;
pub use byte_source::ByteSource;
pub use carrier::Carrier;
pub use discard::Discard;
pub use http1::{Http1Io, HttpTimeouts};
pub use inbound::{Inbound, InputEnd};
pub use outbound::Outbound;
pub use socket::{Serving, Socket};
pub use tls_stream::TlsInfo;
pub use upgraded::{SessionTask, Upgraded};
