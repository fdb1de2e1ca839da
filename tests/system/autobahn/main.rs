//! Runs all cases of the Autobahn|Testsuite against the optimised binary.
//!
//! ```text
//! WSTEST=/path/to/wstest cargo test -p system-tests --test autobahn -- --ignored --nocapture
//! ```
//!
//! The suite runs its clients one after another, which is slow. Several processes of it therefore take shares of the cases from
//! one queue and test one server.
//!
//! `WS_ECHO_AUTOBAHN_SHARDS` sets the number of processes (default: the number of cores). `WS_ECHO_BIN` sets the path of another
//! binary. The reports are in `target/autobahn/`: a page for each case, and `index.html` for each share.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails panics at the place of the failure, and prints the verdicts"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::Deserialize;
use system_tests::{optimised_ws_echo, root};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinSet,
};

/// Number of cases in version 25.10 of the suite. The test fails if a case is missing.
const CASES: usize = 517;

/// The cases that have no verdict. They report a behaviour that RFC 6455 does not specify.
const INFORMATIONAL: [&str; 3] = ["7.1.6", "7.13.1", "7.13.2"];

/// The shares of the cases. The longest come first, so that all processes end at about the same time: each case of the chapters
/// 12 and 13 sends 1000 messages of up to 128 KiB.
const SHARES: [&[&str]; 14] = [
    &["12.3.*"],
    &["12.2.*"],
    &["12.5.*"],
    &["12.4.*"],
    &["12.1.*"],
    &["13.1.*"],
    &["13.2.*"],
    &["13.3.*"],
    &["13.4.*"],
    &["13.5.*"],
    &["13.6.*"],
    &["13.7.*"],
    &["9.*"],
    &["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"],
];

/// The timeout of a share. The slowest one takes a few minutes.
const SHARE_TIMEOUT: Duration = Duration::from_secs(20 * 60);

#[tokio::test]
#[ignore = "needs wstest"]
async fn every_case_of_the_autobahn_testsuite_passes() {
    let wstest = find_wstest();
    let reports = target_dir().join("autobahn");
    let _ = fs::remove_dir_all(&reports);
    fs::create_dir_all(&reports).unwrap();
    let (mut server, url) = start_server(&reports).await;

    let start = Instant::now();
    let shards = env::var("WS_ECHO_AUTOBAHN_SHARDS").map_or_else(
        |_| std::thread::available_parallelism().map_or(1, usize::from),
        |shards| shards.parse().expect("WS_ECHO_AUTOBAHN_SHARDS is a number"),
    );
    let queue = Mutex::new(SHARES.iter().collect::<VecDeque<_>>());
    let queue: &'static Mutex<_> = Box::leak(Box::new(queue));
    let mut running = JoinSet::new();
    for _ in 0..shards {
        let (wstest, reports, url) = (wstest.clone(), reports.clone(), url.clone());
        running.spawn(async move {
            let mut verdicts = BTreeMap::new();
            loop {
                let Some(share) = queue.lock().unwrap().pop_front() else {
                    return verdicts;
                };
                verdicts.extend(run_share(&wstest, &reports, &url, share).await);
            }
        });
    }
    let mut verdicts = BTreeMap::new();
    while let Some(shard) = running.join_next().await {
        verdicts.extend(shard.unwrap());
    }
    let duration = start.elapsed();

    let mut count = BTreeMap::<_, usize>::new();
    for verdict in verdicts.values() {
        *count
            .entry(format!("{}, close {}", verdict.behavior, verdict.behavior_close))
            .or_default() += 1;
    }
    println!("{} cases in {duration:.0?} with {shards} shards", verdicts.len());
    for (verdict, cases) in count {
        println!("{cases:5} {verdict}");
    }
    let failures: Vec<_> = verdicts
        .iter()
        .filter(|(case, verdict)| !verdict.is_expected(case))
        .collect();
    for (case, verdict) in &failures {
        println!(
            "case {case}: {}, close {}; see {}",
            verdict.behavior,
            verdict.behavior_close,
            verdict.report.display()
        );
    }
    assert!(failures.is_empty(), "{} cases failed", failures.len());
    assert_eq!(verdicts.len(), CASES, "cases that ran");
    assert_eq!(server.try_wait().unwrap(), None, "the server has exited");
    let log = fs::read_to_string(reports.join("server.log")).unwrap();
    assert!(!log.contains("panicked"), "the server panicked: see its log");
}

/// The verdict of the suite on one case.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    behavior: String,
    behavior_close: String,
    #[serde(rename = "reportfile")]
    report: PathBuf,
}

impl Verdict {
    fn is_expected(&self, case: &str) -> bool {
        let behavior = if INFORMATIONAL.contains(&case) {
            "INFORMATIONAL"
        } else {
            "OK"
        };
        self.behavior == behavior && matches!(&*self.behavior_close, "OK" | "INFORMATIONAL")
    }
}

/// Runs one share and returns its verdicts.
async fn run_share(wstest: &Path, reports: &Path, url: &str, share: &[&str]) -> BTreeMap<String, Verdict> {
    let name = share[0].trim_end_matches(".*");
    let reports = reports.join(name);
    fs::create_dir_all(&reports).unwrap();
    let spec = reports.join("spec.json");
    let agent = "ws-echo";
    // In the chapters 12 and 13, the suite compares the SHA-1 of the echo with that of the valid text that it has sent. Its
    // validation of UTF-8 in Python takes ten times as long as all else and detects no further error.
    let compares_hashes = share
        .iter()
        .all(|cases| cases.starts_with("12.") || cases.starts_with("13."));
    let content = serde_json::json!({
        "outdir": reports,
        "servers": [{
            "agent": agent,
            "url": url,
            "options": { "version": 18, "utf8validateIncoming": !compares_hashes },
        }],
        "cases": share,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    fs::write(&spec, content.to_string()).unwrap();
    let log = fs::File::create(reports.join("wstest.log")).unwrap();
    let start = Instant::now();
    let status = Command::new(wstest)
        .args(["--mode", "fuzzingclient", "--spec"])
        .arg(&spec)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .status();
    let status = tokio::time::timeout(SHARE_TIMEOUT, status).await;
    let status = status.expect("wstest timed out").unwrap();
    let index = fs::read(reports.join("index.json"));
    let index = index.unwrap_or_else(|error| {
        panic!(
            "wstest exited with {status} and without a report ({error}): see {}",
            reports.join("wstest.log").display()
        )
    });
    let mut index: BTreeMap<String, BTreeMap<String, Verdict>> = serde_json::from_slice(&index).unwrap();
    let mut verdicts = index.remove(agent).unwrap_or_default();
    for verdict in verdicts.values_mut() {
        // The index names a JSON file. The page of the case has the same name with another extension.
        verdict.report = reports.join(&verdict.report).with_extension("html");
    }
    println!(
        "share {name}: {} cases in {:.0?}",
        verdicts.len(),
        start.elapsed()
    );
    verdicts
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

/// Returns the path of the suite's command: the value of `WSTEST`, or `wstest` on the PATH.
fn find_wstest() -> PathBuf {
    if let Some(wstest) = env::var_os("WSTEST") {
        return wstest.into();
    }
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("wstest"))
        .find(|wstest| wstest.is_file())
        .expect("no wstest on the PATH: install the Autobahn|Testsuite, or set WSTEST to its command")
}

/// Returns cargo's target directory.
fn target_dir() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}
