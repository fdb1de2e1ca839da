#!/usr/bin/env python3
"""Prints what clients do with each kind of ?handshake=, as a table. README.md has the commands.

usage: python3 tests/handshakes/clients.py DIRECTORY      where ws, undici, py/websockets and py/curl_cffi are installed
"""

import http.server
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = os.path.join(HERE, "../../target/debug/ws-echo")
KINDS = ["wrong-accept", "no-accept", "no-upgrade", "http10", "garbage", "truncated", "folded", "two-subprotocols",
         "unasked-extension", "glued"]
# The page opens each URL and sends the results to its own server.
PAGE = """<!doctype html><script type="module">
const open = (kind, url) => new Promise((resolve) => {
  const socket = kind === "two-subprotocols" ? new WebSocket(url, ["a", "b"]) : new WebSocket(url);
  let state = "fails";
  const end = (result) => { resolve(result); socket.close(); };
  setTimeout(() => end("waits"), 5000);
  socket.onopen = () => {
    state = "opens, and the first frame is lost";
    if (kind !== "glued") socket.send("x"); else setTimeout(() => end(state), 500);
  };
  socket.onmessage = () => end("opens");
  socket.onclose = () => end(state);
});
const results = {};
for (const [kind, url] of Object.entries(TARGETS)) results[kind] = await open(kind, url);
fetch("/", { method: "POST", body: JSON.stringify(results) });
</script>"""


def start(command, pattern, stream="stderr"):
    """Starts a process and returns it with what the pattern finds in its output."""
    process = subprocess.Popen(command, text=True, **{stream: subprocess.PIPE})
    for line in getattr(process, stream):
        if found := re.search(pattern, line):
            return process, found[1]
    raise SystemExit(f"{command[0]} has ended")


def of_program(command, targets):
    arguments = [f"{kind}={url}" for kind, url in targets.items()]
    environment = dict(os.environ, PYTHONPATH=os.path.join(sys.argv[1], "py"))
    return json.loads(subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True).stdout)


def of_browser(command, profile_flag, targets):
    """Returns what a browser without a window sends back from the page."""
    results = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = PAGE.replace("TARGETS", json.dumps(targets)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self):
            results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as pages, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{pages.server_port}/"
        command = [*command, *profile_flag(profile), url]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            return results.get(timeout=120)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            pages.shutdown()


def main():
    server, address = start([SERVER, "--listen=127.0.0.1:0"], r"(127\.0\.0\.1:\d+)")
    targets = {kind: f"ws://{address}/?reply=verbatim&handshake={kind}" for kind in KINDS}
    node = ["node", os.path.join(HERE, "client.mjs")]
    columns = {}
    try:
        for name in ["ws", "undici"]:
            package = json.load(open(os.path.join(sys.argv[1], "node_modules", name, "package.json")))
            columns[f"{name} {package['version']}"] = of_program([*node, name, sys.argv[1]], targets)
        version = [name for name in os.listdir(os.path.join(sys.argv[1], "py")) if re.match(r"websockets-.*dist-info", name)]
        columns["websockets " + version[0][11:-10]] = of_program([sys.executable, os.path.join(HERE, "client.py")], targets)
        curl = [sys.executable, os.path.join(HERE, "curl.py")]
        columns[of_program([*curl, "--version"], {})] = of_program(curl, targets)
        browsers = {
            "chromium": (["--headless", "--no-sandbox"], lambda profile: [f"--user-data-dir={profile}"]),
            "firefox": (["--headless", "--no-remote"], lambda profile: ["--profile", profile]),
        }
        for browser, (flags, profile_flag) in browsers.items():
            if shutil.which(browser):
                version = subprocess.run([browser, "--version"], capture_output=True, text=True).stdout
                version = re.search(r"[A-Z]\w+ [\d.]+", version.replace("Mozilla ", ""))[0]
                columns[version] = of_browser([browser, *flags], profile_flag, targets)
    finally:
        server.terminate()
    print("| `handshake=` | " + " | ".join(columns) + " |\n|---" * 1 + "|---" * len(columns) + "|")
    for kind in KINDS:
        print(f"| `{kind}` | " + " | ".join(column[kind] for column in columns.values()) + " |")


main()
