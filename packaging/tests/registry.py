"""An npm registry on loopback with the packages of one folder, so that npm chooses among them as it does for a user."""

import base64
import hashlib
import http.server
import json
import pathlib
import tarfile
import threading
import urllib.parse


class Registry(http.server.ThreadingHTTPServer):
    """Serves until `shutdown()`. `url` is its address."""

    def __init__(self, folder: pathlib.Path):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.files = {path.name: path.read_bytes() for path in folder.glob("*.tgz")}
        self.packages: dict[str, bytes] = {}
        for path in folder.glob("*.tgz"):
            with tarfile.open(path) as file:
                manifest = json.load(file.extractfile("package/package.json"))
            digest = base64.b64encode(hashlib.sha512(self.files[path.name]).digest()).decode()
            manifest["dist"] = {"tarball": f"{self.url}-/{path.name}", "integrity": f"sha512-{digest}"}
            version = manifest["version"]
            package = {"name": manifest["name"], "dist-tags": {"latest": version}, "versions": {version: manifest}}
            self.packages[manifest["name"]] = json.dumps(package).encode()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path).lstrip("/")
        body = self.server.files.get(path[2:]) if path.startswith("-/") else self.server.packages.get(path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body if body is not None else b"{}")

    def log_message(self, *_) -> None:
        pass
