// Runs web-platform-tests' tests of WebSockets in Chromium against ws-echo. README.md has the commands.
//
// usage: node tests/wpt/run.mjs FOLDER [PART-OF-A-NAME]     FOLDER has websockets/ and resources/testharness.js
//
// The pages and their WebSockets come through one server, which passes each connection on to ws-echo with the URL that
// replaces the handler, and changes nothing else of it.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { targetFor } from "./handlers.mjs";

const [folder, part = ""] = process.argv.slice(2);
const PAGES_AT_ONCE = 3;
/** The harness reports its own timeout after 10 or 60 seconds. A page that reports nothing by then is broken. */
const PAGE_TIMEOUT_MS = 90_000;
/** Names of two sites, which the browser resolves to this machine. Without a name, localhost, all cookies are of one site. */
const HOST = "web-platform.test";
const OTHER_HOST = "not-web-platform.test";
/** Without a charset: some pages declare their own. */
const TYPES = { ".html": "text/html", ".js": "text/javascript" };
const NEEDS_MORE = /testdriver|remote-context|\.py\b|pipe=/;

const REPORT = `add_completion_callback((tests, { status, message }) => fetch("/result", { method: "POST", body: JSON.stringify({
  page: location.pathname, status, message, tests: tests.map(({ name, status, message }) => ({ name, status, message })) }) }));`;

/** Returns the lines of `// META: NAME=` in a test. */
const metas = (text, name) => [...text.matchAll(/^\/\/ META: (\w+)=(.*)$/gm)].filter((meta) => meta[1] === name).map((meta) => meta[2]);
const scope = (worker) => `self.GLOBAL = { isWindow: () => ${!worker}, isWorker: () => ${worker}, isShadowRealm: () => false };`;
/** Reads a file as one character a byte, so that it is sent as it stands. */
const read = (path) => readFileSync(join(folder, path), "latin1");

/** Returns the page, or the script of a worker, that wpt's server makes from a test in `.any.js`. */
function generated(path) {
  const test = path.replace(/\.(any|window)(\.worker)?\.(html|js)$/, ".$1.js");
  const text = read(test);
  const scripts = [...metas(text, "script"), `/${test}`];
  if (path.endsWith(".worker.js")) {
    return `${scope(true)} importScripts("/resources/testharness.js"); importScripts(${scripts.map((name) => JSON.stringify(name))}); done();`;
  }
  const long = metas(text, "timeout").includes("long") ? "<meta name=timeout content=long>" : "";
  const head = `<!doctype html><meta charset=utf-8>${long}<script src=/resources/testharness.js></script><script src=/resources/testharnessreport.js></script>`;
  if (path.endsWith(".worker.html")) {
    const worker = `/${path.replace(/html$/, "js")}`;
    return `${head}<script>fetch_tests_from_worker(new Worker("${worker}" + location.search));</script>`;
  }
  const tags = scripts.map((name) => `<script src="${name}"></script>`).join("");
  return `${head}<script>${scope(false)}</script><div id=log></div>${tags}`;
}

/** Fills in what wpt's server fills in. */
function substituted(text, port) {
  const values = { "host": HOST, "hosts[alt][www]": OTHER_HOST, "hosts[alt][]": OTHER_HOST };
  return text.replace(/\{\{(.*?)\}\}/g, (_, name) => values[name] ?? port);
}

const results = new Map();

function answer(request, response) {
  if (request.method === "POST") {
    const parts = [];
    request.on("data", (data) => parts.push(data)).on("end", () => {
      const result = JSON.parse(Buffer.concat(parts));
      results.get(result.page)?.(result);
      response.end();
    });
    return;
  }
  const path = decodeURIComponent(request.url.split("?")[0].slice(1));
  try {
    let text;
    if (path === "resources/testharnessreport.js") text = REPORT;
    else if (path === "resources/WebIDLParser.js") text = read("resources/webidl2/lib/webidl2.js");
    else if (/\.any\.(html|worker\.(html|js))$/.test(path)) text = generated(path);
    else text = read(path);
    if (path.includes(".sub.")) text = substituted(text, request.socket.localPort);
    else if (path.endsWith(".html")) text = text.replace(/\{\{(host|ports\[ws\]\[0\])\}\}/g, (whole) => substituted(whole, request.socket.localPort));
    response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }).end(text, "latin1");
  } catch {
    response.writeHead(404).end();
  }
}

/** Passes a connection on to ws-echo. */
function passOn(echo, request, client, head) {
  const upstream = connect(echo.port, echo.host);
  const fields = request.rawHeaders.map((text, index) => text + (index % 2 ? "\r\n" : ": "));
  upstream.write(`GET ${targetFor(request.url, request.headers["sec-websocket-protocol"])} HTTP/1.1\r\n${fields.join("")}\r\n`);
  upstream.write(head);
  client.pipe(upstream).pipe(client);
  client.on("error", () => upstream.resetAndDestroy());
  upstream.on("error", () => client.resetAndDestroy());
}

/** Starts Chromium and returns a function that sends a command of its DevTools protocol, over pipes. */
function startBrowser(profile, origin) {
  const flags = ["--headless=new", "--no-sandbox", "--no-first-run", "--disable-popup-blocking", `--user-data-dir=${profile}`, "--remote-debugging-pipe",
    "--enable-blink-features=WebSocketStream", "--js-flags=--expose-gc", "--host-resolver-rules=MAP *.test 127.0.0.1",
    `--unsafely-treat-insecure-origin-as-secure=${origin}`, "about:blank"];
  const browser = spawn(process.env.CHROMIUM ?? "chromium", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const waiting = new Map();
  let unread = "";
  let count = 0;
  browser.stdio[4].setEncoding("utf8").on("data", (data) => {
    const messages = (unread + data).split("\0");
    unread = messages.pop();
    for (const { id, result } of messages.map((text) => JSON.parse(text))) waiting.get(id)?.(result);
  });
  const send = (method, params) => new Promise((resolve) => {
    waiting.set(++count, resolve);
    browser.stdio[3].write(`${JSON.stringify({ id: count, method, params })}\0`);
  });
  return { browser, send };
}

/** Returns the pages to open, and the tests that need more than this server. */
function pages() {
  const open = [];
  const left = [];
  for (const entry of readdirSync(join(folder, "websockets"), { recursive: true }).sort()) {
    const path = join("websockets", entry);
    const isAny = path.endsWith(".any.js");
    if (!path.includes(part) || !(isAny || path.endsWith(".html"))) continue;
    const text = read(path);
    if (!isAny && !text.includes("testharness.js")) continue;
    if (path.includes(".https.") || NEEDS_MORE.test(text)) {
      left.push(path);
      continue;
    }
    open.push(path.replace(/\.any\.js$/, ".any.html"));
    if (isAny && !/^window$/.test(metas(text, "global")[0] ?? "")) open.push(path.replace(/\.any\.js$/, ".any.worker.html"));
  }
  return { open, left };
}

async function run(send, origin, page) {
  let timer;
  const result = new Promise((resolve) => {
    results.set(`/${page}`, resolve);
    timer = setTimeout(() => resolve({ status: 2, message: "the page reported nothing", tests: [] }), PAGE_TIMEOUT_MS);
  });
  const { targetId } = await send("Target.createTarget", { url: `${origin}/${page}?default` });
  const { status, message, tests } = await result;
  clearTimeout(timer);
  await send("Target.closeTarget", { targetId });
  const failed = tests.filter((test) => test.status !== 0);
  for (const test of failed) console.log(`FAIL ${page}: ${test.name}: ${test.message?.split("\n")[0]}`);
  if (status !== 0 && failed.length === 0) console.log(`FAIL ${page}: ${message}`);
  return { page, any: page.includes(".any."), ok: status === 0 && failed.length === 0, tests: tests.length, passed: tests.length - failed.length };
}

const server = spawn(new URL("../../target/debug/ws-echo", import.meta.url).pathname,
  ["--listen", "127.0.0.1:0", "--print-address", "json"], { stdio: ["ignore", "pipe", "ignore"], cwd: new URL("../..", import.meta.url).pathname });
const line = await new Promise((resolve) => createInterface(server.stdout).once("line", resolve));
const echo = { host: "127.0.0.1", port: Number(/127\.0\.0\.1:(\d+)/.exec(line)[1]) };
const http = createServer(answer).on("upgrade", (request, socket, head) => passOn(echo, request, socket, head));
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
const origin = `http://${HOST}:${http.address().port}`;
const profile = mkdtempSync(join(tmpdir(), "wpt-"));
const { browser, send } = startBrowser(profile, origin);

const { open, left } = pages();
const done = [];
const waiting = [...open];
await Promise.all(Array.from({ length: PAGES_AT_ONCE }, async () => {
  while (waiting.length > 0) done.push(await run(send, origin, waiting.shift()));
}));

for (const [name, chosen] of [[".any.js", done.filter(({ any }) => any)], [".html", done.filter(({ any }) => !any)]]) {
  const sum = (key) => chosen.reduce((total, page) => total + Number(page[key]), 0);
  console.log(`${name}: ${sum("ok")} of ${chosen.length} pages pass, with ${sum("passed")} of ${sum("tests")} tests`);
}
console.log(`not run, because they need wpt's own server: ${left.join(" ") || "none"}`);

browser.once("exit", () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
await send("Browser.close");
server.kill();
http.closeAllConnections();
http.close();
