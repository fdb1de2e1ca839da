//! The bytes of the 101 that `?handshake=` requests, made from those of a valid one. Pure.

use super::negotiate::X_CONNECTION_ID;
use crate::{protocol::handshake_key::accept_key, session::behaviour::BrokenHandshake};

/// The response of `garbage`, for the log of the client.
const GARBAGE: &[u8] = b"ws-echo: no HTTP by request\r\n\r\n";

/// Whether these bytes are the head of the 101 of this connection. If a client has sent several requests at
/// once, actix-http writes their responses together, and the first head is that of another response.
pub(super) fn is_head_of(head: &[u8], connection: u64) -> bool {
    let field = format!("\r\n{X_CONNECTION_ID}: {connection}\r\n");
    head.starts_with(b"HTTP/1.1 101 ") && head.windows(field.len()).any(|window| window == field.as_bytes())
}

/// Returns the bytes to send instead of the valid `head`. `offered` are the subprotocols that the client
/// offers.
pub(super) fn broken(kind: BrokenHandshake, head: &[u8], offered: &[String]) -> Vec<u8> {
    let mut lines = Lines::of(head);
    match kind {
        BrokenHandshake::WrongAccept => {
            let accept = accept_key(b"ws-echo: the key of no client");
            lines.replace("sec-websocket-accept", |name, _| format!("{name}: {accept}"));
        }
        BrokenHandshake::NoAccept => lines.remove("sec-websocket-accept"),
        BrokenHandshake::NoUpgrade => lines.remove("upgrade"),
        BrokenHandshake::Http10 => {
            return [b"HTTP/1.0", head.strip_prefix(b"HTTP/1.1").unwrap_or(head)].concat();
        }
        BrokenHandshake::Garbage => return GARBAGE.to_vec(),
        BrokenHandshake::Truncated => return head[..head.len() / 2].to_vec(),
        BrokenHandshake::Folded => {
            lines.replace("sec-websocket-accept", |name, value| {
                format!("{name}:\r\n {value}")
            });
        }
        BrokenHandshake::TwoSubprotocols => {
            lines.remove("sec-websocket-protocol");
            let others = ["ws-echo-1", "ws-echo-2"].map(str::to_owned);
            for name in offered.iter().chain(&others).take(2) {
                lines.push(format!("sec-websocket-protocol: {name}"));
            }
        }
        BrokenHandshake::UnaskedExtension => {
            lines.push("sec-websocket-extensions: x-ws-echo-unasked".to_owned());
        }
        BrokenHandshake::Glued => {}
    }
    lines.into_head()
}

/// The lines of a header section with its first line.
struct Lines(Vec<String>);

impl Lines {
    fn of(head: &[u8]) -> Self {
        // The server makes its responses of ASCII.
        let head = String::from_utf8_lossy(head);
        Self(head.trim_end().split("\r\n").map(str::to_owned).collect())
    }

    fn remove(&mut self, name: &str) {
        self.0
            .retain(|line| field(line).is_none_or(|(field, _)| !field.eq_ignore_ascii_case(name)));
    }

    fn replace(&mut self, name: &str, line_of: impl Fn(&str, &str) -> String) {
        for line in &mut self.0 {
            if let Some((field, value)) = field(line)
                && field.eq_ignore_ascii_case(name)
            {
                *line = line_of(field, value);
            }
        }
    }

    fn push(&mut self, line: String) {
        self.0.push(line);
    }

    fn into_head(self) -> Vec<u8> {
        (self.0.join("\r\n") + "\r\n\r\n").into_bytes()
    }
}

/// Returns the name and the value of a field line. None for the status line.
fn field(line: &str) -> Option<(&str, &str)> {
    line.split_once(": ").filter(|(name, _)| !name.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: a\r\n\
                        x-connection-id: 7\r\n\r\n";

    fn sent(kind: BrokenHandshake, offered: &[&str]) -> String {
        let offered: Vec<_> = offered.iter().map(|name| (*name).to_owned()).collect();
        String::from_utf8(broken(kind, HEAD.as_bytes(), &offered)).unwrap()
    }

    #[test]
    fn each_kind_breaks_one_thing_and_keeps_the_rest() {
        let without = |line: &str| HEAD.replace(line, "");
        let accept = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        let wrong = sent(BrokenHandshake::WrongAccept, &[]);
        let (_, other) = wrong.split_once("sec-websocket-accept: ").unwrap();
        let (other, _) = other.split_once("\r\n").unwrap();
        assert!(other.len() == 28 && !HEAD.contains(other));
        assert_eq!(wrong.replace(other, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), HEAD);
        assert_eq!(sent(BrokenHandshake::NoAccept, &[]), without(accept));
        assert_eq!(
            sent(BrokenHandshake::NoUpgrade, &[]),
            without("upgrade: websocket\r\n")
        );
        assert_eq!(
            sent(BrokenHandshake::Http10, &[]),
            HEAD.replace("HTTP/1.1", "HTTP/1.0")
        );
        assert_eq!(
            sent(BrokenHandshake::Folded, &[]),
            HEAD.replace("accept: ", "accept:\r\n ")
        );
        assert_eq!(sent(BrokenHandshake::Glued, &[]), HEAD);
        let end = "x-connection-id: 7\r\n";
        assert_eq!(
            sent(BrokenHandshake::UnaskedExtension, &[]),
            HEAD.replace(
                end,
                &format!("{end}sec-websocket-extensions: x-ws-echo-unasked\r\n")
            )
        );
        for (offered, [first, second]) in [
            (&[][..], ["ws-echo-1", "ws-echo-2"]),
            (&["a"], ["a", "ws-echo-1"]),
            (&["a", "b", "c"], ["a", "b"]),
        ] {
            assert_eq!(
                sent(BrokenHandshake::TwoSubprotocols, offered),
                without("sec-websocket-protocol: a\r\n").replace(
                    end,
                    &format!("{end}sec-websocket-protocol: {first}\r\nsec-websocket-protocol: {second}\r\n")
                )
            );
        }
        let truncated = sent(BrokenHandshake::Truncated, &[]);
        assert!(HEAD.starts_with(&truncated) && !truncated.contains("\r\n\r\n"));
        assert!(!sent(BrokenHandshake::Garbage, &[]).starts_with("HTTP/"));
    }

    #[test]
    fn only_the_head_of_the_connection_itself_is_broken() {
        assert!(is_head_of(HEAD.as_bytes(), 7));
        assert!(!is_head_of(HEAD.as_bytes(), 70));
        assert!(!is_head_of(b"HTTP/1.1 200 OK\r\nx-connection-id: 7\r\n\r\n", 7));
    }
}
