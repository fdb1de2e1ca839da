//! The two roles of RFC 6455. A client masks the frames that it sends, a server does not (section 5.1).

use std::fmt;

/// The role of the end that uses a [`super::Decoder`] or an [`super::Encoder`]. It is a type parameter, so that a frame
/// costs no branch on the role.
pub trait Role: fmt::Debug + 'static {
    /// Whether this end masks the frames that it sends. The other end does the opposite.
    const SENDS_MASKED: bool;

    /// The source of masking keys.
    type Keys: fmt::Debug;

    /// Returns the key of the next frame, or `None` if this end sends unmasked frames.
    fn masking_key(keys: &mut Self::Keys) -> Option<[u8; 4]>;
}

/// The end that accepts the connection. It receives masked frames and sends unmasked ones.
#[derive(Debug)]
pub enum Server {}

impl Role for Server {
    const SENDS_MASKED: bool = false;

    type Keys = ();

    fn masking_key((): &mut ()) -> Option<[u8; 4]> {
        None
    }
}

/// The end that opens the connection. It sends masked frames and receives unmasked ones.
#[derive(Debug)]
pub enum Client {}

impl Role for Client {
    const SENDS_MASKED: bool = true;

    type Keys = MaskingKeys;

    fn masking_key(keys: &mut MaskingKeys) -> Option<[u8; 4]> {
        Some((keys.0)())
    }
}

/// A source of masking keys. RFC 6455 section 5.3 requires keys that cannot be predicted. The caller provides them, because
/// this module uses no source of randomness.
pub struct MaskingKeys(Box<dyn FnMut() -> [u8; 4]>);

impl MaskingKeys {
    /// Creates a source that calls `next` for each key.
    pub fn new(next: impl FnMut() -> [u8; 4] + 'static) -> Self {
        Self(Box::new(next))
    }
}

impl fmt::Debug for MaskingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskingKeys")
    }
}
