//! The keys of the group "Observation": the watchers of the connection.

use super::{super::WatchKey, Form, Group, Key};

pub(super) const KEYS: &[Key] = &[Key {
    name: "watch",
    group: Group::Observation,
    forms: &[Form::Text {
        expected: "a key of 16 to 64 letters, digits, _ and -",
        pattern: r"[0-9A-Za-z_\-]{16,64}",
        secret: true,
        set: |behaviour, value| WatchKey::new(value).map(|key| behaviour.watch = Some(key)),
    }],
    example: "rKkW6PmUqfPS0zDx",
    ..Key::PLAIN
}];
