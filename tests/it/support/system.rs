//! The control of the server's process, which differs between operating systems.

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

#[cfg(unix)]
mod unix {
    use std::{
        ffi::OsString,
        net::TcpListener,
        os::{fd::OwnedFd, unix::ffi::OsStringExt as _},
        process::Stdio,
        sync::Mutex,
    };

    pub(crate) use rustix::process::Signal;
    use rustix::process::{Pid, kill_process};
    use tokio::process::{Child, ChildStdin, Command};

    pub(crate) fn prepare(_: &mut Command) {}

    pub(crate) fn send(child: &Child, _: &Mutex<Option<ChildStdin>>, signal: Signal) {
        kill_process(Pid::from_raw(child.id().unwrap() as i32).unwrap(), signal).unwrap();
    }

    /// Returns the socket as the standard input of a child.
    pub(crate) fn stdin_of(listener: &TcpListener) -> Stdio {
        OwnedFd::from(listener.try_clone().unwrap()).into()
    }

    /// Returns a value that is not Unicode.
    pub(crate) fn not_unicode() -> OsString {
        OsString::from_vec(b"\xFF".to_vec())
    }
}

/// A program without a console cannot send Ctrl-C to another one on Windows. The end of standard input has the same effect.
#[cfg(windows)]
mod windows {
    use std::{
        ffi::OsString, net::TcpListener, os::windows::ffi::OsStringExt as _, process::Stdio, sync::Mutex,
    };

    use tokio::process::{Child, ChildStdin, Command};

    #[expect(clippy::upper_case_acronyms, reason = "the names of rustix")]
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Signal {
        TERM,
        INT,
        HUP,
    }

    pub(crate) fn prepare(command: &mut Command) {
        command
            .env("WS_ECHO_SHUTDOWN_ON_STDIN_END", "true")
            .stdin(Stdio::piped());
    }

    pub(crate) fn send(_: &Child, stdin: &Mutex<Option<ChildStdin>>, signal: Signal) {
        assert_ne!(signal, Signal::HUP, "a test with SIGHUP is ignored on Windows");
        drop(stdin.lock().unwrap().take());
    }

    pub(crate) fn stdin_of(_: &TcpListener) -> Stdio {
        panic!("a test with an inherited socket is ignored on Windows")
    }

    /// Returns a value that is not Unicode.
    pub(crate) fn not_unicode() -> OsString {
        OsString::from_wide(&[0xD800])
    }
}
