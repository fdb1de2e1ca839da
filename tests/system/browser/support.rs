//! A browser, a server, and what a person looks at.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    key::Key,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use system_tests::{root, ws_echo};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
};

/// The longest that anything may take: far more than it does, so that a busy machine fails no test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Returns the text between `before` and `after` in the first line that has it, if one does. The rest of the output is read and thrown
/// away: a full pipe would stop its writer.
async fn find_in(
    output: impl AsyncRead + Unpin + Send + 'static,
    before: &str,
    after: char,
) -> Option<String> {
    let mut lines = BufReader::new(output).lines();
    let found = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, rest)) = line.split_once(before) {
                return Some(rest.split(after).next().unwrap().trim().to_owned());
            }
        }
        None
    });
    let found = found.await.expect("the line did not come in time");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    found
}

/// Where the server starts, which decides its page: that of the binary, or the modules of static/. `PAGE` chooses. Without it, Chromium gets
/// the binary's, as users do, and Firefox the modules.
fn folder() -> PathBuf {
    let packed = match std::env::var("PAGE").as_deref() {
        Err(_) | Ok("") => Kind::chosen() == Kind::Chromium,
        Ok("binary") => true,
        Ok("static") => false,
        Ok(other) => panic!("PAGE={other}: expected binary or static"),
    };
    if packed {
        root().join("docs")
    } else {
        root().to_owned()
    }
}

/// The real binary, with the page that `folder` chooses.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
    scheme: &'static str,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::listening("127.0.0.1:0", &[]).await
    }

    /// With a certificate that no browser trusts, and the page over https.
    pub(crate) async fn secure() -> Self {
        let args = ["--tls-listen=127.0.0.1:0", "--tls-self-signed"];
        Self::spawn("https", "127.0.0.1:0", &args).await
    }

    pub(crate) async fn listening(listen: &str, args: &[&str]) -> Self {
        Self::spawn("http", listen, args).await
    }

    async fn spawn(scheme: &'static str, listen: &str, args: &[&str]) -> Self {
        let mut child = Command::new(ws_echo())
            .args(["--listen", listen])
            .args(args)
            .current_dir(folder())
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let before = format!("listening url={scheme}://");
        let addr = find_in(child.stderr.take().unwrap(), &before, ' ').await.unwrap();
        Self {
            child,
            addr: addr.parse().unwrap(),
            scheme,
        }
    }

    /// The URL of the page's own connection.
    pub(crate) fn ws(&self) -> String {
        format!("{}://{}/", self.scheme.replace("http", "ws"), self.addr)
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends SIGTERM: it says so to its clients.
    pub(crate) async fn shut_down(mut self) {
        let pid = self.child.id().unwrap().to_string();
        Command::new("kill").arg(pid).status().await.unwrap();
        self.child.wait().await.unwrap();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Chromium,
    Firefox,
}

impl Kind {
    fn chosen() -> Self {
        match std::env::var("BROWSER").as_deref() {
            Err(_) | Ok("" | "chromium") => Self::Chromium,
            Ok("firefox") => Self::Firefox,
            Ok(other) => panic!("BROWSER={other}: expected chromium or firefox"),
        }
    }
}

/// What a browser has before it opens the page.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) language: &'static str,
    pub(crate) size: (u32, u32),
    pub(crate) dark: bool,
    pub(crate) touch: bool,
}

pub(crate) const SETUP: Setup = Setup {
    language: "en-GB",
    size: (1440, 900),
    dark: false,
    touch: false,
};

/// A browser with one page: Chromium, or Firefox if `BROWSER` is `firefox`.
pub(crate) struct Browser {
    pub(crate) page: Client,
    kind: Kind,
    origin: String,
    _driver: Driver,
    folder: tempfile::TempDir,
}

/// The driver. The browser that it starts, and the processes of that one, are in its process group: all of them end with it, also after a
/// test that panics.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // A driver that has ended has no number any more.
        if let Some(pid) = self
            .0
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).unwrap()))
        {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Browser {
    /// Opens `path` of the server in a browser that prefers English.
    pub(crate) async fn open(server: &Server, path: &str) -> Self {
        Self::open_with(server, path, SETUP).await
    }

    /// Opens the page, waits until it is connected, and switches its heartbeat off.
    pub(crate) async fn quiet(server: &Server, path: &str) -> Self {
        let browser = Self::open(server, path).await;
        browser.sees("#state[data-state=open]").await;
        browser.click(".heartbeat [role=switch]").await;
        browser.sees(".heartbeat [role=switch][aria-checked=false]").await;
        browser
    }

    /// Opens `path` through a proxy that stands before a server.
    pub(crate) async fn open_through(proxy: SocketAddr, path: &str) -> Self {
        Self::open_at(format!("http://{proxy}"), path, SETUP).await
    }

    pub(crate) async fn open_with(server: &Server, path: &str, setup: Setup) -> Self {
        Self::open_at(format!("{}://{}", server.scheme, server.addr), path, setup).await
    }

    async fn open_at(origin: String, path: &str, setup: Setup) -> Self {
        let kind = Kind::chosen();
        let folder = tempfile::tempdir().unwrap();
        let secure = origin.starts_with("https:");
        let (driver, port) = kind.driver(folder.path()).await;
        let profile = folder.path().join("profile");
        let capabilities: Capabilities =
            serde_json::from_value(kind.capabilities(&profile, setup, secure)).unwrap();
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        let browser = Self {
            page,
            kind,
            origin,
            _driver: driver,
            folder,
        };
        if kind == Kind::Chromium {
            let touch = json!({ "enabled": setup.touch });
            browser
                .devtools("Emulation.setTouchEmulationEnabled", touch)
                .await;
        }
        browser.resize(setup.size).await;
        browser.dark(setup.dark).await;
        browser.goto(path).await;
        browser
    }

    pub(crate) fn is_firefox(&self) -> bool {
        self.kind == Kind::Firefox
    }

    /// The folder that the command lines of this browser's processes name, and no others.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Opens `path` of the server that the browser was opened with.
    pub(crate) async fn goto(&self, path: &str) {
        let url = format!("{}{path}", self.origin);
        self.page.goto(&url).await.unwrap();
    }

    /// Loads the page anew. Firefox complains of the modules that were under way for the document before: this one loads them again.
    pub(crate) async fn reload(&self) {
        self.page.refresh().await.unwrap();
        let mut complaints = self.complaints().await;
        complaints.retain(|one| !one.contains("Loading failed for the module"));
        assert_eq!(complaints, [""; 0]);
    }

    /// Gives the page exactly this size, which may be less than a window's least.
    pub(crate) async fn resize(&self, (width, height): (u32, u32)) {
        match self.kind {
            Kind::Chromium => {
                let size =
                    json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
                self.devtools("Emulation.setDeviceMetricsOverride", size).await;
            }
            Kind::Firefox => {
                let script = "const { style } = gBrowser.selectedBrowser; const [width, height] = arguments;\
                              for (const part of ['min', 'max']) {\
                                style.setProperty(`${part}-width`, `${width}px`); style.setProperty(`${part}-height`, `${height}px`);\
                              }";
                self.in_firefox(script, json!([width, height])).await;
            }
        }
        let script = "return innerWidth === arguments[0] && innerHeight === arguments[1]";
        let resized = tokio::time::timeout(PATIENCE, async {
            while self
                .page
                .execute(script, vec![json!(width), json!(height)])
                .await
                .unwrap()
                != true
            {}
        });
        assert!(
            resized.await.is_ok(),
            "the window does not get {width} by {height} px"
        );
    }

    /// Sets the system's theme.
    pub(crate) async fn dark(&self, dark: bool) {
        match self.kind {
            Kind::Chromium => {
                let value = if dark { "dark" } else { "light" };
                let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
                self.devtools("Emulation.setEmulatedMedia", features).await;
            }
            Kind::Firefox => {
                let script = "Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', arguments[0])";
                self.in_firefox(script, json!([i32::from(!dark)])).await;
            }
        }
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.page.execute(script, vec![]).await.unwrap()
    }

    /// Runs the body of an async function in the page, and waits for what it returns.
    pub(crate) async fn wait_for(&self, body: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];\
             (async () => {{ {body} }})().then(done, (error) => done(`${{error}}`))"
        );
        self.page.execute_async(&script, vec![]).await.unwrap()
    }

    /// Waits until the script's result is as wanted, and returns it.
    pub(crate) async fn until(&self, script: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                last = self.run(script).await;
                if wanted(&last) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(waited.await.is_ok(), "waited in vain for {script}: {last}");
        last
    }

    /// Waits until an element matches.
    pub(crate) async fn sees(&self, css: &str) {
        let found = self
            .page
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        if found.is_err() {
            panic!("no {css} in\n{}", self.page.source().await.unwrap());
        }
    }

    /// Waits until no element matches.
    pub(crate) async fn misses(&self, css: &str) {
        let script = format!("return document.querySelectorAll({}).length", json!(css));
        self.until(&script, |count| *count == 0).await;
    }

    /// Waits until the element's text is as wanted, and returns it.
    pub(crate) async fn text(&self, css: &str, wanted: impl Fn(&str) -> bool) -> String {
        let script = format!("return document.querySelector({})?.innerText ?? null", json!(css));
        let text = self
            .until(&script, |text| text.as_str().is_some_and(&wanted))
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// The values of a field or property of all elements that match.
    pub(crate) async fn all(&self, css: &str, property: &str) -> Vec<String> {
        let script = format!(
            "return [...document.querySelectorAll({})].map((element) => String(element.{property}))",
            json!(css)
        );
        serde_json::from_value(self.run(&script).await).unwrap()
    }

    /// The log's rows in sight: kind and text.
    pub(crate) async fn rows(&self) -> Vec<(String, String)> {
        let script = "return [...document.querySelectorAll('#log-grid [role=row]')].map((row) =>\
                      [row.dataset.kind, [...row.children].map((cell) => cell.innerText).join(' ').replace(/\\s+/g, ' ')])";
        serde_json::from_value(self.run(script).await).unwrap()
    }

    /// Waits until the rows in sight are as wanted, and returns them.
    pub(crate) async fn log(&self, wanted: impl Fn(&[(String, String)]) -> bool) -> Vec<(String, String)> {
        let mut rows = vec![];
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                rows = self.rows().await;
                if wanted(&rows) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let waited = waited.await;
        assert!(waited.is_ok(), "the log has {rows:#?}");
        rows
    }

    /// Clicks as a pointer would: an element that another one covers fails the test.
    pub(crate) async fn click(&self, css: &str) {
        self.sees(css).await;
        let clicked = self.page.find(Locator::Css(css)).await.unwrap().click().await;
        if let Err(error) = clicked {
            panic!("{css}: {error}");
        }
    }

    /// Writes into a field as a script of the user's could: every character arrives, also one that no key makes.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        self.sees(css).await;
        let script = "const field = document.querySelector(arguments[0]); field.value = arguments[1];\
                      for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));";
        self.page
            .execute(script, vec![json!(css), json!(text)])
            .await
            .unwrap();
    }

    /// Types into an element, which gets the focus.
    pub(crate) async fn keys(&self, css: &str, keys: &str) {
        self.sees(css).await;
        let element = self.page.find(Locator::Css(css)).await.unwrap();
        element.send_keys(keys).await.unwrap();
    }

    /// Types into the element that has the focus.
    pub(crate) async fn press(&self, keys: &str) {
        let element = self.page.active_element().await.unwrap();
        element.send_keys(keys).await.unwrap();
    }

    /// Describes the element that has the focus.
    pub(crate) async fn focus(&self) -> String {
        let script = "const one = document.activeElement;\
                      return one.id ? `#${one.id}` : one.getAttribute('aria-label') ?? one.innerText";
        self.run(script).await.as_str().unwrap().to_owned()
    }

    /// Sends a text by the composer, and waits for it to come back.
    pub(crate) async fn send(&self, text: &str) {
        self.fill("#composer", text).await;
        self.click("#send:enabled").await;
        let end = text.chars().rev().take(20).collect::<Vec<_>>();
        let end: String = end.into_iter().rev().filter(|c| !c.is_control()).collect();
        self.text(".exchange .line.received .said", |shown| shown.contains(&end))
            .await;
    }

    /// Catches what the page copies or offers for saving, for `caught`.
    pub(crate) async fn catch(&self) {
        let script = "window.caught = [];\
            const write = async (text) => void window.caught.push(text);\
            Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: write } });\
            const made = URL.createObjectURL;\
            URL.createObjectURL = (blob) => { blob.text().then((text) => window.caught.push(text)); return made.call(URL, blob); };";
        self.run(script).await;
    }

    /// Returns the last thing caught since the call before.
    pub(crate) async fn caught(&self) -> String {
        let text = self
            .until("return window.caught.pop() ?? null", Value::is_string)
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// Returns what the browser complains of: errors of scripts, files that are missing, what the page's policy forbids.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = match self.kind {
            Kind::Chromium => self.extension("se/log", json!({ "type": "browser" })).await,
            // console.log and its like do not stand here; tests/page/modules.test.mjs keeps them out of the page.
            Kind::Firefox => {
                let script = "const { console } = Services; const messages = console.getMessageArray(); console.reset();\
                              return messages.filter((one) => one instanceof Ci.nsIScriptError && one.sourceName.startsWith(arguments[0]))\
                                .map((one) => ({ message: `${one.category}: ${one.errorMessage} (${one.sourceName}:${one.lineNumber})` }))";
                self.in_firefox(script, json!([self.origin])).await
            }
        };
        let entries = entries.as_array().unwrap().iter();
        entries
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Ends the browser. It must not have complained.
    pub(crate) async fn close(self) {
        assert_eq!(self.complaints().await, [""; 0]);
        self.page.close().await.unwrap();
    }

    /// Ends the browser. It may have complained of connections that failed.
    pub(crate) async fn close_after_failures(self) {
        let mut complaints = self.complaints().await;
        complaints.retain(|one| {
            ![
                "WebSocket connection to",
                "Web Socket",
                "net::ERR_",
                "ws://",
                "EventSource",
                "Loading failed for the module",
                "dynamically imported module",
                // A server that drains answers 503, as JSON.
                "status of 503",
                "MIME type",
            ]
            .iter()
            .any(|part| one.contains(part))
        });
        assert_eq!(complaints, [""; 0]);
        self.page.close().await.unwrap();
    }

    async fn extension(&self, path: &'static str, body: Value) -> Value {
        let command = Extension { path, body };
        self.page.issue_cmd(command).await.unwrap()
    }

    async fn devtools(&self, name: &str, params: Value) {
        let body = json!({ "cmd": name, "params": params });
        self.extension("goog/cdp/execute", body).await;
    }

    /// Runs a script in Firefox itself.
    async fn in_firefox(&self, script: &str, args: Value) -> Value {
        self.extension("moz/context", json!({ "context": "chrome" }))
            .await;
        let Value::Array(args) = args else { unreachable!() };
        let result = self.page.execute(script, args).await;
        self.extension("moz/context", json!({ "context": "content" }))
            .await;
        result.unwrap()
    }
}

impl Kind {
    /// Starts the driver, and returns it with its port. It and its browser keep their files in `folder`.
    async fn driver(self, folder: &Path) -> (Driver, String) {
        let (program, args, from, before, after): (_, &[&str], _, _, _) = match self {
            Self::Chromium => (
                "chromedriver, of Debian's chromium-driver",
                &["--port=0"],
                "chromedriver",
                "was started successfully on port ",
                '.',
            ),
            Self::Firefox => (
                "geckodriver, by cargo install geckodriver",
                &["--port=0", "--websocket-port=0", "--allow-system-access"],
                "geckodriver",
                "Listening on 127.0.0.1:",
                ' ',
            ),
        };
        // The port that the driver has chosen can be taken before it listens.
        for _ in 0..5 {
            let driver = Command::new(from)
                .args(args)
                .env("TMPDIR", folder)
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .expect(program);
            let mut driver = Driver(driver);
            if let Some(port) = find_in(driver.0.stdout.take().unwrap(), before, after).await {
                return (driver, port);
            }
        }
        panic!("{from} does not start");
    }

    fn capabilities(self, profile: &Path, setup: Setup, secure: bool) -> Value {
        let language = setup.language;
        match self {
            Self::Chromium => json!({
                "browserName": "chrome",
                "acceptInsecureCerts": secure,
                "goog:chromeOptions": { "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--disable-dev-shm-usage",
                    format!("--user-data-dir={}", profile.display()),
                    format!("--accept-lang={language}"),
                    format!("--lang={language}"),
                ]},
                "goog:loggingPrefs": { "browser": "ALL" },
            }),
            Self::Firefox => json!({
                "browserName": "firefox",
                "acceptInsecureCerts": secure,
                "moz:firefoxOptions": {
                    "binary": "/usr/bin/firefox-esr",
                    "args": ["-headless", "--width=1600", "--height=1100"],
                    "prefs": {
                        "intl.accept_languages": language,
                        // 1 is a coarse pointer, 6 a fine one that hovers.
                        "ui.primaryPointerCapabilities": if setup.touch { 1 } else { 6 },
                        "ui.allPointerCapabilities": if setup.touch { 1 } else { 6 },
                    },
                },
            }),
        }
    }
}

/// A command that only one driver has.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

/// The keys of a text, held together with Control: `control('k')`.
pub(crate) fn control(key: impl Into<char>) -> String {
    [Key::Control.into(), key.into()].iter().collect()
}
