//! The query string to what this connection was asked to do. Pure: text in, a checked [`Behaviour`] out.
//!
//! Every number has a bound of its own here, so that no URL makes the server hold more, or for longer, than the
//! operator's flags allow.

use std::{num::NonZeroU32, num::NonZeroUsize, time::Duration};

use thiserror::Error;

use super::reply::ReplyMode;
use crate::wire::Fault;

/// Longest `delay`, `jitter`, `after` and `handshake-delay`.
const MAX_WAIT: Duration = Duration::from_secs(5 * 60);
/// Shortest and longest `tick`.
const TICKS: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60 * 60);
/// Highest count that `after` takes.
const MAX_COUNT: u64 = 1_000_000_000;
/// Longest Close reason in bytes (RFC 6455 section 5.5).
const MAX_REASON: usize = 123;

/// What the URL asked of this connection; the default is a plain echo with time stamps.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// `reply`: how messages are answered.
    pub reply: ReplyMode,
    /// `delay`, `jitter`, `drop`, `duplicate`, `seed`: how replies are lost, duplicated and delayed.
    pub impairment: Impairment,
    /// `tick`: how often the server says the time unasked.
    pub tick: Option<Duration>,
    /// `close`, `abort` or `wire`: what happens to the connection once.
    pub action: Option<Action>,
    /// `after`: when the action happens. Without an action it has no effect.
    pub trigger: Trigger,
    /// `fragment`: most payload bytes of a data frame.
    pub fragment: Option<NonZeroUsize>,
    /// `rate`: bytes a second towards the peer.
    pub rate: Option<NonZeroU32>,
    /// `pong`: whether the server answers a Ping.
    pub pong: bool,
    /// `close-reply`: whether the server answers the client's Close.
    pub close_reply: bool,
    /// `compress`: whether the server may accept an offer of permessage-deflate.
    pub compress: bool,
    /// `max-message-size`: a lower limit in bytes.
    pub max_message_size: Option<usize>,
    /// `subprotocol`: what the handshake answers, whatever was offered.
    pub subprotocol: Option<Subprotocol>,
    /// `handshake-delay`: how late the 101, or the refusal, comes.
    pub handshake_delay: Option<Duration>,
    /// `handshake-status`: a refusal with this status, 300 to 599.
    pub handshake_status: Option<u16>,
    /// `watch`: who knows this key may see the connection's frames.
    pub watch: Option<WatchKey>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            reply: ReplyMode::default(),
            impairment: Impairment::default(),
            tick: None,
            action: None,
            trigger: Trigger::default(),
            fragment: None,
            rate: None,
            pong: true,
            close_reply: true,
            compress: true,
            max_message_size: None,
            subprotocol: None,
            handshake_delay: None,
            handshake_status: None,
            watch: None,
        }
    }
}

/// How replies are lost, duplicated and delayed. `PartialEq` compares the probabilities as they were set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Impairment {
    /// `delay`: shortest delay of a reply.
    pub delay: Duration,
    /// `jitter`: longest random addition to `delay`.
    pub jitter: Duration,
    /// `drop`: probability, 0 to 1, that a reply is not sent.
    pub drop: f64,
    /// `duplicate`: probability, 0 to 1, that a reply is sent twice.
    pub duplicate: f64,
    /// `seed`: seed of the random numbers; `None` seeds each connection differently.
    pub seed: Option<u64>,
}

/// Something that the server does to the connection once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `close`: the server sends this Close frame.
    Close(CloseFrame),
    /// `abort`: a TCP reset without a Close frame.
    Abort,
    /// `wire`: the server sends this invalid frame.
    Wire(Fault),
}

/// The payload of a Close frame (RFC 6455 section 5.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    /// The close code.
    pub code: u16,
    /// The close reason, at most 123 bytes; empty if there is none.
    pub reason: String,
}

/// When the action happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// Right after the opening handshake.
    #[default]
    Handshake,
    /// After the reply to this many messages.
    Messages(u64),
    /// This long after the opening handshake.
    Time(Duration),
}

/// A subprotocol answered against the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subprotocol {
    /// None, although some were offered.
    None,
    /// This one, offered or not.
    Named(String),
}

/// The secret that shows a connection's frames to whoever knows it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WatchKey(String);

impl WatchKey {
    /// 16 to 64 letters, digits, `_` and `-`.
    pub fn new(key: &str) -> Option<Self> {
        let fits = (16..=64).contains(&key.len())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        fits.then(|| Self(key.to_owned()))
    }
}

impl std::fmt::Debug for WatchKey {
    /// Never the whole key: a log is read by more people than a connection.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}…", &self.0[..4])
    }
}

/// A known key with a value that it does not have, or that does not go with another key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the query says {said}")]
pub struct BadValue {
    said: String,
    /// What may stand there.
    pub allowed: String,
}

impl Behaviour {
    /// Reads a query string, percent-encoded as it stands in the URL. `max_message_size` is the operator's limit, which
    /// can only be lowered.
    ///
    /// Keys that mean nothing here are left alone, and named to `unknown`: users' own URLs keep working.
    ///
    /// # Errors
    /// On a known key with a value that it does not have, one that comes twice, or two that cannot go together.
    pub fn from_query(
        query: &str,
        max_message_size: usize,
        mut unknown: impl FnMut(&str),
    ) -> Result<Self, BadValue> {
        let mut behaviour = Self::default();
        let mut seen: Vec<&'static str> = Vec::new();
        let mut actions: Vec<(&'static str, Action)> = Vec::new();
        let mut trigger = None;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(&known) = KEYS.iter().find(|known| **known == key) else {
                unknown(&key);
                continue;
            };
            let given = Given {
                key: known,
                value: &value,
            };
            if seen.contains(&known) {
                return Err(given.bad("each key once"));
            }
            seen.push(known);
            match known {
                "reply" => {
                    behaviour.reply = match &*value {
                        "stamped" => ReplyMode::Stamped,
                        "verbatim" => ReplyMode::Verbatim,
                        "json" => ReplyMode::Json,
                        "none" => ReplyMode::None,
                        _ => return Err(given.bad("reply is stamped, verbatim, json or none")),
                    };
                }
                "delay" => behaviour.impairment.delay = given.wait()?,
                "jitter" => behaviour.impairment.jitter = given.wait()?,
                "drop" => behaviour.impairment.drop = given.probability()?,
                "duplicate" => behaviour.impairment.duplicate = given.probability()?,
                "seed" => {
                    let seed = value
                        .parse()
                        .map_err(|_| given.bad("seed is a whole number of at most 64 bits"))?;
                    behaviour.impairment.seed = Some(seed);
                }
                "tick" => {
                    let tick = given.duration().filter(|tick| TICKS.contains(tick));
                    behaviour.tick =
                        Some(tick.ok_or_else(|| given.bad("tick is a duration from 10ms to 1h"))?);
                }
                "close" => actions.push((known, Action::Close(given.close()?))),
                "abort" if value.is_empty() => actions.push((known, Action::Abort)),
                "abort" => return Err(given.bad("abort has no value")),
                "wire" => {
                    let fault = value.parse().map_err(|()| given.bad(Fault::ALLOWED))?;
                    actions.push((known, Action::Wire(fault)));
                }
                "after" => trigger = Some(given.trigger()?),
                "fragment" => {
                    let most = value
                        .parse()
                        .ok()
                        .filter(|most: &NonZeroUsize| most.get() <= 1 << 24);
                    behaviour.fragment = Some(
                        most.ok_or_else(|| given.bad("fragment is a number of bytes from 1 to 16777216"))?,
                    );
                }
                "rate" => {
                    let rate = value
                        .parse()
                        .ok()
                        .filter(|rate: &NonZeroU32| rate.get() <= 1_000_000_000);
                    behaviour.rate =
                        Some(rate.ok_or_else(|| given.bad("rate is bytes a second, from 1 to 1000000000"))?);
                }
                "pong" => behaviour.pong = given.switch()?,
                "close-reply" => behaviour.close_reply = given.switch()?,
                "compress" => behaviour.compress = given.switch()?,
                "max-message-size" => behaviour.max_message_size = Some(given.size(max_message_size)?),
                "subprotocol" => behaviour.subprotocol = Some(given.subprotocol()?),
                "handshake-delay" => behaviour.handshake_delay = Some(given.wait()?),
                "handshake-status" => {
                    let status = value.parse().ok().filter(|status| (300..=599).contains(status));
                    behaviour.handshake_status = Some(
                        status.ok_or_else(|| given.bad("handshake-status is a number from 300 to 599"))?,
                    );
                }
                "watch" => {
                    // The value is not repeated: it may be a key with a slip of the hand.
                    let key = WatchKey::new(&value).ok_or_else(|| BadValue {
                        said: "watch=…".to_owned(),
                        allowed: "watch is a key of 16 to 64 letters, digits, _ and -".to_owned(),
                    })?;
                    behaviour.watch = Some(key);
                }
                _ => unknown(&key),
            }
        }
        behaviour.action = combine(actions, trigger)?;
        behaviour.trigger = trigger.unwrap_or_default();
        Ok(behaviour)
    }
}

/// Every key that means something.
const KEYS: [&str; 21] = [
    "reply",
    "delay",
    "jitter",
    "drop",
    "duplicate",
    "seed",
    "tick",
    "close",
    "abort",
    "wire",
    "after",
    "fragment",
    "rate",
    "pong",
    "close-reply",
    "compress",
    "max-message-size",
    "subprotocol",
    "handshake-delay",
    "handshake-status",
    "watch",
];

/// Returns the only action, or refuses two of them and a trigger without one.
fn combine(
    actions: Vec<(&'static str, Action)>,
    trigger: Option<Trigger>,
) -> Result<Option<Action>, BadValue> {
    let mut actions = actions.into_iter();
    match (actions.next(), actions.next(), trigger) {
        (Some((first, _)), Some((second, _)), _) => Err(BadValue {
            said: format!("{first} and {second}"),
            allowed: "one of close, abort and wire: a connection ends once".to_owned(),
        }),
        (None, _, Some(_)) => Err(BadValue {
            said: "after, but not what then".to_owned(),
            allowed: "after goes with one of close, abort and wire".to_owned(),
        }),
        (action, None, _) => Ok(action.map(|(_, action)| action)),
        (None, Some(_), None) => Ok(None),
    }
}

/// A known key and what was given for it.
struct Given<'v> {
    key: &'static str,
    value: &'v str,
}

impl Given<'_> {
    fn bad(&self, allowed: &str) -> BadValue {
        // What is repeated to the peer need not be as long as what it sent.
        let value: String = self.value.chars().take(64).collect();
        BadValue {
            said: format!("{}={value}", self.key),
            allowed: allowed.to_owned(),
        }
    }

    fn switch(&self) -> Result<bool, BadValue> {
        match self.value {
            "off" => Ok(false),
            _ => Err(self.bad(&format!("{} is off, or left out", self.key))),
        }
    }

    fn duration(&self) -> Option<Duration> {
        match self.value {
            "0" => Some(Duration::ZERO),
            value => humantime::parse_duration(value).ok(),
        }
    }

    fn wait(&self) -> Result<Duration, BadValue> {
        self.duration().filter(|wait| *wait <= MAX_WAIT).ok_or_else(|| {
            self.bad(&format!(
                "{} is a duration such as 250ms or 2s, 5m at most",
                self.key
            ))
        })
    }

    fn probability(&self) -> Result<f64, BadValue> {
        self.value
            .parse()
            .ok()
            .filter(|probability| (0.0..=1.0).contains(probability))
            .ok_or_else(|| self.bad(&format!("{} is a probability from 0 to 1, such as 0.1", self.key)))
    }

    fn close(&self) -> Result<CloseFrame, BadValue> {
        let (code, reason) = match self.value.split_once(':') {
            Some((code, reason)) => (code, reason),
            None => (self.value, ""),
        };
        // The codes that may stand in a Close frame; wire=close-code sends one that must not.
        let code = code
            .parse()
            .ok()
            .filter(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999))
            .ok_or_else(|| {
                self.bad("close is CODE or CODE:REASON, the code 1000 to 1003, 1007 to 1014 or 3000 to 4999")
            })?;
        if reason.len() > MAX_REASON {
            return Err(self.bad("a close reason is at most 123 bytes of UTF-8"));
        }
        Ok(CloseFrame {
            code,
            reason: reason.to_owned(),
        })
    }

    fn trigger(&self) -> Result<Trigger, BadValue> {
        let trigger = match self.value.parse() {
            Ok(count) => (1..=MAX_COUNT)
                .contains(&count)
                .then_some(Trigger::Messages(count)),
            Err(_) => self
                .duration()
                .filter(|wait| *wait <= MAX_WAIT)
                .map(Trigger::Time),
        };
        trigger.ok_or_else(|| {
            self.bad("after is a number of messages from 1 up, or a duration such as 5s, 5m at most")
        })
    }

    fn size(&self, limit: usize) -> Result<usize, BadValue> {
        self.value
            .parse::<bytesize::ByteSize>()
            .ok()
            .and_then(|size| usize::try_from(size.as_u64()).ok())
            .filter(|size| (1..=limit).contains(size))
            .ok_or_else(|| {
                self.bad(&format!(
                    "max-message-size is a size from 1 to this server's {limit} bytes"
                ))
            })
    }

    fn subprotocol(&self) -> Result<Subprotocol, BadValue> {
        match self.value {
            "none" => Ok(Subprotocol::None),
            name if (1..=64).contains(&name.len()) && name.bytes().all(super::handshake::is_token) => {
                Ok(Subprotocol::Named(name.to_owned()))
            }
            _ => {
                Err(self.bad("subprotocol is none, or a name of 1 to 64 letters, digits and !#$%&'*+-.^_`|~"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(query: &str) -> Result<Behaviour, BadValue> {
        Behaviour::from_query(query, 1 << 24, |_| {})
    }

    #[test]
    fn known_keys_are_read_and_unknown_ones_left_alone() {
        let mut unknown = Vec::new();
        let behaviour = Behaviour::from_query("room=7&reply=%76erbatim&Reply=x", 100, |key| {
            unknown.push(key.to_owned());
        });
        assert_eq!(behaviour.unwrap().reply, ReplyMode::Verbatim);
        assert_eq!(unknown, ["room", "Reply"]);
        assert_eq!(parse(""), Ok(Behaviour::default()));
    }

    #[test]
    fn every_key_is_read() {
        let behaviour = parse(
            "reply=json&delay=250ms&jitter=1s&drop=0.25&duplicate=1&seed=7&tick=2s&close=4000:so%20long&after=3\
             &fragment=10&rate=100&pong=off&close-reply=off&compress=off&max-message-size=1KiB&subprotocol=none\
             &handshake-delay=5s&handshake-status=418&watch=0123456789abcdef",
        )
        .unwrap();
        let close = CloseFrame {
            code: 4000,
            reason: "so long".to_owned(),
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
            tick: Some(Duration::from_secs(2)),
            action: Some(Action::Close(close)),
            trigger: Trigger::Messages(3),
            fragment: NonZeroUsize::new(10),
            rate: NonZeroU32::new(100),
            pong: false,
            close_reply: false,
            compress: false,
            max_message_size: Some(1024),
            subprotocol: Some(Subprotocol::None),
            handshake_delay: Some(Duration::from_secs(5)),
            handshake_status: Some(418),
            watch: WatchKey::new("0123456789abcdef"),
        };
        assert_eq!(behaviour, expected);
        for wire in [
            "rsv",
            "opcode",
            "masked",
            "length",
            "utf8",
            "continuation",
            "close-code",
            "close-length",
        ] {
            let behaviour = parse(&format!("wire={wire}&after=5s")).unwrap();
            assert!(matches!(behaviour.action, Some(Action::Wire(_))), "{wire}");
            assert_eq!(behaviour.trigger, Trigger::Time(Duration::from_secs(5)));
        }
        let abort = parse("abort").unwrap();
        assert_eq!(
            (abort.action, abort.trigger),
            (Some(Action::Abort), Trigger::Handshake)
        );
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        for (query, said, allowed) in [
            ("reply=loud", "reply=loud", "stamped, verbatim, json or none"),
            ("delay=6m", "delay=6m", "5m at most"),
            ("jitter=5", "jitter=5", "a duration such as 250ms"),
            ("drop=1.5", "drop=1.5", "from 0 to 1"),
            ("duplicate=NaN", "duplicate=NaN", "from 0 to 1"),
            ("seed=-1", "seed=-1", "a whole number"),
            ("tick=1ms", "tick=1ms", "from 10ms to 1h"),
            ("close=1005", "close=1005", "1000 to 1003"),
            ("close=99999", "close=99999", "CODE or CODE:REASON"),
            ("abort=1", "abort=1", "no value"),
            ("wire=loud", "wire=loud", "rsv, opcode"),
            ("close=1000&after=0", "after=0", "from 1 up"),
            ("fragment=0", "fragment=0", "from 1"),
            ("rate=0", "rate=0", "from 1"),
            ("pong=on", "pong=on", "pong is off"),
            ("compress=on", "compress=on", "compress is off"),
            (
                "max-message-size=17MiB",
                "max-message-size=17MiB",
                "this server's 16777216",
            ),
            ("subprotocol=a,b", "subprotocol=a,b", "none, or a name"),
            ("handshake-delay=1h", "handshake-delay=1h", "5m at most"),
            ("handshake-status=200", "handshake-status=200", "300 to 599"),
            ("watch=short", "watch=…", "16 to 64"),
            ("delay=1s&delay=2s", "delay=2s", "each key once"),
            ("close=1000&abort", "close and abort", "a connection ends once"),
            ("after=3", "after, but not what then", "goes with one of"),
        ] {
            let error = parse(query).unwrap_err();
            assert_eq!(error.to_string(), format!("the query says {said}"), "{query}");
            assert!(error.allowed.contains(allowed), "{query}: {}", error.allowed);
        }
        let long = format!("close=1000:{}", "é".repeat(62));
        assert!(parse(&long).unwrap_err().allowed.contains("123 bytes"));
    }

    #[test]
    fn a_watch_key_shows_only_its_start() {
        assert_eq!(
            format!("{:?}", WatchKey::new("secret-secret-secret").unwrap()),
            "secr…"
        );
    }

    proptest! {
        #[test]
        fn no_query_panics(query in "\\PC{0,80}") {
            let _ = parse(&query);
        }

        #[test]
        fn no_value_of_a_known_key_panics(key in proptest::sample::select(&KEYS[..]), value in "\\PC{0,30}") {
            let _ = parse(&format!("{key}={value}"));
        }
    }
}
