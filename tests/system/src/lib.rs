//! Where the tests find the project and the server, and ports for other programs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails panics at the place of the failure"
)]

pub mod port;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// Returns the root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// Returns the server under test: the value of `WS_ECHO_BIN`, or the binary that cargo builds for tests.
pub fn ws_echo() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| find_or_build("dev"))
}

/// Returns the server under test: the value of `WS_ECHO_BIN`, or the binary that cargo builds with optimisation.
pub fn optimised_ws_echo() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| find_or_build("release"))
}

/// Returns the value of `WS_ECHO_BIN`, or builds the binary, so that no test runs an old one.
fn find_or_build(profile: &str) -> PathBuf {
    if let Some(binary) = env::var_os("WS_ECHO_BIN") {
        let binary = root().join(binary);
        assert!(binary.is_file(), "WS_ECHO_BIN: no file {}", binary.display());
        return binary;
    }
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package=ws-echo", "--bin=ws-echo"])
        .args(["--profile", profile, "--message-format=json-render-diagnostics"])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo did not build ws-echo");
    // Each line is a message of cargo. That of the binary has its path.
    let path = output.stdout.split(|byte| *byte == b'\n').find_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    path.expect("cargo names the binary")
}

/// Returns the value of a field of the package ws-echo, such as its version.
#[must_use]
pub fn package_field(name: &str) -> String {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let start = format!("{name} = \"");
    let value = manifest
        .lines()
        .find_map(|line| line.strip_prefix(&start)?.strip_suffix('"'));
    value
        .unwrap_or_else(|| panic!("no {name} in Cargo.toml"))
        .to_owned()
}
