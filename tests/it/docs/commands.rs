//! The commands in the documents, run as they stand.
//!
//! A block with the language `console` has commands, each after `$ `, and their output. The test runs each command in the
//! project's folder with bash, at a server of its own, and compares the output. Any run of digits equals any other, because
//! times, numbers of connections and ports differ. What needs Docker, systemd or a terminal has the language `sh`, and is not
//! run.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use super::markdown::{Document, Fence, root};
use crate::support::{in_time, process::Process};

/// A command of a block, and the lines after it.
struct Example<'t> {
    command: String,
    output: Vec<&'t str>,
}

fn examples<'t>(fence: &Fence<'t>) -> Vec<Example<'t>> {
    let mut examples: Vec<Example<'t>> = Vec::new();
    for line in &fence.lines {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => examples.push(Example {
                command: command.to_owned(),
                output: Vec::new(),
            }),
            (None, Some(last)) => last.output.push(line),
            (None, None) => panic!("line {} has output without a command", fence.line),
        }
    }
    examples
}

/// Replaces each run of digits by one `0`, so that texts can be compared apart from their numbers.
fn without_numbers(text: &str) -> String {
    let mut result = String::new();
    for c in text.chars() {
        if !c.is_ascii_digit() {
            result.push(c);
        } else if !result.ends_with('0') {
            result.push('0');
        }
    }
    result
}

async fn run(command: &str, server: &Process) -> String {
    let command = command.replace("localhost:3000", &server.addr().to_string());
    // The binary under test is the installed one.
    let folder = Path::new(env!("CARGO_BIN_EXE_ws-echo")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    // Standard input stays open: some clients end with it.
    let output = Command::new("bash")
        .args(["-c", &format!("set -o pipefail; {command}")])
        .current_dir(root())
        .env("PATH", format!("{}:{path}", folder.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = in_time(&command, keep_stdin_open(output)).await;
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn keep_stdin_open(mut child: tokio::process::Child) -> std::process::Output {
    let _stdin = child.stdin.take();
    child.wait_with_output().await.unwrap()
}

async fn assert_examples(name: &str) -> usize {
    let document = Document::read(name);
    let server = Process::start(&[]).await;
    let mut count = 0;
    for fence in document
        .fences()
        .iter()
        .filter(|fence| fence.language == "console")
    {
        for example in examples(fence) {
            let output = run(&example.command, &server).await;
            let expected = without_numbers(example.output.join("\n").trim());
            let output = without_numbers(&output.replace(&server.addr().to_string(), "localhost:3000"));
            assert_eq!(
                output.trim(),
                expected,
                "{name}, line {}: {}",
                fence.line,
                example.command
            );
            count += 1;
        }
    }
    println!("{name}: {count} commands");
    count
}

#[actix_rt::test]
#[ignore = "needs node, python3 and curl"]
async fn every_command_in_the_readmes_prints_what_stands_after_it() {
    assert!(assert_examples("README.md").await >= 1);
    assert!(assert_examples("README.zh-CN.md").await >= 1);
}

#[actix_rt::test]
#[ignore = "needs node, python3 and curl"]
async fn every_command_in_the_reference_of_behaviours_prints_what_stands_after_it() {
    assert!(assert_examples("docs/behaviours.md").await >= 20);
}

#[actix_rt::test]
#[ignore = "needs node, python3 and curl"]
async fn every_command_in_the_protocol_reference_prints_what_stands_after_it() {
    assert_examples("docs/protocol.md").await;
}

#[actix_rt::test]
#[ignore = "needs bash"]
async fn every_command_in_the_reference_of_flags_prints_what_stands_after_it() {
    assert!(assert_examples("docs/configuration.md").await >= 2);
}
