"""Opens each URL with libcurl and prints what happened, as JSON: python3 curl.py KIND=URL... The package curl_cffi has it."""

import json
import sys

from curl_cffi import Curl, CurlHttpVersion, CurlWsFlag, Session


def open_with_curl(kind, url):
    offer = {"Sec-WebSocket-Protocol": "a, b"} if kind == "two-subprotocols" else {}
    state = "fails"
    try:
        socket = Session().ws_connect(url, headers=offer, http_version=CurlHttpVersion.V1_1, timeout=5)
        state = "opens, then fails"
        if kind != "glued":
            socket.send(b"x", CurlWsFlag.TEXT)
        socket.recv()
        state = "opens"
        socket.close()
    except Exception:  # libcurl's, or of the connection that it does not have
        pass
    return state


def main():
    if sys.argv[1:] == ["--version"]:
        return Curl().version().decode().split()[0].replace("/", " ").removesuffix("-IMPERSONATE")
    pairs = (argument.split("=", 1) for argument in sys.argv[1:])
    return {kind: open_with_curl(kind, url) for kind, url in pairs}


print(json.dumps(main()))
