//! On a terminal, the report has colours, and a long wait shows a clock.

use std::{fs::File, io::Read as _, process::Stdio, thread};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::support::{
    in_time,
    process::{Process, ws_echo},
};

/// Runs `ws-echo check` on a terminal, and returns what that received.
async fn on_a_terminal(args: &[&str]) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let end = || Stdio::from(ioctl_tiocgptpeer(&terminal, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
    let mut command = ws_echo();
    // Neither is set in a shell that has a terminal.
    command
        .env_remove("NO_COLOR")
        .env_remove("CI")
        .env("TERM", "xterm");
    let mut child = command
        .arg("check")
        .args(args)
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    drop(command);
    let reader = thread::spawn(move || {
        let (mut terminal, mut text) = (File::from(terminal), Vec::new());
        // The end of the last process on a terminal is an error to its reader.
        let _ = terminal.read_to_end(&mut text);
        String::from_utf8(text).unwrap()
    });
    in_time("the end of the check", child.wait()).await.unwrap();
    reader.join().unwrap()
}

#[actix_rt::test]
async fn a_terminal_gets_colours_and_a_clock_that_goes_away() {
    let server = Process::start(&[]).await;
    let url = format!("ws://{}/", server.addr());
    let text = on_a_terminal(&["--only=idle", "--idle=1200ms", &url]).await;
    assert!(text.contains("\r0:00 of 0:01"), "{text:?}");
    let report = "\u{1b}[32mok      \u{1b}[0m idle ";
    let (before, _) = text.split_once(report).unwrap_or_else(|| panic!("{text:?}"));
    let last = before.rsplit('\r').find(|part| !part.is_empty()).unwrap();
    assert_eq!(last.trim(), "", "{text:?}");
}
