//! The limit of open file descriptors.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::{
    in_time,
    process::{Process, ws_echo},
    raw::{self, FIN, Frame, Raw, TEXT, upgrade},
};

/// Starts a server with these limits of open file descriptors.
async fn limited(soft: u32, hard: u32) -> Process {
    let server = ws_echo();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("ulimit -Sn {soft}; ulimit -Hn {hard}; exec \"$0\" \"$@\""),
        ])
        .arg(server.as_std().get_program())
        .args(server.as_std().get_args())
        .args(["--listen=127.0.0.1:0", "--workers=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Process::spawn(command, 1).await
}

#[actix_rt::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn the_server_raises_the_soft_limit_to_the_hard_limit() {
    let server = limited(40, 333).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let files: Vec<_> = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(files, ["333", "333", "files"]);
    // The caps of the defaults, and 128 descriptors for everything else.
    let needed = 10_000 + 1024 + 128;
    for event in [
        "open file limit limit=333".to_owned(),
        format!("open file limit is below --max-connections limit=333 needed={needed}"),
    ] {
        assert!(
            server.skipped.iter().any(|line| line.ends_with(&event)),
            "{event}: {:#?}",
            server.skipped
        );
    }
}

#[actix_rt::test]
#[cfg_attr(windows, ignore = "needs sh and ulimit")]
async fn the_server_accepts_again_once_file_descriptors_are_free() {
    let start = std::time::Instant::now();
    let mut server = limited(64, 64).await;
    let mut peers = Vec::new();
    // The kernel completes all TCP handshakes. The server accepts the connections for which it has descriptors.
    for _ in 0..100 {
        let mut peer = Raw::connect(server.addr()).await;
        peer.send(upgrade("/?reply=verbatim", "").as_bytes()).await;
        peers.push(peer);
    }
    let line = server.logged("Error accepting connection").await;
    assert!(line.contains("Too many open files"), "{line}");
    assert_eq!(peers[0].head().await.status, 101);
    // The accepted connections are served, and each one that closes frees a descriptor for the next.
    for (number, mut peer) in peers.into_iter().enumerate() {
        if number > 0 {
            let head = in_time("a free descriptor", peer.head()).await;
            assert_eq!(head.status, 101, "peer {number}");
        }
        peer.send(&raw::text("in")).await;
        assert_eq!(peer.frame().await, Frame::new(FIN | TEXT, "in"), "peer {number}");
    }
    server.signal(crate::support::process::Signal::TERM);
    let (status, log) = server.exit().await;
    assert_eq!(status.code(), Some(0));
    let errors = log.iter().filter(|line| line.contains("Error accepting")).count();
    // At most one line a second.
    assert!(errors as u64 <= start.elapsed().as_secs() + 1, "{errors} lines");
    println!(
        "measured: {} errors were logged in {:?}",
        errors + 1,
        start.elapsed()
    );
}
