//! The bytes beneath the actor: what stands between the socket and actix's WebSocket codec.
//!
//! actix's codec looks at a frame once all of it is buffered; here a frame is looked at when its header is there, so
//! that what is illegal or too big is refused before it costs memory. Nothing in here knows of actors or of HTTP.

pub mod deflate;
mod fault;
pub mod frame;
mod inbound;
mod inspector;
mod outbound;
#[cfg(test)]
mod properties;
mod stream;
mod takeover;
pub mod tap;
mod transport;
mod utf8;
mod violation;

pub use fault::Fault;
pub use inbound::{End, Inbound, Link, Tail};
pub use inspector::Limits;
pub use outbound::{Outbound, Outlet, Shape};
pub use stream::TlsFacts;
pub use takeover::{Source, Takeover};
pub use transport::{Socket, Transport};
pub use violation::Violation;
