//! The lines that the page copies for other clients, run as they are copied.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::markdown::root;
use crate::support::{in_time, process::Process};

/// Runs a script of bash in the project's folder with an open standard input, and returns what it prints.
async fn bash(what: &str, script: &str) -> String {
    let mut child = Command::new("bash")
        .args(["-c", script])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let _stdin = child.stdin.take();
    let output = in_time(what, child.wait_with_output()).await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// The line for one client, for a URL and a list of subprotocols.
async fn line(name: &str, url: &str) -> String {
    let script = format!(
        "import {{ COMMANDS }} from './static/js/connection/commands.js';\
         const {{ line }} = COMMANDS.find(({{ name }}) => name === {});\
         console.log(JSON.stringify(line({{ url: {}, protocols: ['com.kaazing.echo'] }})));",
        Value::from(name),
        Value::from(url)
    );
    let output = Command::new("node")
        .args(["--input-type=module", "-e", &script])
        .current_dir(root())
        .output()
        .await
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {output:?}"))
}

#[actix_rt::test]
#[ignore = "needs node, python3 and curl"]
async fn each_line_that_the_page_copies_makes_its_connection() {
    let server = Process::start(&[]).await;
    let url = format!("ws://{}/?reply=verbatim", server.addr());
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();

    let wscat = line("wscat", &url).await.replace("npx wscat", "npx --yes wscat");
    let output = bash("wscat", &format!("{wscat} -x hello -w 1")).await;
    assert_eq!(output.lines().last(), Some("hello"), "{output}");

    let output = bash("curl", &line("curl", &url).await).await;
    assert!(output.contains("101 Switching Protocols"), "{output}");
    assert!(
        output.contains("sec-websocket-protocol: com.kaazing.echo"),
        "{output}"
    );

    // A browser has WebSocket of its own; node has it from version 22 on.
    let script = line("JavaScript", &url).await;
    let script = format!(
        "globalThis.WebSocket ??= require('ws');\n{script}\nsetTimeout(() => process.exit(), 1000);\n"
    );
    std::fs::write(folder.path().join("line.cjs"), script).unwrap();
    let install = format!("npm install --silent --no-save --prefix {at} ws@8");
    let output = bash("JavaScript", &format!("{install} && node {at}/line.cjs")).await;
    assert_eq!(output.lines().last(), Some("hello"), "{output}");

    std::fs::write(folder.path().join("line.py"), line("Python", &url).await).unwrap();
    let install = format!(
        "python3 -m venv {at}/venv && {at}/venv/bin/pip --quiet --disable-pip-version-check install websockets"
    );
    let output = bash(
        "Python",
        &format!("{install} && {at}/venv/bin/python {at}/line.py"),
    )
    .await;
    assert_eq!(output.lines().last(), Some("hello"), "{output}");
}
