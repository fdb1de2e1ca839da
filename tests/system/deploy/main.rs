//! The files of deploy/, checked by the tools of systemd and Kubernetes. tests/it/deploy.rs compares them with the server's flags.
#![allow(
    clippy::unwrap_used,
    reason = "a test that fails panics at the place of the failure"
)]

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use system_tests::{root, ws_echo};

/// Returns standard output and standard error.
fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_accepts_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let units = ["ws-echo.service", "ws-echo.socket", "ws-echo-https.socket"];
    let copies: Vec<PathBuf> = units.iter().map(|unit| folder.path().join(unit)).collect();
    for (unit, copy) in units.iter().zip(&copies) {
        // systemd-analyze checks that the program exists.
        let unit = std::fs::read_to_string(root().join("deploy").join(unit)).unwrap();
        std::fs::write(
            copy,
            unit.replace("/usr/local/bin/ws-echo", &ws_echo().display().to_string()),
        )
        .unwrap();
    }
    let output = Command::new("systemd-analyze")
        .arg("verify")
        .args(&copies)
        .output()
        .unwrap();
    // For an unknown line the exit code is 0, too. Only the output shows it.
    assert_eq!((output.status.code(), text(&output).as_str()), (Some(0), ""));

    let security = ["security", "--offline=true", "--threshold=20"];
    let output = Command::new("systemd-analyze")
        .args(security)
        .arg(&copies[0])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
#[ignore = "needs kubernetes-validate"]
fn kubernetes_accepts_the_manifest() {
    let program = std::env::var("KUBERNETES_VALIDATE").unwrap_or_else(|_| "kubernetes-validate".to_owned());
    for version in ["1.27", "1.37"] {
        let output = Command::new(&program)
            .args([
                "--strict",
                "--kubernetes-version",
                version,
                "deploy/kubernetes.yaml",
            ])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(
            text(&output).matches(" passed for resource ").count(),
            4,
            "{}",
            text(&output)
        );
    }
}
