//! A browser, a server, and what a person looks at.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use fantoccini::{
    Client, ClientBuilder, Locator,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
};

/// The longest that anything may take: far more than it does, so that a busy machine fails no test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The text between `before` and `after` in the first line that has it. The rest is read and thrown away: a pipe that
/// nobody empties would stop its writer.
async fn said(output: impl AsyncRead + Unpin + Send + 'static, before: &str, after: char) -> String {
    let mut lines = BufReader::new(output).lines();
    let found = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, rest)) = line.split_once(before) {
                return rest.split(after).next().unwrap().trim().to_owned();
            }
        }
        panic!("the output ended without {before:?}");
    });
    let found = found.await.expect("nothing was said in time");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    found
}

/// The real binary.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    scheme: &'static str,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::listening("127.0.0.1:0", &[]).await
    }

    /// With a certificate that no browser knows, and the page over https.
    pub(crate) async fn secure() -> Self {
        let args = ["--tls-listen=127.0.0.1:0", "--tls-self-signed"];
        Self::saying("https", "127.0.0.1:0", &args).await
    }

    pub(crate) async fn listening(listen: &str, args: &[&str]) -> Self {
        Self::saying("http", listen, args).await
    }

    async fn saying(scheme: &'static str, listen: &str, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ws-echo"))
            .args(["--listen", listen])
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said_so = format!("listening url={scheme}://");
        let addr = said(child.stderr.take().unwrap(), &said_so, ' ').await;
        Self {
            child,
            addr: addr.parse().unwrap(),
            scheme,
        }
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// A browser with one page.
pub(crate) struct Browser {
    pub(crate) page: Client,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens `path` of the server in a browser that prefers English.
    pub(crate) async fn open(server: &Server, path: &str) -> Self {
        Self::open_as(server, path, "en-GB", (1280, 900)).await
    }

    /// Opens `path` in a browser of that language and size.
    pub(crate) async fn open_as(server: &Server, path: &str, language: &str, size: (u32, u32)) -> Self {
        Self::open_themed(server, path, language, size, false).await
    }

    /// The same in a theme.
    pub(crate) async fn open_themed(
        server: &Server,
        path: &str,
        language: &str,
        size: (u32, u32),
        dark: bool,
    ) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver, of Debian's chromium-driver");
        let port = said(
            driver.stdout.take().unwrap(),
            "was started successfully on port ",
            '.',
        )
        .await;
        let profile = tempfile::tempdir().unwrap();
        let capabilities: Capabilities = serde_json::from_value(json!({
            "browserName": "chrome",
            "acceptInsecureCerts": server.scheme == "https",
            "goog:chromeOptions": { "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage",
                if dark { "--force-dark-mode" } else { "--disable-features=WebContentsForceDark" },
                format!("--user-data-dir={}", profile.path().display()),
                format!("--window-size={},{}", size.0, size.1),
                format!("--accept-lang={language}"),
                format!("--lang={language}"),
            ]},
            "goog:loggingPrefs": { "browser": "ALL" },
        }))
        .unwrap();
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        page.goto(&format!("{}://{}{path}", server.scheme, server.addr))
            .await
            .unwrap();
        Self {
            page,
            _driver: driver,
            _profile: profile,
        }
    }

    /// Waits until an element matches.
    pub(crate) async fn sees(&self, css: &str) {
        if self
            .page
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .is_err()
        {
            panic!("no {css} in\n{}", self.page.source().await.unwrap());
        }
    }

    /// Waits until the element's text is as wanted, and gives it.
    pub(crate) async fn text(&self, css: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Ok(element) = self.page.find(Locator::Css(css)).await {
                    text = element.text().await.unwrap_or_default();
                    if wanted(&text) {
                        break;
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let waited = waited.await;
        assert!(waited.is_ok(), "{css} says {text:?}");
        text
    }

    pub(crate) async fn click(&self, css: &str) {
        self.page
            .find(Locator::Css(css))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    /// Writes into a field as a script of the user's could: every character arrives, those too that no key makes.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let script = "const field = document.querySelector(arguments[0]); field.value = arguments[1];\
                      field.dispatchEvent(new Event('input', { bubbles: true }));";
        self.page
            .execute(script, vec![json!(css), json!(text)])
            .await
            .unwrap();
    }

    /// What the browser's console has: nothing, on a page that is in order.
    pub(crate) async fn console(&self) -> Vec<String> {
        let Value::Array(entries) = self.page.issue_cmd(BrowserLog).await.unwrap() else {
            panic!("no log");
        };
        entries
            .iter()
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub(crate) async fn close(self) {
        self.page.close().await.unwrap();
    }
}

/// chromedriver's own command for the console.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
