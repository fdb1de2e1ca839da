//! The checks: a file for each.

mod addresses;
mod backpressure;
mod close;
mod compression;
mod concurrency;
mod faults;
mod frames;
mod handshake;
mod headers;
mod idle;
mod latency;
mod messages;
mod ping;
mod polling;
mod reset;
mod size;
mod subprotocol;
mod tls;

use clap::ValueEnum as _;

use super::definition::Definition;
use crate::config::CheckName;

/// The checks in the order in which they run. It is that of [`CheckName`], so that each later one can rely on the earlier ones.
pub fn all() -> &'static [CheckName] {
    CheckName::value_variants()
}

/// Returns the check of this name.
pub fn definition(name: CheckName) -> Definition {
    match name {
        CheckName::Addresses => addresses::CHECK,
        CheckName::Tls => tls::CHECK,
        CheckName::Handshake => handshake::CHECK,
        CheckName::Headers => headers::CHECK,
        CheckName::Subprotocol => subprotocol::CHECK,
        CheckName::Compression => compression::CHECK,
        CheckName::Messages => messages::CHECK,
        CheckName::Size => size::CHECK,
        CheckName::Frames => frames::CHECK,
        CheckName::Ping => ping::CHECK,
        CheckName::Close => close::CHECK,
        CheckName::Reset => reset::CHECK,
        CheckName::Latency => latency::CHECK,
        CheckName::Backpressure => backpressure::CHECK,
        CheckName::Concurrency => concurrency::CHECK,
        CheckName::Idle => idle::CHECK,
        CheckName::Faults => faults::CHECK,
        CheckName::Polling => polling::CHECK,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::check::words::Words;

    #[test]
    fn the_words_of_each_check_are_valid_and_name_each_finding_once() {
        for name in all() {
            let words: Words = serde_json::from_str(definition(*name).words).unwrap();
            let path = format!("src/check/checks/{}.rs", name.as_str());
            let code = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
            for (finding, texts) in &words.findings {
                assert!(
                    code.contains(&format!("\"{finding}\"")),
                    "{}: {finding} is not used",
                    name.as_str()
                );
                assert!(!texts.meaning.zh.is_empty(), "{finding}");
            }
            // The first argument of these three is a finding.
            for call in [".broken(", ".differs(", "is_ws_echo(), ", "is_other, "] {
                for (_, argument) in code
                    .match_indices(call)
                    .map(|(at, _)| code.split_at(at + call.len()))
                {
                    let Some(argument) = argument.trim_start().strip_prefix('"') else {
                        continue;
                    };
                    let finding = argument.split('"').next().unwrap();
                    assert!(
                        words.findings.contains_key(finding),
                        "{}: no words for {finding}",
                        name.as_str()
                    );
                }
            }
        }
    }
}
