//! A port for whoever cannot take the one that the system chooses.

use std::net::TcpListener;

/// A port that nobody has on any address. Below those that the system gives to connections (`ip_local_port_range`), so
/// that none of them takes it before its owner does.
pub(crate) fn free() -> u16 {
    loop {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}
