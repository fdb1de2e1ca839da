//! A WebSocket client for tests. It shows what a server, and the proxies before it, do with a connection.
//!
//! It runs the same [`crate::protocol`] and [`crate::transport`] as the server, in the client's role. What it learns while it
//! connects is in [`Facts`], also if the connection is refused. It verifies the response as RFC 6455 section 4.1 requires, and each
//! requirement has its own error ([`HandshakeError`]). Every header section, body and message has a bound, and each step a timeout.
//!
//! A connection belongs to the thread that has opened it: it is used in a `LocalSet`, an actix system, or `block_on`.
//!
//! ```no_run
//! use ws_echo::{
//!     client::{Connection, Event, Options},
//!     protocol::Message,
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options {
//!     subprotocols: vec!["chat".to_owned()],
//!     ..Options::default()
//! };
//! let mut connection = Connection::connect(&"ws://127.0.0.1:3000/".parse()?, &options).await?;
//! println!("connected to {:?}", connection.facts().peer);
//! connection.send(&Message::text("hello")).await?;
//! while let Some(event) = connection.next_in_time().await {
//!     if let Event::Message(message, _) = event {
//!         println!("{}", String::from_utf8_lossy(&message.payload));
//!         break;
//!     }
//! }
//! let closed = connection.close(Some((1000, "done"))).await;
//! println!("the server closed with {:?}", closed.frame);
//! # Ok(())
//! # }
//! ```

mod accept;
mod body;
mod connection;
mod dial;
mod error;
mod event;
mod facts;
mod head;
mod http;
mod options;
mod random;
mod raw_frame;
mod request_head;
mod stream;
mod trust;
mod url;

pub use accept::{HandshakeError, Negotiated};
pub use body::{Body, BodyError};
pub use connection::{Closed, Connection};
pub use dial::resolve;
pub use error::{ConnectError, Reason, Step};
pub use event::{End, Event, Frame};
pub use facts::{Facts, Times};
pub use head::{HeadError, ResponseHead};
pub use http::{Response, request};
pub use options::Options;
pub use raw_frame::{Masking, RawFrame};
pub use request_head::FieldError;
pub use trust::{Presented, Trust, TrustError};
pub use url::{Url, UrlError};

/// Maximum number of bytes of a refusal's body in [`Facts::body`].
pub const MAX_REFUSAL: usize = 16 * 1024;
