//! The bytes beneath the actor: what stands between the socket and what is said.
//!
//! A frame is looked at when its header is there, so that what is illegal or too big is refused before it costs memory.
//! Nothing in here knows of actors or of requests.

mod ahead;
mod buffer;
mod chunk;
mod decoder;
pub mod deflate;
mod fault;
pub mod frame;
mod inbound;
mod message;
mod outbound;
#[cfg(test)]
mod properties;
mod source;
mod stream;
mod tail;
mod takeover;
pub mod tap;
mod transport;
mod utf8;
mod violation;

pub use ahead::Ahead;
pub use chunk::Chunk;
pub use decoder::Limits;
pub use fault::Fault;
pub use inbound::{End, Inbound};
pub use message::{Facts, Incoming, Message};
pub use outbound::{Outbound, Shape};
pub use source::Source;
pub use stream::TlsFacts;
pub use tail::Tail;
pub use takeover::{Aborted, SessionBody, Takeover};
pub use transport::{Socket, Transport};
pub use violation::Violation;
