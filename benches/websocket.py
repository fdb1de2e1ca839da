"""Servers and WebSocket connections for the scripts in this directory. Only Python's own library is needed."""

import base64
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, "target/release/ws-echo")
# Accepts every certificate: the cost of the server is measured, not that of the client.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


class Server:
    """A server process. It ends with the `with` block."""

    def __init__(self, command, scheme="", log="info"):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WS_ECHO_")}
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**environment, "RUST_LOG": log}
        )
        lines = []
        for line in self.process.stdout:
            lines.append(line.decode(errors="replace"))
            if found := re.search(rf"listening (?:on |url=){scheme}\D*127\.0\.0\.1:(\d+)", lines[-1]):
                self.port = int(found[1])
                break
        else:
            sys.exit("the server does not listen:\n" + "".join(lines))
        # A full pipe would block the server.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def ws_echo(*flags, binary=None, tls=False, log="info"):
    """Starts ws-echo and returns it with the port of its plain or of its TLS listener."""
    command = [binary or BINARY, "--listen", "127.0.0.1:0", *flags]
    if tls:
        command += ["--tls-listen", "127.0.0.1:0", "--tls-self-signed"]
    return Server(command, "https" if tls else "http", log)


def resident(process):
    """Returns the bytes of resident memory."""
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


def read(client, count):
    data = bytearray()
    while len(data) < count:
        received = client.recv(min(count - len(data), 1 << 20))
        if not received:
            sys.exit("the server closed a connection")
        data += received
    return bytes(data)


def connect(port, tls=False, offer=None):
    """Connects and does the opening handshake."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls:
        client = TLS.wrap_socket(client)
    key = base64.b64encode(os.urandom(16)).decode()
    extensions = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
    client.sendall(
        f"GET /?reply=verbatim HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{extensions}\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read(client, 1)
    if not head.startswith(b"HTTP/1.1 101") or (b"permessage-deflate" in head) != bool(offer):
        sys.exit(f"unexpected response to the handshake:\n{head.decode()}")
    return client


def header(first, length, mask=0x80):
    """Returns the header of a client's frame without the masking key, or of a server's frame (mask=0)."""
    if length < 126:
        return struct.pack(">BB", first, mask | length)
    if length < 65536:
        return struct.pack(">BBH", first, mask | 126, length)
    return struct.pack(">BBQ", first, mask | 127, length)


def read_frame(client):
    """Returns the first byte and the payload of a frame of less than 64 KiB."""
    first, length = read(client, 2)
    if length == 126:
        (length,) = struct.unpack(">H", read(client, 2))
    return first, read(client, length)
