//! The differences between operating systems. No other module of the library has a `cfg` of a system.
//!
//! `unix` and `windows` have the same items. An item for something that a system lacks does nothing there.

#[cfg(target_os = "linux")]
mod linux;
mod path;
mod process;
mod request;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::process_figures;
pub(crate) use path::quoted;
#[cfg(not(target_os = "linux"))]
pub(crate) use process::process_figures;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use request::Request;
pub use system::Signals;
pub(crate) use system::{
    PERMISSION_HINT, allow_rebind, inherited_sockets, is_family_unsupported, raise_open_file_limit,
};
