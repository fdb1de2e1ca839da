//! The decoder in the server's role: masked frames, in pieces and in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_echo::protocol::Server;

fuzz_target!(|input: &[u8]| ws_echo_fuzz::check_decoder::<Server>(input));
