//! `ws-echo completions` and `ws-echo man`: what shells and `man` read.

use std::process::Stdio;

use tokio::{io::AsyncWriteExt as _, process::Command};

use super::command_line::run;
use crate::support::in_time;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

#[actix_rt::test]
async fn each_shell_has_completions_with_the_flags_and_the_commands() {
    for shell in SHELLS {
        let (code, script, error) = run(&["completions", shell], &[]).await;
        assert_eq!((code, error.as_str()), (0, ""), "{shell}");
        for word in ["print-address", "max-message-size", "healthcheck", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[actix_rt::test]
async fn completions_and_man_ignore_the_variables_of_the_server() {
    let invalid = [("WS_ECHO_WORKERS", "0"), ("WS_ECHO_TLS_CERT", "cert.pem")];
    for args in [&["completions", "zsh"][..], &["man"]] {
        assert_eq!(run(args, &invalid).await, run(args, &[]).await, "{args:?}");
        assert_eq!(run(args, &invalid[1..]).await.0, 0, "{args:?}");
    }
}

/// Runs a script of bash, and returns its output.
async fn bash(script: &str) -> String {
    let output = Command::new("bash").args(["--norc", "-c", script]).output();
    let output = in_time("bash", output).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[actix_rt::test]
#[ignore = "needs bash"]
async fn bash_completes_commands_flags_and_values() {
    let (_, script, _) = run(&["completions", "bash"], &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ws-echo.bash");
    std::fs::write(&file, script).unwrap();
    for (line, expected) in [
        ("ws-echo --print", "--print-address"),
        (
            "ws-echo serve --max-mess",
            "--max-message-size --max-messages-per-second",
        ),
        ("ws-echo --print-address ''", "json text"),
        ("ws-echo heal", "healthcheck"),
        ("ws-echo completions po", "powershell"),
    ] {
        // As readline does: the function that `complete` has registered, with the command, the word and the word before it.
        let completed = bash(&format!(
            "source {} && COMP_WORDS=({line}) && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) &&
             function=$(complete -p ws-echo | sed 's/.*-F \\([^ ]*\\).*/\\1/') &&
             $function ws-echo \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\" && echo \"${{COMPREPLY[*]}}\"",
            file.display()
        ))
        .await;
        assert_eq!(completed.trim(), expected, "{line}");
    }
}

#[actix_rt::test]
async fn the_man_page_has_every_flag_of_help_and_every_command() {
    let (code, page, error) = run(&["man"], &[]).await;
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(page.contains(".TH ws-echo 1"), "{page}");
    let (_, help, _) = run(&["--help"], &[]).await;
    let flags = help.lines().filter_map(|line| line.strip_prefix("      --"));
    let mut count = 0;
    for flag in flags {
        let name = flag.split(' ').next().unwrap().replace('-', "\\-");
        assert!(page.contains(&format!("\n\\fB\\-\\-{name}\\fR")), "{name}");
        count += 1;
    }
    assert!(count > 20, "{count}");
    for command in ["serve", "healthcheck", "completions", "man"] {
        assert!(page.contains(&format!("\n\\fB{command}\\fR")), "{command}");
    }
}

#[actix_rt::test]
#[ignore = "needs groff"]
async fn groff_renders_the_man_page_without_warnings() {
    let (_, page, _) = run(&["man"], &[]).await;
    let mut groff = Command::new("groff")
        .args(["-man", "-Tutf8", "-Kutf8", "-ww", "-P-cbou"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = groff.stdin.take().unwrap();
    input.write_all(page.as_bytes()).await.unwrap();
    drop(input);
    let output = in_time("groff", groff.wait_with_output()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("WS_ECHO_PRINT_ADDRESS"), "{text}");
    assert!(text.contains("客户端发送的信息"), "{text}");
}
