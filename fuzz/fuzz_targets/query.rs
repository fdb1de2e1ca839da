//! The parser of the query: its result, its limits and its error texts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_echo::session::behaviour::{
    Behaviour, CloseReply, Hello, InvalidParam, Trigger,
    keys::{key, keys},
};

const MAX_MESSAGE_SIZE: usize = 16 * 1024 * 1024;

/// Longest text of an error and of a hint, in characters. A text repeats at most 64 characters of the query.
const LONGEST: usize = 450;

fuzz_target!(|input: &[u8]| {
    let query = String::from_utf8_lossy(input);
    let mut unknown = Vec::new();
    let result = Behaviour::from_query(&query, MAX_MESSAGE_SIZE, |name| unknown.push(name.to_owned()));
    if let Err(error) = &result {
        check_error(error);
    }

    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let encode = |pairs: &mut dyn Iterator<Item = &(_, _)>| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    };
    // The result depends on the decoded pairs, not on how they were encoded, and unknown keys change nothing.
    assert_eq!(parse(&encode(&mut pairs.iter())), result);
    let is_known = |name: &str| key(name).is_some();
    assert_eq!(
        parse(&encode(&mut pairs.iter().filter(|(name, _)| is_known(name)))),
        result
    );
    assert!(unknown.iter().all(|name| !is_known(name)));

    // The order of the pairs changes neither a behaviour nor that there is one, except for the order of the fields.
    let (fields, others): (Vec<_>, Vec<_>) = pairs.iter().partition(|(name, _)| name == "set-header");
    let reversed = parse(&encode(&mut others.into_iter().rev().chain(fields)));
    assert_eq!(reversed.is_ok(), result.is_ok());
    if let Ok(behaviour) = result {
        assert_eq!(reversed, Ok(behaviour.clone()));
        check_ranges(&behaviour);
    }
});

fn parse(query: &str) -> Result<Behaviour, InvalidParam> {
    Behaviour::from_query(query, MAX_MESSAGE_SIZE, |_| {})
}

/// Checks that both texts are short, and that the hint repeats nothing of the query. The error may repeat any character of
/// a value: the JSON of the response and the log escape it.
fn check_error(error: &InvalidParam) {
    assert_eq!(error.to_string(), error.error);
    assert!(error.error.chars().count() <= LONGEST);
    assert!(error.hint.chars().count() <= LONGEST);
    assert!(error.hint.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    for key in keys().filter(|key| key.is_secret()) {
        // The end of the error is that of no other key, whatever value the error repeats.
        let end = format!(" for {}: expected {}", key.name, key.expected(MAX_MESSAGE_SIZE));
        if error.error.ends_with(&end) {
            assert_eq!(error.error, format!("invalid value{end}"));
        }
    }
}

/// Checks the limits of `keys.rs`: no query makes the server store more, or for longer.
fn check_ranges(behaviour: &Behaviour) {
    let impairment = &behaviour.impairment;
    let close_reply = match behaviour.close_reply {
        CloseReply::Late(delay) => Some(delay),
        _ => None,
    };
    let waits = [
        close_reply,
        Some(impairment.delay),
        Some(impairment.jitter),
        behaviour.handshake_delay,
    ];
    assert!(
        waits
            .into_iter()
            .flatten()
            .all(|wait| wait.as_secs_f64() <= 300.0)
    );
    assert!(
        behaviour
            .tick
            .is_none_or(|tick| (0.01..=3600.0).contains(&tick.as_secs_f64()))
    );
    let ping = behaviour.ping.and_then(|ping| ping.duration());
    assert!(ping.is_none_or(|ping| (1.0..=3600.0).contains(&ping.as_secs_f64())));
    assert!(
        behaviour
            .push
            .is_none_or(|size| (1..=MAX_MESSAGE_SIZE).contains(&size))
    );
    let texts = [
        match &behaviour.hello {
            Some(Hello::Text(text)) => Some(text),
            _ => None,
        },
        match &behaviour.trigger {
            Trigger::Text(text) => Some(text),
            _ => None,
        },
    ];
    assert!(texts.into_iter().flatten().all(|text| text.len() <= 4096));
    assert!((0.0..=1.0).contains(&impairment.drop));
    assert!((0.0..=1.0).contains(&impairment.duplicate));
    assert!(
        behaviour
            .max_message_size
            .is_none_or(|size| (1..=MAX_MESSAGE_SIZE).contains(&size))
    );
    let fields: Vec<_> = behaviour.set_header.iter().collect();
    assert!(fields.len() <= 16);
    assert!(
        fields
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
            <= 4096
    );
    assert!(
        fields
            .iter()
            .all(|(_, value)| value.bytes().all(|byte| matches!(byte, b' '..=b'~')))
    );
    assert!(
        behaviour
            .handshake_status
            .is_none_or(|status| (300..=599).contains(&status))
    );
}
