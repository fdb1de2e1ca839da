//! `ws-echo check`: what stands between this client and a server.
//!
//! A check ([`checks`]) asks one question, such as whether a proxy passes the subprotocol on. It is one file with a name, the texts
//! for its findings (words/NAME.json), and a function from a [`target::Target`] to an [`outcome::Outcome`]. [`run`] runs the checks
//! in order and makes a [`report::Report`], which [`mod@format`] writes. Only the checks, [`target`] and [`command()`] do IO.
//!
//! To add a check: a variant of [`crate::config::CheckName`] in the order of the checks, checks/NAME.rs with its `CHECK`,
//! words/NAME.json with the findings that it names, and a line in checks/mod.rs. A finding without an entry in the words file fails
//! a test.

pub mod checks;
mod command;
mod definition;
pub mod far_end;
mod figures;
pub mod format;
pub mod outcome;
mod pace;
pub mod report;
pub mod run;
pub mod target;
pub mod words;

pub use command::{ExitStatus, command};
