//! Where the tests find the project and the server. tests/system/ has the same functions for its own tests.

use std::path::Path;

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the server under test.
pub(crate) fn ws_echo() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_ws-echo"))
}
