//! The list of query keys. The parser works from it, and `/behaviours.json` is made from it. tests/it/
//! compares `--help`, docs/behaviours.md and the page's form with it.

mod ending;
mod handshake;
mod loss;
mod observation;
mod reply;
mod timing;
mod wire;

pub use super::key::{Form, Group, Key, Quantity, duration};

/// The keys of each group, in the order of the groups.
const GROUPS: [&[Key]; 7] = [
    reply::KEYS,
    timing::KEYS,
    loss::KEYS,
    ending::KEYS,
    wire::KEYS,
    handshake::KEYS,
    observation::KEYS,
];

/// Returns every query key, in the order of the groups.
pub fn keys() -> impl Iterator<Item = &'static Key> + Clone {
    GROUPS.into_iter().flatten()
}

/// Returns the key with this name.
pub fn key(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}
