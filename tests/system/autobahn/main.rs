//! Runs all cases of the Autobahn|Testsuite against the optimised binary, and against the client of the library.
//!
//! ```text
//! WSTEST=/path/to/wstest cargo test -p system-tests --test autobahn -- --ignored --nocapture
//! ```
//!
//! The suite runs its cases one after another, which is slow. Several processes of it therefore take shares of the cases from one
//! queue.
//!
//! `WS_ECHO_AUTOBAHN_SHARDS` sets the number of processes (default: the number of cores). `WS_ECHO_BIN` sets the path of another
//! binary. The reports are in `target/autobahn/`: a page for each case, and `index.html` for each share.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails panics at the place of the failure, and prints the verdicts"
)]

mod client;
mod server;

use std::{
    collections::{BTreeMap, VecDeque},
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use tokio::{process::Command, runtime::Builder};

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

/// The name of the tested end in the reports.
const AGENT: &str = "ws-echo";

/// The timeout of a share. The slowest one takes a few minutes.
const SHARE_TIMEOUT: Duration = Duration::from_secs(20 * 60);

/// Returns an empty directory for the reports on `tested`.
fn reports_on(tested: &str) -> PathBuf {
    let reports = target_dir().join("autobahn").join(tested);
    let _ = fs::remove_dir_all(&reports);
    fs::create_dir_all(&reports).unwrap();
    reports
}

/// Runs all shares on several threads. `run` returns the verdicts of one share, and writes its reports to the directory.
fn run_shares<F: Future<Output = Verdicts>>(
    reports: &Path,
    run: impl Fn(PathBuf, &'static [&'static str]) -> F + Sync,
) -> Verdicts {
    let start = Instant::now();
    let shards = env::var("WS_ECHO_AUTOBAHN_SHARDS").map_or_else(
        |_| thread::available_parallelism().map_or(1, usize::from),
        |shards| shards.parse().expect("WS_ECHO_AUTOBAHN_SHARDS is a number"),
    );
    let queue = Mutex::new(SHARES.iter().collect::<VecDeque<_>>());
    let verdicts = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..shards {
            scope.spawn(|| {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let Some(share) = queue.lock().unwrap().pop_front() else {
                        break;
                    };
                    let start = Instant::now();
                    let name = share[0].trim_end_matches(".*");
                    let reports = reports.join(name);
                    fs::create_dir_all(&reports).unwrap();
                    let share = runtime.block_on(async {
                        let run = tokio::time::timeout(SHARE_TIMEOUT, run(reports, share));
                        run.await.expect("wstest timed out")
                    });
                    println!("share {name}: {} cases in {:.0?}", share.len(), start.elapsed());
                    verdicts.lock().unwrap().extend(share);
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().unwrap();
    println!(
        "{} cases in {:.0?} with {shards} shards",
        verdicts.len(),
        start.elapsed()
    );
    verdicts
}

/// Fails unless each case has the expected verdict.
fn assert_all_pass(verdicts: &Verdicts) {
    let mut count = BTreeMap::<_, usize>::new();
    for verdict in verdicts.values() {
        *count
            .entry(format!("{}, close {}", verdict.behavior, verdict.behavior_close))
            .or_default() += 1;
    }
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
}

/// The verdicts of the suite by case.
type Verdicts = BTreeMap<String, Verdict>;

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

/// Returns whether the suite need not validate UTF-8 in the echo. In the chapters 12 and 13, it compares the SHA-1 of the echo with
/// that of the valid text that it has sent. Its validation in Python takes ten times as long as all else and detects no further
/// error.
fn compares_hashes(share: &[&str]) -> bool {
    share
        .iter()
        .all(|cases| cases.starts_with("12.") || cases.starts_with("13."))
}

/// Returns the command `wstest` in this mode, with its output in the directory of the reports.
fn suite(mode: &str, spec: &serde_json::Value, reports: &Path) -> Command {
    let path = reports.join("spec.json");
    fs::write(&path, spec.to_string()).unwrap();
    let log = fs::File::create(reports.join("wstest.log")).unwrap();
    let mut command = Command::new(find_wstest());
    command
        .args(["--webport", "0", "--mode", mode, "--spec"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true);
    command
}

/// Returns the verdicts in the directory of the reports.
fn read_verdicts(reports: &Path) -> Verdicts {
    let index = fs::read(reports.join("index.json"));
    let index = index.unwrap_or_else(|error| {
        panic!(
            "wstest has made no report ({error}): see {}",
            reports.join("wstest.log").display()
        )
    });
    let mut index: BTreeMap<String, Verdicts> = serde_json::from_slice(&index).unwrap();
    let mut verdicts = index.remove(AGENT).unwrap_or_default();
    for verdict in verdicts.values_mut() {
        // The index names a JSON file. The page of the case has the same name with another extension.
        verdict.report = reports.join(&verdict.report).with_extension("html");
    }
    verdicts
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
