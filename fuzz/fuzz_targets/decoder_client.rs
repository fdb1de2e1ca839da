//! The decoder in the client's role: unmasked frames, in pieces and in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_echo::protocol::Client;

fuzz_target!(|input: &[u8]| ws_echo_fuzz::check_decoder::<Client>(input));
