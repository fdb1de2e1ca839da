//! The page in a real browser, used as a person would: headless Chromium, driven over WebDriver, before the real binary.
//!
//! Ignored by default. Each test starts a chromedriver and a server of its own, on ports that the system chooses.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a test that cannot go on panics, and says where"
)]

mod classic;
mod console;
mod everyone;
mod support;
