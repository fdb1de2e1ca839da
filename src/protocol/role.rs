//! The two ends of a connection. A client masks the frames that it sends, a server does not (RFC 6455 section 5.1).

use std::fmt;

/// The end of the connection that uses a [`super::Decoder`] or an [`super::Encoder`]. It is a type parameter, so that no branch on the
/// role runs for a frame.
pub trait Role: fmt::Debug + 'static {
    /// Whether this end masks what it sends. The other end does the opposite.
    const SENDS_MASKED: bool;

    /// The source of masking keys.
    type Keys: fmt::Debug;

    /// Returns the key of the next frame, or `None` if this end sends unmasked frames.
    fn masking_key(keys: &mut Self::Keys) -> Option<[u8; 4]>;
}

/// The end that accepts the connection: receives masked frames and sends plain ones.
#[derive(Debug)]
pub enum Server {}

impl Role for Server {
    const SENDS_MASKED: bool = false;

    type Keys = ();

    fn masking_key((): &mut ()) -> Option<[u8; 4]> {
        None
    }
}

/// The end that opens the connection: sends masked frames and receives plain ones.
#[derive(Debug)]
pub enum Client {}

impl Role for Client {
    const SENDS_MASKED: bool = true;

    type Keys = MaskingKeys;

    fn masking_key(keys: &mut MaskingKeys) -> Option<[u8; 4]> {
        Some((keys.0)())
    }
}

/// A source of masking keys. RFC 6455 section 5.3 requires keys that cannot be predicted. The caller provides them, because the
/// protocol module reads no source of randomness.
pub struct MaskingKeys(Box<dyn FnMut() -> [u8; 4]>);

impl MaskingKeys {
    /// Takes each key from `next`.
    pub fn new(next: impl FnMut() -> [u8; 4] + 'static) -> Self {
        Self(Box::new(next))
    }
}

impl fmt::Debug for MaskingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskingKeys")
    }
}
