//! A free port, for a program that cannot bind port 0.

use std::net::TcpListener;

/// Returns a port that is free on every address. It is below the range of outgoing connections (`ip_local_port_range`), so that
/// none of them uses the port before the program binds it.
#[must_use]
pub fn free() -> u16 {
    loop {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}
