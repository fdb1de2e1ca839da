//! Random bytes of the system, for masking keys and nonces (RFC 6455 sections 4.1 and 10.3).

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::protocol::MaskingKeys;

/// Number of bytes that are read from the system at once. A system call for each key would cost more than the frame.
const BLOCK: usize = 1024;

/// A source of masking keys that cannot be predicted.
pub(super) fn masking_keys() -> MaskingKeys {
    let mut block = Vec::new();
    MaskingKeys::new(move || {
        loop {
            if let Some((left, key)) = block.split_last_chunk::<4>() {
                let (key, left) = (*key, left.len());
                block.truncate(left);
                return key;
            }
            block.resize(BLOCK, 0);
            fill(&mut block);
        }
    })
}

/// Returns the nonce of a `Sec-WebSocket-Key`.
pub(super) fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    fill(&mut nonce);
    nonce
}

fn fill(bytes: &mut [u8]) {
    if SystemRandom::new().fill(bytes).is_err() {
        // A system without randomness. Keys that differ are the most that is left.
        fastrand::fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Client, Role as _};

    #[test]
    fn keys_differ_over_the_end_of_a_block() {
        let mut keys = masking_keys();
        let taken: std::collections::BTreeSet<_> =
            (0..1000).filter_map(|_| Client::masking_key(&mut keys)).collect();
        // Two equal keys of 2^32 are possible, ten are not.
        assert!(taken.len() > 990, "{}", taken.len());
        assert_ne!(nonce(), nonce());
    }
}
