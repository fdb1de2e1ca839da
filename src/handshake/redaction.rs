//! The parts of a request that the log and replies hide. Pure.

/// Maximum number of bytes of a path in the log.
const MAX_LOGGED_PATH: usize = 256;

/// Returns a path for the log, without the text after `/watch/` and cut at 256 bytes. That text is a secret
/// key, even if the client opens a WebSocket on the path. An uncut path could be as long as a header section.
pub(crate) fn redact_path(path: &str) -> String {
    let (shown, hidden) = match path.split_once("/watch/") {
        Some((before, _)) => (&path[..before.len() + "/watch/".len()], true),
        None => (path, false),
    };
    let cut = &shown[..shown.floor_char_boundary(MAX_LOGGED_PATH)];
    if hidden || cut.len() < shown.len() {
        format!("{cut}…")
    } else {
        cut.to_owned()
    }
}

/// Returns whether a reply must hide the request's credentials, because the request comes from a page of
/// another origin.
///
/// A browser adds the server's cookies to a handshake that any page starts. RFC 6455 section 10.2 leaves the
/// check of the origin to the server. A reply with the cookies would reveal them to that page's script. A
/// client that sends no `Origin` is not a page, and has its credentials already.
///
/// `https` is whether the client uses TLS, to this server or to a trusted proxy.
pub(crate) fn hides_credentials(origin: Option<&[u8]>, host: Option<&[u8]>, https: bool) -> bool {
    let (scheme, default_port): (&[u8], &[u8]) = if https {
        (b"https://", b":443")
    } else {
        (b"http://", b":80")
    };
    let Some(origin) = origin else { return false };
    let is_own = origin
        .split_at_checked(scheme.len())
        .filter(|(start, _)| start.eq_ignore_ascii_case(scheme))
        .zip(host)
        .is_some_and(|((_, authority), host)| {
            let without_port = |authority: &'_ [u8]| -> Vec<u8> {
                let name = authority.strip_suffix(default_port).unwrap_or(authority);
                name.to_ascii_lowercase()
            };
            !host.is_empty() && without_port(authority) == without_port(host)
        });
    !is_own
}

/// Returns a field's value as text, or only its length if it is a credential and hidden.
pub(super) fn shown_value(name: &str, value: &[u8], hide_credentials: bool) -> String {
    let is_credential = ["cookie", "authorization", "proxy-authorization"]
        .iter()
        .any(|credential| name.eq_ignore_ascii_case(credential));
    if hide_credentials && is_credential {
        format!("(hidden, {} bytes)", value.len())
    } else {
        String::from_utf8_lossy(value).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_key_is_not_logged() {
        assert_eq!(redact_path("/"), "/");
        assert_eq!(redact_path("/chat/watch"), "/chat/watch");
        assert_eq!(redact_path("/watch/secret"), "/watch/…");
        assert_eq!(redact_path("/a/watch/b/watch/c"), "/a/watch/…");
        assert_eq!(redact_path("/watch/"), "/watch/…");
        let long = format!("/{}/watch/secret", "a".repeat(245));
        assert_eq!(redact_path(&long), format!("/{}/watch/…", "a".repeat(245)));
    }

    #[test]
    fn a_long_path_is_cut_at_256_bytes_and_between_characters() {
        let path = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
        assert_eq!(redact_path(&path(256)), path(256));
        assert_eq!(redact_path(&path(257)), path(256) + "…");
        assert_eq!(redact_path(&(path(255) + "é")), path(255) + "…");
        assert_eq!(redact_path(&(path(254) + "é")), path(254) + "é");
        assert_eq!(redact_path(&(path(250) + "/watch/secret")), path(250) + "/watch…");
    }

    #[test]
    fn credentials_are_shown_to_the_servers_own_pages_and_to_clients_that_are_no_page() {
        for (origin, host, https) in [
            ("http://localhost:3000", "localhost:3000", false),
            ("HTTP://LocalHost:3000", "localhost:3000", false),
            ("http://example.org", "Example.org:80", false),
            ("http://example.org:80", "example.org", false),
            ("https://example.org", "example.org", true),
            ("https://example.org", "example.org:443", true),
            ("http://[::1]:3000", "[::1]:3000", false),
            ("http://[::1]", "[::1]:80", false),
        ] {
            let hidden = hides_credentials(Some(origin.as_bytes()), Some(host.as_bytes()), https);
            assert!(!hidden, "{origin} {host}");
        }
        assert!(!hides_credentials(None, Some(b"localhost"), false));
        assert!(!hides_credentials(None, None, true));
    }

    #[test]
    fn credentials_are_hidden_from_every_other_page() {
        for (origin, host, https) in [
            ("http://evil.example", "localhost:3000", false),
            ("http://localhost", "localhost:3000", false),
            ("http://localhost:3001", "localhost:3000", false),
            ("https://localhost:3000", "localhost:3000", false),
            ("http://localhost:3000", "localhost:3000", true),
            ("https://example.org:80", "example.org", true),
            ("http://example.org:443", "example.org", false),
            ("http://example.org.evil.example", "example.org", false),
            ("http://xexample.org", "example.org", false),
            ("http://example.org/", "example.org", false),
            ("null", "localhost:3000", false),
            ("", "", false),
            ("http://", "", false),
            ("http", "http", false),
        ] {
            let hidden = hides_credentials(Some(origin.as_bytes()), Some(host.as_bytes()), https);
            assert!(hidden, "{origin} {host}");
        }
        assert!(hides_credentials(Some(b"http://\xE9"), Some(b"e"), false));
        assert!(hides_credentials(Some(b"http://e"), None, false));
    }

    #[test]
    fn only_credentials_are_hidden_and_only_if_they_must_be() {
        for name in ["Cookie", "authorization", "PROXY-Authorization"] {
            assert_eq!(shown_value(name, b"\xE9=1", true), "(hidden, 3 bytes)");
            assert_eq!(shown_value(name, b"a=1", false), "a=1");
        }
        assert_eq!(shown_value("Cookie2", b"a\xE9", true), "a\u{FFFD}");
    }
}
