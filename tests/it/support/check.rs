//! Runs `ws-echo check`, and reads its report.

use std::time::Duration;

use serde_json::Value;

use super::{in_time, memory, process::ws_echo};

/// The result of one run.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) error: String,
    /// The largest resident memory in bytes, 0 where the system does not report it.
    pub(crate) peak: u64,
    /// The report, `Null` if there is none.
    report: Value,
}

/// Runs `ws-echo check` with these arguments.
pub(crate) async fn check(args: &[&str]) -> Checked {
    let mut command = ws_echo();
    // Only the certificates of the binary, so that the machine does not matter.
    command.arg("check").args(args).env("SSL_CERT_FILE", "none");
    let child = command.spawn().unwrap();
    let pid = child.id().unwrap();
    let mut peak = 0;
    let mut output = std::pin::pin!(child.wait_with_output());
    let output = in_time("the end of the check", async {
        loop {
            match tokio::time::timeout(Duration::from_millis(10), &mut output).await {
                Ok(output) => return output.unwrap(),
                Err(_) => peak = memory::peak(pid).unwrap_or(peak),
            }
        }
    })
    .await;
    let out = String::from_utf8(output.stdout).unwrap();
    Checked {
        peak,
        code: output.status.code().expect("no signal ended it"),
        report: serde_json::from_str(&out).unwrap_or_default(),
        out,
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `ws-echo check` with a report in JSON, and validates that.
pub(crate) async fn report(args: &[&str]) -> Checked {
    let checked = check(&[args, &["--format", "json"]].concat()).await;
    let schema = serde_json::from_str(include_str!("../../../docs/check.schema.json")).unwrap();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("check.schema.json", schema).unwrap();
    let index = compiler.compile("check.schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(&checked.report, index) {
        panic!("{error}\n{checked:#?}");
    }
    let expected = i32::from(checked.report["verdict"] == "broken");
    assert_eq!(checked.code, expected, "{checked:#?}");
    checked
}

impl Checked {
    /// Returns the result of one check.
    pub(crate) fn result(&self, name: &str) -> &Value {
        let checks = self.report["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no check {name}: {self:#?}"))
    }

    /// Returns what one check has seen.
    pub(crate) fn seen(&self, name: &str) -> &str {
        self.result(name)["seen"].as_str().unwrap()
    }

    /// Asserts the verdict of one check, and that each of these texts was seen.
    #[track_caller]
    pub(crate) fn assert(&self, name: &str, verdict: &str, texts: &[&str]) {
        let result = self.result(name);
        assert_eq!(result["verdict"], verdict, "{result:#}");
        for text in texts {
            assert!(self.seen(name).contains(text), "no {text:?}: {result:#}");
        }
    }

    /// Asserts these verdicts, and that each other check that ran is ok.
    #[track_caller]
    pub(crate) fn assert_only(&self, expected: &[(&str, &str)]) {
        let checks = self.report["checks"].as_array().unwrap();
        let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
        let found: Vec<_> = checks
            .iter()
            .map(|check| (text(check, "name"), text(check, "verdict")))
            .filter(|(_, verdict)| !["ok", "skipped"].contains(&&**verdict))
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(name, verdict)| (&**name, &**verdict))
            .collect();
        assert_eq!(found, expected, "{self:#?}");
        for check in checks.iter().filter(|check| check["verdict"] == "broken") {
            assert_ne!(check["meaning"], "", "{check:#}");
        }
    }

    /// Asserts that only these checks are broken, and that each says what to change.
    #[track_caller]
    pub(crate) fn assert_only_broken(&self, names: &[&str]) {
        let checks = self.report["checks"].as_array().unwrap();
        let broken: Vec<_> = checks
            .iter()
            .filter(|check| check["verdict"] == "broken")
            .collect();
        let found: Vec<_> = broken
            .iter()
            .map(|check| check["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, names, "{broken:#?}");
        for check in broken {
            assert_ne!(check["meaning"], "", "{check:#}");
        }
    }
}
