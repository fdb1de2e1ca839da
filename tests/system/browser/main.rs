//! The page in a real browser, used as a person would: headless Chromium or Firefox, driven over WebDriver, before the real
//! binary.
//!
//! Ignored by default. Each test starts a driver and a server of its own, on ports that the system chooses. The browser is
//! Chromium, or Firefox if `BROWSER` is `firefox`. The page is the binary's or that of static/: see `support::Server`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a test that cannot go on panics, with the place"
)]

mod check;
mod classic;
mod connection;
mod exchange;
mod log;
mod proxy;
mod screens;
mod support;
