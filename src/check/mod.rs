//! `ws-echo check`: what stands between this client and a server.
//!
//! A check ([`checks`]) asks one question, such as whether a proxy passes the subprotocol on. It is one file with a name, the texts
//! for its findings (words/NAME.json), and a function from a [`target::Target`] to an [`outcome::Outcome`]. [`run`] runs the checks
//! in order and makes a [`report::Report`], which [`format`] writes. Only the checks, [`target`] and [`command`] do IO.

pub mod checks;
mod command;
mod definition;
pub mod far_end;
pub mod format;
pub mod outcome;
pub mod report;
pub mod run;
pub mod target;
pub mod words;

pub use command::{ExitStatus, command};
