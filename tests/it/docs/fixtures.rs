//! The files in docs/ci.md, run as they stand. A block is a file if its first line is a comment with the name.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use super::markdown::{Document, root};
use crate::support::{in_time, until};

/// The timeout of a command, which may install packages or compile.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(600);

/// Returns the text of the file with this name.
fn file(name: &str) -> String {
    let document = Document::read("docs/ci.md");
    let comments = [format!("# {name}"), format!("// {name}")];
    let mut found = document.fences().into_iter().filter(|fence| {
        fence
            .lines
            .first()
            .is_some_and(|line| comments.iter().any(|comment| comment == line))
    });
    let fence = found.next().unwrap_or_else(|| panic!("docs/ci.md has no {name}"));
    assert!(found.next().is_none(), "docs/ci.md has {name} twice");
    fence.lines.join("\n") + "\n"
}

/// A folder with files of the document. A `ws-echo` is on the PATH that starts the binary under test and reports its end.
struct Project {
    folder: TempDir,
}

impl Project {
    async fn with(files: &[&str]) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in files {
            project.write(name, &file(name));
        }
        let script = format!(
            "#!/bin/sh\n'{}' \"$@\"\necho ended >>'{}'\n",
            env!("CARGO_BIN_EXE_ws-echo"),
            project.path("ends").display()
        );
        project.write("bin/ws-echo", &script);
        project.run("chmod +x bin/ws-echo").await;
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn bash(&self, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("bash");
        command
            .args(["-e", "-c", script])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command, and returns its exit status and its output.
    async fn output(&self, script: &str) -> (bool, String) {
        let output = tokio::time::timeout(COMMAND_TIMEOUT, self.bash(script).output()).await;
        let output = output
            .unwrap_or_else(|_| panic!("timed out waiting for {script}"))
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    /// Runs a command that succeeds, and returns its output.
    async fn run(&self, script: &str) -> String {
        let (success, output) = self.output(script).await;
        assert!(success, "{script}: {output}");
        output
    }

    /// Runs a command that kills itself while its server runs.
    async fn run_killed(&self, script: &str) {
        let (success, output) = self.output(script).await;
        assert!(!success, "{script}: {output}");
    }

    /// Waits until as many servers have ended since the start.
    async fn servers_end(&self, count: usize) {
        let ends = self.path("ends");
        until("the end of the servers", || {
            std::fs::read_to_string(&ends).is_ok_and(|text| text.lines().count() >= count)
        })
        .await;
        assert_eq!(std::fs::read_to_string(&ends).unwrap().lines().count(), count);
    }
}

#[actix_rt::test]
#[ignore = "needs node, python3 and curl"]
async fn the_fixture_for_pytest_starts_and_stops_a_server() {
    let project = Project::with(&["conftest.py", "test_client.py"]).await;
    project
        .run("python3 -m venv venv && venv/bin/pip --quiet --disable-pip-version-check install pytest websockets")
        .await;
    let pytest = "venv/bin/python -m pytest -p no:cacheprovider";
    let output = project.run(&format!("{pytest} test_client.py")).await;
    assert!(output.contains("1 passed"), "{output}");
    project.servers_end(1).await;

    let killed = "import os\ndef test_killed(echo_url):\n    os.kill(os.getpid(), 9)\n";
    project.write("test_killed.py", killed);
    project.run_killed(&format!("{pytest} test_killed.py")).await;
    project.servers_end(2).await;
}

#[actix_rt::test]
#[ignore = "needs node, python3 and curl"]
async fn the_fixture_for_node_starts_and_stops_a_server() {
    let files = [
        "echo.mjs",
        "client.test.mjs",
        "vitest.config.mjs",
        "global-setup.mjs",
        "vitest.test.mjs",
    ];
    let project = Project::with(&files).await;
    // The last version of Vitest for Node 18, which Debian 12 has.
    project
        .run("npm install --silent --no-save --prefix . ws@8 vitest@3")
        .await;
    let output = project
        .run("node --test --test-reporter=tap client.test.mjs")
        .await;
    assert!(output.contains("# pass 1\n"), "{output}");
    project.servers_end(1).await;

    let output = project.run("npx --no vitest run vitest.test.mjs").await;
    assert!(output.contains("1 passed"), "{output}");
    project.servers_end(2).await;

    let killed = "import { startEcho } from './echo.mjs';\nawait startEcho();\nprocess.kill(process.pid, 'SIGKILL');\n";
    project.write("killed.mjs", killed);
    project.run_killed("node killed.mjs").await;
    project.servers_end(3).await;
}

#[actix_rt::test]
#[ignore = "needs bash, and compiles a crate"]
async fn the_fixture_for_rust_starts_and_stops_a_server() {
    let project = Project::with(&[]).await;
    let killed = "\n#[test]\n#[ignore]\nfn killed() {\n    let _echo = Echo::start();\n    std::process::abort();\n}\n";
    project.write("tests/echo.rs", &(file("tests/echo.rs") + killed));
    project.write("src/lib.rs", "");
    // Cargo takes the versions of the project, whose sources are on the machine.
    let manifest =
        "[package]\nname = \"fixture\"\nedition = \"2024\"\n\n[dependencies]\ntungstenite = \"*\"\n";
    project.write("Cargo.toml", manifest);
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    project.write("Cargo.lock", &lock);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixture");
    let cargo = format!(
        "CARGO_TARGET_DIR='{}' '{}' test --quiet --offline --test echo",
        target.display(),
        env!("CARGO")
    );
    let output = project.run(&cargo).await;
    assert!(output.contains("1 passed"), "{output}");
    project.servers_end(1).await;

    project.run_killed(&format!("{cargo} -- --ignored")).await;
    project.servers_end(2).await;
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Runs the step's script as GitHub Actions does. Its shell lives on, so that the test can stop the server.
#[actix_rt::test]
#[ignore = "needs bash"]
async fn the_step_of_github_actions_starts_a_server_and_passes_its_url_on() {
    let project = Project::with(&[]).await;
    let exec = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_ws-echo"));
    project.write("bin/ws-echo", &exec); // the process that `kill $!` ends
    let workflow = yaml(".github/workflows/step.yml");
    let step = &workflow["jobs"]["test"]["steps"][1];
    assert_eq!(step["name"], "Start ws-echo");
    let script = format!(
        "{}\necho started\nread -r _ || kill $!",
        step["run"].as_str().unwrap()
    );
    let variables = project.path("variables");
    let mut shell = project
        .bash(&script)
        .env("RUNNER_TEMP", project.folder.path())
        .env("GITHUB_ENV", &variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
    let line = in_time("the end of the step", lines.next_line()).await;
    assert_eq!(line.unwrap().as_deref(), Some("started"));

    let variables = std::fs::read_to_string(variables).unwrap();
    let url = variables.trim().strip_prefix("ECHO_URL=").unwrap();
    let connected = in_time("the handshake", tokio_tungstenite::connect_async(url)).await;
    drop(connected.unwrap());
    drop(shell.stdin.take());
    in_time("the end of the shell", shell.wait()).await.unwrap();
}

#[test]
fn every_yaml_block_is_valid_and_has_the_image_of_this_version() {
    let document = Document::read("docs/ci.md");
    let mut images = Vec::new();
    let mut count = 0;
    for fence in document.fences() {
        if fence.language == "yaml" {
            let text = fence.lines.join("\n");
            let value: Value = serde_saphyr::from_str(&text)
                .unwrap_or_else(|error| panic!("docs/ci.md, line {}: {error}", fence.line));
            assert!(value.is_object(), "docs/ci.md, line {}", fence.line);
            count += 1;
        }
        let names = fence.lines.iter().flat_map(|line| line.split(['"', ' ', '/']));
        let versions = names.filter_map(|name| name.strip_prefix("ws-echo:"));
        // Without a dot, it is the port in a URL, or nothing after the key of a service.
        images.extend(versions.filter(|version| version.contains('.')));
    }
    assert_eq!(count, 4);
    assert!(images.len() >= 6, "{images:?}");
    for image in images {
        assert_eq!(image, env!("CARGO_PKG_VERSION"));
    }
}
