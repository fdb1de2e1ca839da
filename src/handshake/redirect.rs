//! The target of `?handshake-status=3xx`: the same path and query without the key. Pure.

use std::fmt::Write as _;

/// Returns the `Location` of a redirect to the request's own path and query, without one key of the query.
///
/// It must never lead to another host. A path such as `//host/x` is a reference to a host (RFC 3986 section
/// 4.2), and a browser reads a backslash as a slash (the URL standard, "relative slash state"). After `/.`
/// both are paths, because the dot segment is removed after the reference was parsed (RFC 3986 section
/// 5.2.4).
pub(crate) fn without_key(path: &str, query: &str, unwanted: &str) -> String {
    let mut location = String::with_capacity(path.len() + query.len() + 3);
    let rest = path.strip_prefix('/').unwrap_or_default();
    if rest.starts_with(['/', '\\']) {
        location.push_str("/.");
    }
    location.push('/');
    push_ascii(&mut location, rest);
    let mut separator = '?';
    for pair in query.split('&').filter(|pair| !has_key(pair, unwanted)) {
        if !pair.is_empty() {
            location.push(separator);
            push_ascii(&mut location, pair);
            separator = '&';
        }
    }
    location
}

/// Returns whether a `key=value` of the query has this key, percent-encoded or not.
fn has_key(pair: &str, key: &str) -> bool {
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .is_some_and(|(name, _)| name == key)
}

/// Appends a part of a request's target, and percent-encodes all but visible ASCII. A URI is ASCII (RFC 3986
/// section 2), but a request's target need not be.
fn push_ascii(location: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_graphic() {
            location.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(location, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    const KEY: &str = "handshake-status";

    #[test]
    fn only_the_key_is_removed() {
        for (path, query, expected) in [
            ("/", "handshake-status=302", "/"),
            (
                "/chat",
                "room=1&handshake-status=302&reply=verbatim",
                "/chat?room=1&reply=verbatim",
            ),
            ("/a%20b", "a=%20+b&c&handshake%2Dstatus=302", "/a%20b?a=%20+b&c"),
            (
                "/",
                "handshake-status=302&&x=handshake-status",
                "/?x=handshake-status",
            ),
            ("/é", "ü=1&handshake-status=302", "/%C3%A9?%C3%BC=1"),
            ("", "handshake-status=302", "/"),
            ("*", "handshake-status=302", "/"),
        ] {
            assert_eq!(without_key(path, query, KEY), expected, "{path}?{query}");
        }
    }

    /// Returns the host and path that a browser requests.
    fn followed(location: &str) -> Url {
        let request = Url::parse("http://own.example:3000/request/path?q").unwrap();
        request.join(location).unwrap()
    }

    #[test]
    fn a_path_that_names_a_host_stays_a_path() {
        for (path, expected) in [
            ("//host/x", "//host/x"),
            ("///x", "///x"),
            ("////", "////"),
            ("/\\host/x", "//host/x"),
            ("/\\/host/x", "///host/x"),
            ("//", "//"),
            ("//host:80\\@own.example/x", "//host:80/@own.example/x"),
            ("/x//y", "/x//y"),
            ("/.//host/x", "//host/x"),
            ("/..//host/x", "//host/x"),
            ("/http://host/x", "/http://host/x"),
        ] {
            let url = followed(&without_key(path, "handshake-status=302", KEY));
            let origin = (url.scheme(), url.host_str(), url.port());
            assert_eq!(origin, ("http", Some("own.example"), Some(3000)), "{path}");
            assert_eq!((url.path(), url.query()), (expected, None), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_to_another_host_or_to_the_same_status(
            path in "/[/\\\\.a:@%\u{e9}]{0,12}", query in "[?&=a%2D/\\\\#]{0,12}",
        ) {
            let query = format!("handshake-status=302&{query}&handshake%2dstatus=302");
            let location = without_key(&path, &query, KEY);
            prop_assert!(location.is_ascii());
            let url = followed(&location);
            prop_assert_eq!(url.host_str(), Some("own.example"));
            prop_assert_eq!(url.port(), Some(3000));
            prop_assert!(url.query_pairs().all(|(name, _)| name != KEY));
            // The same page as the request's own, as a browser would have written it.
            let own = Url::parse(&format!("http://own.example:3000{path}")).unwrap();
            prop_assert_eq!(url.path(), own.path());
        }
    }
}
