//! The rules of RFC 6455 for a single frame. The rules that depend on earlier frames are in the decoder.

use std::ops::RangeInclusive;

use super::{
    frame::{BINARY, CLOSE, CONTINUATION, Header, MAX_CONTROL_PAYLOAD, PING, PONG, RSV1, TEXT},
    role::Role,
    violation::Violation,
};

/// Reads the header at the start of `bytes` and applies the rules for any frame that the end `R` receives.
/// Returns the header and its length in bytes. Returns `None` if the header, or a control frame's payload, is
/// incomplete.
pub(super) fn validate_header<R: Role>(bytes: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    // Two bytes are enough for most rules, so that a peer that sends another protocol is rejected at once.
    let Some(&[first, second]) = bytes.first_chunk::<2>() else {
        return Ok(None);
    };
    let opcode = first & 0x0F;
    if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
        return Err(Violation::ReservedOpcode(opcode));
    }
    let (rsv, control) = (first >> 4 & 0b111, opcode & 0x8 != 0);
    // RFC 7692 section 6.1: only the first frame of a data message may have RSV1.
    if rsv & !RSV1 != 0 || control && rsv != 0 {
        return Err(Violation::ReservedBits);
    }
    match (second & 0x80 != 0, R::SENDS_MASKED) {
        (false, false) => return Err(Violation::Unmasked),
        (true, true) => return Err(Violation::Masked),
        _ => {}
    }
    if control {
        if first & 0x80 == 0 {
            return Err(Violation::FragmentedControl);
        }
        if usize::from(second & 0x7F) > MAX_CONTROL_PAYLOAD {
            return Err(Violation::LongControl);
        }
    }
    let Some((header, len)) = Header::read(bytes) else {
        return Ok(None);
    };
    if !header.minimal {
        return Err(Violation::LengthEncoding);
    }
    let complete = !control || header.len <= (bytes.len() - len) as u64;
    Ok(complete.then_some((header, len)))
}

/// Applies the rules for the body of a Close frame (RFC 6455 sections 5.5.1 and 7.4), and returns its code.
pub(super) fn validate_close_payload(body: &[u8]) -> Result<Option<u16>, Violation> {
    let (code, reason) = match body.split_first_chunk::<2>() {
        Some((code, reason)) => (u16::from_be_bytes(*code), reason),
        None if body.is_empty() => return Ok(None),
        None => return Err(Violation::ShortClose),
    };
    if !is_sendable_close_code(code) {
        return Err(Violation::CloseCode(code));
    }
    if simdutf8::basic::from_utf8(reason).is_err() {
        return Err(Violation::Utf8);
    }
    Ok(Some(code))
}

/// The close codes that a Close frame may have (RFC 6455 section 7.4).
///
/// 1004 is reserved, and 1005, 1006 and 1015 "MUST NOT be set". IANA has registered 1012 to 1014 since. 3000 to 4999
/// are for libraries, frameworks and applications.
pub const SENDABLE_CLOSE_CODES: [RangeInclusive<u16>; 3] = [1000..=1003, 1007..=1014, 3000..=4999];

/// Returns whether a Close frame may have this code.
pub fn is_sendable_close_code(code: u16) -> bool {
    SENDABLE_CLOSE_CODES.iter().any(|codes| codes.contains(&code))
}
