//! `ws-echo check`: its report, its exit codes, and what it says of ws-echo alone, of proxies that change something, and of ends
//! that misbehave. tests/system/proxies has real proxies.

mod bad_input;
mod flow;
mod frames;
mod middle;
mod report;
#[cfg(target_os = "linux")]
mod terminal;
mod tls;
mod words;
