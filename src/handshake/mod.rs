//! A request to a session, in three steps: validate, negotiate, open.

mod checks;
mod client;
mod description;
mod open;
mod redirect;
mod refusal;

pub(crate) use checks::is_handshake_attempt;
pub(crate) use open::Handshake;
