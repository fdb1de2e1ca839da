//! The lines of `--print-address`: the URLs of the listeners, for the program that has started the server.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use log::warn;
use serde::Serialize;

use crate::config::AddressFormat;

/// One listener.
#[derive(Debug, Serialize)]
struct Listener {
    /// As bound, such as `0.0.0.0:3000`.
    address: SocketAddr,
    port: u16,
    tls: bool,
    /// The URL for WebSocket clients on this machine.
    ws: String,
    /// The URL for HTTP clients on this machine.
    http: String,
}

impl Listener {
    fn new(address: SocketAddr, tls: bool) -> Self {
        let (port, secure) = (address.port(), if tls { "s" } else { "" });
        let reachable = SocketAddr::new(reachable(address.ip()), port);
        Self {
            address,
            port,
            tls,
            ws: format!("ws{secure}://{reachable}/"),
            http: format!("http{secure}://{reachable}/"),
        }
    }
}

/// Returns the loopback address for an unspecified one, to which not every system and no browser connects.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// Writes one line for each listener to standard output. A server whose standard output is closed still serves, so a failure is
/// only logged.
pub(super) fn print(format: AddressFormat, plain: &[SocketAddr], tls: &[SocketAddr]) {
    let lines = lines(format, plain, tls);
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        warn!(reason:% = error; "cannot print addresses");
    }
}

fn lines(format: AddressFormat, plain: &[SocketAddr], tls: &[SocketAddr]) -> String {
    let plain = plain.iter().map(|addr| Listener::new(*addr, false));
    let tls = tls.iter().map(|addr| Listener::new(*addr, true));
    let mut lines = String::new();
    for listener in plain.chain(tls) {
        let line = match format {
            AddressFormat::Text => listener.ws,
            AddressFormat::Json => serde_json::to_string(&listener).unwrap_or_default(),
        };
        // Writing to a String does not fail.
        let _ = writeln!(lines, "{line}");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[&str] = &["127.0.0.1:3000", "[::1]:3000"];
    const TLS: &[&str] = &["0.0.0.0:3443", "[::]:3443"];

    fn parsed(addrs: &[&str]) -> Vec<SocketAddr> {
        addrs.iter().map(|addr| addr.parse().unwrap()).collect()
    }

    #[test]
    fn text_is_one_url_a_line_which_a_client_on_this_machine_can_open() {
        assert_eq!(
            lines(AddressFormat::Text, &parsed(PLAIN), &parsed(TLS)),
            "ws://127.0.0.1:3000/\nws://[::1]:3000/\nwss://127.0.0.1:3443/\nwss://[::1]:3443/\n"
        );
    }

    #[test]
    fn json_is_one_object_a_line_with_the_bound_address_and_both_urls() {
        assert_eq!(
            lines(AddressFormat::Json, &parsed(&PLAIN[..1]), &parsed(&TLS[..1])),
            concat!(
                r#"{"address":"127.0.0.1:3000","port":3000,"tls":false,"ws":"ws://127.0.0.1:3000/","http":"http://127.0.0.1:3000/"}"#,
                "\n",
                r#"{"address":"0.0.0.0:3443","port":3443,"tls":true,"ws":"wss://127.0.0.1:3443/","http":"https://127.0.0.1:3443/"}"#,
                "\n"
            )
        );
    }
}
