//! The programs of docs/recipes.md, run as they stand. After each pair of programs stands what both print.

use std::{path::Path, time::Duration};

use tokio::process::Command;

use super::markdown::Document;
use crate::support::process::Process;

/// The timeout of a command, which may install packages.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);

/// The number of recipes, each with a program in JavaScript and one in Python.
const RECIPES: usize = 6;

/// A program with the output that stands after it.
struct Program {
    name: String,
    text: String,
    output: String,
}

fn programs() -> Vec<Program> {
    let document = Document::read("docs/recipes.md");
    let mut programs: Vec<Program> = Vec::new();
    let mut without_output = 0;
    for fence in document.fences() {
        let text = fence.lines.join("\n") + "\n";
        match fence.language {
            "js" | "python" => {
                let name = fence.lines[0].split(' ').next_back().unwrap().to_owned();
                programs.push(Program {
                    name,
                    text,
                    output: String::new(),
                });
                without_output += 1;
            }
            "text" => {
                assert_eq!(without_output, 2, "docs/recipes.md, line {}", fence.line);
                for program in programs.iter_mut().rev().take(2) {
                    program.output.clone_from(&text);
                }
                without_output = 0;
            }
            _ => {}
        }
    }
    assert_eq!(programs.len(), 2 * RECIPES);
    programs
}

/// Runs a command in a folder, and returns its output.
async fn run(folder: &Path, command: &str, url: &str) -> String {
    let output = Command::new("bash")
        .args(["-c", command])
        .current_dir(folder)
        .env("ECHO_URL", url)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_TIMEOUT, output).await;
    let output = output
        .unwrap_or_else(|_| panic!("timed out waiting for {command}"))
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[actix_rt::test]
#[ignore = "needs node and python3"]
async fn each_program_survives_and_prints_what_stands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(&["--idle-timeout", "2s"]).await;
    let url = format!("ws://{}", server.addr());
    let install = "npm install --silent --no-save --prefix . ws@8 && python3 -m venv venv &&
        venv/bin/pip --quiet --disable-pip-version-check install websockets";
    run(folder.path(), install, &url).await;
    for program in programs() {
        std::fs::write(folder.path().join(&program.name), program.text).unwrap();
        let interpreter = if program.name.ends_with(".py") {
            "venv/bin/python"
        } else {
            "node"
        };
        let output = run(folder.path(), &format!("{interpreter} {}", program.name), &url).await;
        assert_eq!(output, program.output, "{}", program.name);
    }
}
