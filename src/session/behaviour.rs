//! The query string to what this connection was asked to do.

use thiserror::Error;

use super::reply::ReplyMode;

/// What the URL asked of this connection; the default is a plain echo with time stamps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Behaviour {
    /// `reply`: how messages are answered.
    pub(super) reply: ReplyMode,
    /// `compress=off`: no permessage-deflate, whatever the client offers.
    pub(super) no_compression: bool,
}

/// A known key with a value that it does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the query says {key}={value}")]
pub(crate) struct BadValue {
    key: &'static str,
    value: String,
    /// What may stand there.
    pub(super) allowed: &'static str,
}

impl Behaviour {
    /// Reads a query string, percent-encoded as it stands in the URL. Of a key that comes twice the last one counts.
    ///
    /// Keys that mean nothing here are left alone, and named to `unknown`: users' own URLs keep working.
    ///
    /// # Errors
    /// On a known key with a value that it does not have.
    pub(super) fn from_query(query: &str, mut unknown: impl FnMut(&str)) -> Result<Self, BadValue> {
        let mut behaviour = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "reply" => {
                    behaviour.reply = match &*value {
                        "stamped" => ReplyMode::Stamped,
                        "verbatim" => ReplyMode::Verbatim,
                        _ => return Err(bad("reply", &value, "reply is stamped or verbatim")),
                    };
                }
                "compress" => {
                    behaviour.no_compression = match &*value {
                        "off" => true,
                        _ => return Err(bad("compress", &value, "compress is off, or left out")),
                    };
                }
                key => unknown(key),
            }
        }
        Ok(behaviour)
    }
}

fn bad(key: &'static str, value: &str, allowed: &'static str) -> BadValue {
    // What is echoed to the peer need not be as long as what it sent.
    BadValue {
        key,
        value: value.chars().take(64).collect(),
        allowed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> Result<Behaviour, BadValue> {
        Behaviour::from_query(query, |_| {})
    }

    #[test]
    fn known_keys_are_read_and_unknown_ones_left_alone() {
        let mut unknown = Vec::new();
        let behaviour = Behaviour::from_query("room=7&reply=%76erbatim&Reply=x", |key| {
            unknown.push(key.to_owned())
        });
        assert_eq!(behaviour.unwrap().reply, ReplyMode::Verbatim);
        assert_eq!(unknown, ["room", "Reply"]);
        assert_eq!(parse(""), Ok(Behaviour::default()));
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        let error = parse("reply=loud").unwrap_err();
        assert_eq!(error.to_string(), "the query says reply=loud");
        assert_eq!(error.allowed, "reply is stamped or verbatim");
        assert!(parse("compress=on").is_err());
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "\\PC{0,80}") {
            let _ = parse(&query);
        }
    }
}
