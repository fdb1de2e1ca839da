//! The value of `?set-header=`: fields for the response to the opening handshake.

use crate::protocol::fields::is_token;

/// The names that a URL must not set. The first three decide how a client reads the response (RFC 9112
/// section 6, RFC 6455 section 4.1). A browser keeps the policies of the others for the whole host, so one
/// URL could change them for every user of the host.
const FORBIDDEN: [&str; 10] = [
    "connection",
    "upgrade",
    "content-length",
    "transfer-encoding",
    "strict-transport-security",
    "alt-svc",
    "clear-site-data",
    "nel",
    "report-to",
    // The number of the connection, by which the operator finds it in the log.
    "x-connection-id",
];

/// The start of the names of RFC 6455 section 11.3, which a URL must not set either.
const FORBIDDEN_START: &str = "sec-websocket-";

/// The fields of `set-header`, in the order of the URL. Their names and values are checked, so that none can
/// end the header section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtraFields(Vec<(String, String)>);

impl ExtraFields {
    /// Maximum number of fields.
    pub const MAX_FIELDS: usize = 16;
    /// Maximum number of bytes of all names and values together.
    pub const MAX_BYTES: usize = 4096;

    /// Appends a field of the form `Name:value`. Returns `None` if it is not allowed, or if there are too many.
    pub fn push(&mut self, field: &str) -> Option<()> {
        let (name, value) = field.split_once(':')?;
        let value = value.trim_matches(' ');
        let is_printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let is_allowed = is_token(name.as_bytes())
            && is_printable
            && !is_forbidden(name)
            && !(name.eq_ignore_ascii_case("set-cookie") && has_domain(value))
            && self.0.len() < Self::MAX_FIELDS
            && self.bytes() + name.len() + value.len() <= Self::MAX_BYTES;
        is_allowed.then(|| self.0.push((name.to_owned(), value.to_owned())))
    }

    /// Returns names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn bytes(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

fn is_forbidden(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    FORBIDDEN.contains(&name.as_str()) || name.starts_with(FORBIDDEN_START)
}

/// Returns whether a Set-Cookie has the attribute Domain (RFC 6265 section 4.1.2.3). A browser would send
/// such a cookie to other hosts.
fn has_domain(cookie: &str) -> bool {
    cookie.split(';').skip(1).any(|attribute| {
        let name = attribute.split('=').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("domain")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_allowed(field: &str) -> bool {
        ExtraFields::default().push(field).is_some()
    }

    #[test]
    fn a_field_has_a_token_and_a_printable_value() {
        for field in [
            "X-A:b",
            "x:",
            "x: b c ",
            "x:a:b",
            "Set-Cookie:id=1; Path=/; Secure",
            "x:~",
        ] {
            assert!(is_allowed(field), "{field}");
        }
        for field in [
            "", "x", ":b", "a b:c", " x:b", "x :b", "é:b", "x:é", "x:\t", "x:\u{7f}",
        ] {
            assert!(!is_allowed(field), "{field}");
        }
        let mut fields = ExtraFields::default();
        fields.push("A:  b ").unwrap();
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("A", "b")]);
    }

    #[test]
    fn a_field_that_frames_the_response_or_sets_a_policy_of_the_host_is_refused() {
        for name in FORBIDDEN {
            assert!(!is_allowed(&format!("{name}:x")), "{name}");
            assert!(!is_allowed(&format!("{}:x", name.to_uppercase())), "{name}");
        }
        assert!(!is_allowed("Sec-WebSocket-Accept:x"));
        for cookie in ["a=b; Domain=example.org", "a=b;path=/;DOMAIN = x", "a=b; domain"] {
            assert!(!is_allowed(&format!("Set-Cookie:{cookie}")), "{cookie}");
        }
        assert!(is_allowed("Set-Cookie:domain=x; Path=/"));
    }

    #[test]
    fn there_are_at_most_16_fields_and_4096_bytes() {
        let mut fields = ExtraFields::default();
        for _ in 0..16 {
            assert!(fields.push("x:y").is_some());
        }
        assert!(fields.push("x:y").is_none());
        let mut fields = ExtraFields::default();
        let half = |more: usize| format!("x:{}", "y".repeat(2047 + more));
        assert!(fields.push(&half(0)).is_some());
        assert!(fields.push(&half(1)).is_none());
        assert!(fields.push(&half(0)).is_some());
        assert!(fields.push("x:").is_none());
    }

    proptest! {
        #[test]
        fn no_value_has_a_byte_that_ends_a_line(field in "[a-z]{1,3}:[\\x00-\\x1f\\x7f a-z\u{80}-\u{2030}]{0,8}") {
            let mut fields = ExtraFields::default();
            let breaks = field.bytes().any(|byte| !matches!(byte, b' '..=b'~'));
            prop_assert_eq!(fields.push(&field).is_none(), breaks);
        }
    }
}
