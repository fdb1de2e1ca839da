//! permessage-deflate (RFC 7692): the parameters that the opening handshake negotiates, and the compression contexts.

mod context;
mod negotiation;

pub use context::{Deflater, InflateError, Inflater, MIN_COMPRESSED};
pub use negotiation::{Deflate, ExtensionError};
