//! The suite as a client, against the server.

use std::{env, fs, io::Write as _, path::Path, process::Stdio};

use system_tests::{optimised_ws_echo, root};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::spawn_blocking,
};

use super::{AGENT, assert_all_pass, compares_hashes, read_verdicts, reports_on, run_shares, suite};

#[tokio::test]
#[ignore = "needs wstest"]
async fn every_case_of_the_autobahn_testsuite_passes() {
    let reports = reports_on("server");
    let (mut server, url) = start_server(&reports).await;
    let directory = reports.clone();
    let verdicts = spawn_blocking(move || {
        run_shares(&directory, |reports, share| {
            let spec = serde_json::json!({
                "outdir": reports,
                "servers": [{
                    "agent": AGENT,
                    "url": url,
                    "options": { "version": 18, "utf8validateIncoming": !compares_hashes(share) },
                }],
                "cases": share,
                "exclude-cases": [],
                "exclude-agent-cases": {},
            });
            async move {
                suite("fuzzingclient", &spec, &reports).status().await.unwrap();
                read_verdicts(&reports)
            }
        })
    });
    assert_all_pass(&verdicts.await.unwrap());
    assert_eq!(server.try_wait().unwrap(), None, "the server has exited");
    let log = fs::read_to_string(reports.join("server.log")).unwrap();
    assert!(!log.contains("panicked"), "the server panicked: see its log");
}

/// Starts the optimised binary on a free port. Returns the process and the URL of its verbatim echo.
async fn start_server(reports: &Path) -> (Child, String) {
    let mut command = Command::new(optimised_ws_echo());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("WS_ECHO_") {
            command.env_remove(name);
        }
    }
    let mut server = command
        .args(["--listen", "127.0.0.1:0", "--static-dir"])
        .arg(root().join("static"))
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert_ne!(
            log.read_line(&mut line).await.unwrap(),
            0,
            "the server did not start"
        );
        if let Some((_, address)) = line.trim_end().split_once("listening url=http://") {
            break address.to_owned();
        }
    };
    let mut file = fs::File::create(reports.join("server.log")).unwrap();
    tokio::spawn(async move {
        let mut lines = log.lines();
        while let Ok(Some(line)) = lines.next_line().await {
            writeln!(file, "{line}").unwrap();
        }
    });
    (server, format!("ws://{address}/?reply=verbatim"))
}
