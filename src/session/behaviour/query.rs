//! The parser of a query string.

use super::{
    Behaviour, InvalidParam,
    key::alternatives,
    keys::{Form, Key, key},
    param::Param,
};

impl Behaviour {
    /// Parses a query string, which is still percent-encoded.
    ///
    /// `max_message_size` is the operator's limit, which a URL can only lower. The parser ignores unknown
    /// keys, because clients have keys of their own. It passes each of them to `unknown`.
    ///
    /// # Errors
    /// If a known key has a value that is not allowed, is set twice, excludes another key, or lacks
    /// a key that it needs.
    pub fn from_query(
        query: &str,
        max_message_size: usize,
        mut unknown: impl FnMut(&str),
    ) -> Result<Self, InvalidParam> {
        let mut behaviour = Self::default();
        let mut set: Vec<&Key> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(key) = key(&name) else {
                unknown(&name);
                continue;
            };
            let count = set.iter().filter(|earlier| earlier.name == key.name).count();
            if count == key.max_count {
                return Err(set_too_often(key));
            }
            set.push(key);
            let param = Param {
                value: &value,
                max_message_size,
            };
            key.set(&param, &mut behaviour)
                .ok_or_else(|| invalid_value(key, &param))?;
        }
        check_combination(&set)?;
        Ok(behaviour)
    }
}

/// Returns an error if a key excludes another one, or lacks one that it needs.
fn check_combination(set: &[&Key]) -> Result<(), InvalidParam> {
    for (position, key) in set.iter().enumerate() {
        let mut later = set[position + 1..].iter();
        if let Some(other) = later.find(|other| key.excludes.contains(&other.name)) {
            return Err(InvalidParam {
                error: format!("{} and {} exclude each other", key.name, other.name),
                hint: format!("remove {} or {}", key.name, other.name),
            });
        }
        let is_set = |name: &&str| set.iter().any(|key| key.name == *name);
        if !key.needs.is_empty() && !key.needs.iter().any(is_set) {
            let needs = alternatives(key.needs);
            return Err(InvalidParam {
                error: format!("{} is set without {needs}", key.name),
                hint: format!("add {needs}, or remove {}", key.name),
            });
        }
    }
    Ok(())
}

fn set_too_often(key: &Key) -> InvalidParam {
    match key.max_count {
        1 => InvalidParam {
            error: format!("{} is set twice", key.name),
            hint: format!("remove the second {}", key.name),
        },
        max => InvalidParam {
            error: format!("{} is set more than {max} times", key.name),
            hint: format!("remove all but {max} of {}", key.name),
        },
    }
}

fn invalid_value(key: &Key, param: &Param<'_>) -> InvalidParam {
    let Key { name, example, .. } = key;
    let expected = key.expected(param.max_message_size);
    if key.is_secret() {
        // The error does not repeat a secret, and the hint has none that many clients would use.
        return InvalidParam {
            error: format!("invalid value for {name}: expected {expected}"),
            hint: format!("set {name} to a value of that form, or remove {name}"),
        };
    }
    let hint = match key.forms {
        [Form::Flag(_)] => format!("remove the value of {name}"),
        [Form::Choice { values: [value], .. }] => format!("set {name} to {value}, or remove {name}"),
        _ => format!("set {name} to a value such as {example}, or remove {name}"),
    };
    InvalidParam::invalid_value(name, param.value, &expected, hint)
}

#[cfg(test)]
mod tests {
    use std::{
        num::{NonZeroU32, NonZeroUsize},
        time::Duration,
    };

    use proptest::prelude::*;

    use super::*;
    use crate::{
        config::Timer,
        protocol::CloseFrame,
        session::{
            behaviour::{
                Action, BrokenHandshake, CloseReply, Credentials, ExtraFields, Hello, Impairment,
                Subprotocol, Trigger, WatchKey, keys::keys,
            },
            reply::ReplyMode,
        },
    };

    fn parse(query: &str) -> Result<Behaviour, InvalidParam> {
        Behaviour::from_query(query, 16 * 1024 * 1024, |_| {})
    }

    fn fields(values: &[&str]) -> ExtraFields {
        let mut fields = ExtraFields::default();
        values.iter().for_each(|value| fields.push(value).unwrap());
        fields
    }

    #[test]
    fn known_keys_are_read_and_unknown_keys_ignored() {
        let mut unknown = Vec::new();
        let behaviour = Behaviour::from_query("room=7&reply=%76erbatim&Reply=x", 100, |key| {
            unknown.push(key.to_owned());
        });
        assert_eq!(behaviour.unwrap().reply, ReplyMode::Verbatim);
        assert_eq!(unknown, ["room", "Reply"]);
        assert_eq!(parse(""), Ok(Behaviour::default()));
    }

    #[test]
    fn each_key_sets_its_part_of_the_behaviour() {
        let behaviour = parse(
            "reply=json&hello=text:hi&push=1KiB&read-rate=9&ping=off&delay=250ms&jitter=1s&drop=0.25&duplicate=1&seed=7&tick=2s&close=4000:so%20long&after=3\
             &fragment=10&rate=100&pong=off&close-reply=off&compress=off&max-message-size=1KiB&subprotocol=none\
             &handshake-delay=5s&handshake=folded&handshake-status=418&auth=a:b&set-header=X:1&set-header=y:%202&watch=0123456789abcdef",
        )
        .unwrap();
        let close = CloseFrame {
            code: 4000,
            reason: "so long".into(),
        };
        let expected = Behaviour {
            reply: ReplyMode::Json,
            impairment: Impairment {
                delay: Duration::from_millis(250),
                jitter: Duration::from_secs(1),
                drop: 0.25,
                duplicate: 1.0,
                seed: Some(7),
            },
            hello: Some(Hello::Text("hi".to_owned())),
            push: Some(1024),
            tick: Some(Duration::from_secs(2)),
            action: Some(Action::Close(Some(close))),
            trigger: Trigger::Messages(3),
            fragment: NonZeroUsize::new(10),
            rate: NonZeroU32::new(100),
            read_rate: NonZeroU32::new(9),
            ping: Some(Timer::of(Duration::ZERO)),
            pong: false,
            close_reply: CloseReply::Off,
            compress: false,
            max_message_size: Some(1024),
            subprotocol: Some(Subprotocol::None),
            handshake_delay: Some(Duration::from_secs(5)),
            handshake: Some(BrokenHandshake::Folded),
            handshake_status: Some(418),
            auth: Credentials::new("a:b"),
            set_header: fields(&["X:1", "y:2"]),
            watch: WatchKey::new("0123456789abcdef"),
        };
        assert_eq!(behaviour, expected);
    }

    #[test]
    fn an_action_happens_right_after_the_handshake_unless_after_is_set() {
        let abort = parse("abort").unwrap();
        assert_eq!(abort.action, Some(Action::Abort));
        assert_eq!(abort.trigger, Trigger::Handshake);
        let wire = parse("after=5s&wire=utf8").unwrap();
        assert!(matches!(wire.action, Some(Action::Wire(_))));
        assert_eq!(wire.trigger, Trigger::Time(Duration::from_secs(5)));
    }

    #[test]
    fn each_value_has_its_limits() {
        for (key, allowed, refused) in [
            ("tick", &["10ms", "1h"][..], &["9ms", "1h 1ms", "0"][..]),
            ("delay", &["0", "0s", "5m", "4m 60s"], &["5m 1ms", "5", "", "-1s"]),
            ("jitter", &["0", "5m"], &["301s"]),
            ("handshake-delay", &["0", "5m"], &["301s"]),
            ("rate", &["1", "1000000000"], &["0", "1000000001", "1KiB"]),
            ("drop", &["0", "1", "1e-3"], &["1.001", "-0.1", "NaN", "10%"]),
            ("duplicate", &["0", "1"], &["1.001", "inf"]),
            (
                "seed",
                &["0", "18446744073709551615"],
                &["18446744073709551616", "-1", "x"],
            ),
            (
                "close",
                &[
                    "", "1000", "1003", "1007", "1014", "3000", "4999", "4000:", "1000:a:b",
                ],
                &[
                    "999", "1004", "1005", "1006", "1015", "2999", "5000", "65536", "x", ":",
                ],
            ),
            (
                "hello",
                &["json", "time", "text:", "text:hi"],
                &["", "text", "Json"],
            ),
            ("push", &["1", "16MiB"], &["0", "16777217", "x"]),
            ("read-rate", &["1", "1000000000"], &["0", "1000000001", "1KiB"]),
            ("ping", &["off", "1s", "1h"], &["0", "999ms", "1h 1ms", "on"]),
            ("fin", &[""], &["1"]),
            ("freeze", &[""], &["1"]),
            (
                "close-reply",
                &["off", "fin", "abort", "0", "5m"],
                &["on", "301s", ""],
            ),
            ("fragment", &["1", "16777216"], &["0", "16777217"]),
            ("max-message-size", &["1", "16MiB"], &["0", "16777217", "17MiB"]),
            ("handshake", &["wrong-accept", "glued"], &["", "Glued", "none"]),
            ("handshake-status", &["300", "599"], &["299", "600", "101"]),
            ("subprotocol", &["none", "a.b"], &["a,b", "", "a b"]),
            ("auth", &["user:password", "a:"], &["user", ":b", "a:%C3%A9", ""]),
            (
                "set-header",
                &["X-A:b", "Set-Cookie:a=b;%20Path=/"],
                &[
                    "Connection:close",
                    "X:a%0D%0Ab:c",
                    "X:%00",
                    "X:%C3%A9",
                    "X",
                    "Set-Cookie:a=b;Domain=x",
                ],
            ),
        ] {
            for value in allowed {
                assert!(parse(&format!("{key}={value}")).is_ok(), "{key}={value}");
            }
            for value in refused {
                assert!(parse(&format!("{key}={value}")).is_err(), "{key}={value}");
            }
        }
        for (after, allowed) in [
            ("1", true),
            ("1000000000", true),
            ("5m", true),
            ("0", false),
            ("1000000001", false),
            ("301s", false),
            ("text:", true),
            ("text:bye", true),
            ("bye", false),
        ] {
            assert_eq!(parse(&format!("abort&after={after}")).is_ok(), allowed, "{after}");
        }
        for (text, allowed) in [("é".repeat(2048), true), ("é".repeat(2049), false)] {
            assert_eq!(parse(&format!("abort&after=text:{text}")).is_ok(), allowed);
        }
        for (reason, allowed) in [("é".repeat(61), true), ("é".repeat(62), false)] {
            assert_eq!(
                parse(&format!("close=1000:{reason}")).is_ok(),
                allowed,
                "{reason}"
            );
        }
        for (name, allowed) in [("n".repeat(64), true), ("n".repeat(65), false)] {
            assert_eq!(parse(&format!("subprotocol={name}")).is_ok(), allowed, "{name}");
        }
    }

    #[test]
    fn an_error_has_what_was_found_and_what_is_expected() {
        for (query, error, hint) in [
            (
                "reply=loud",
                "invalid value \"loud\" for reply: expected stamped, verbatim, json or none",
                "set reply to a value such as json, or remove reply",
            ),
            (
                "delay=6m",
                "invalid value \"6m\" for delay: expected a duration from 0 to 5m",
                "set delay to a value such as 250ms, or remove delay",
            ),
            (
                "abort=1",
                "invalid value \"1\" for abort: expected no value",
                "remove the value of abort",
            ),
            (
                "pong=on",
                "invalid value \"on\" for pong: expected off",
                "set pong to off, or remove pong",
            ),
            (
                "max-message-size=17MiB",
                "invalid value \"17MiB\" for max-message-size: expected a size from 1 to 16777216 bytes",
                "set max-message-size to a value such as 64KiB, or remove max-message-size",
            ),
            (
                "watch=secret",
                "invalid value for watch: expected a key of 16 to 64 letters, digits, _ and -",
                "set watch to a value of that form, or remove watch",
            ),
            (
                "auth=secret",
                "invalid value for auth: expected USER:PASSWORD in printable ASCII, a user of 1 to 64 bytes and a \
                 password of at most 64",
                "set auth to a value of that form, or remove auth",
            ),
            (
                "delay=1s&delay=2s",
                "delay is set twice",
                "remove the second delay",
            ),
            (
                "abort&close=1000",
                "abort and close exclude each other",
                "remove abort or close",
            ),
            (
                "after=3",
                "after is set without close, abort, fin, freeze or wire",
                "add close, abort, fin, freeze or wire, or remove after",
            ),
        ] {
            let invalid = parse(query).unwrap_err();
            assert_eq!((invalid.error.as_str(), invalid.hint.as_str()), (error, hint));
        }
        let long = parse(&format!("drop={}", "é".repeat(65))).unwrap_err();
        assert_eq!(
            long.to_string(),
            format!(
                "invalid value \"{}…\" for drop: expected a probability from 0 to 1",
                "é".repeat(64)
            )
        );
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "\\PC{0,80}") {
            let _ = parse(&query);
        }

        #[test]
        fn no_value_of_a_known_key_panics(position in 0..keys().count(), value in "\\PC{0,30}") {
            let _ = parse(&format!("{}={value}", keys().nth(position).unwrap().name));
        }
    }
}
