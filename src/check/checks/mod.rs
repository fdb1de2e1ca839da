//! The checks: a file for each.

mod handshake;
mod headers;

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
        CheckName::Handshake => handshake::CHECK,
        CheckName::Headers => headers::CHECK,
    }
}
