#!/usr/bin/env python3
"""Starts ws-echo in an empty folder and uses it as a client: the page, ws, wss, a reset, the stop.

    python3 .ci/smoke.py STOP COMMAND...     such as: python3 .ci/smoke.py SIGTERM target/release/ws-echo

STOP is a signal, or `stdin` for the end of standard input. The first failure ends the program.
"""
import base64, os, re, signal, socket, ssl, struct, subprocess, sys, tempfile
from pathlib import Path

TIMEOUT = 60  # seconds for each step: far more than it takes, also under an emulator on a busy machine


def request(sock, path, fields=""):
    """Sends a request, and returns its status, its header section and a file of what follows."""
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
    stream = sock.makefile("rb")
    head = b"".join(iter(stream.readline, b"\r\n")).decode()
    return int(head.split()[1]), head, stream


def upgrade(sock, path):
    key = base64.b64encode(os.urandom(16)).decode()
    status, head, stream = request(
        sock,
        path,
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n",
    )
    assert status == 101, head
    return stream


def send(sock, payload):
    """Sends a text message as one frame, masked with zeros."""
    length = struct.pack(">B", 0x80 | len(payload)) if len(payload) < 126 else struct.pack(">BH", 0xFE, len(payload))
    sock.sendall(b"\x81" + length + bytes(4) + payload)


def receive(stream):
    """Returns the opcode and the payload of the next frame."""
    first, length = stream.read(2)
    if length == 126:
        (length,) = struct.unpack(">H", stream.read(2))
    return first & 0xF, stream.read(length)


def echo(sock, message):
    stream = upgrade(sock, "/?reply=verbatim")
    send(sock, message)
    assert receive(stream) == (1, message)
    return stream


def expect_reset(sock):
    stream = upgrade(sock, "/?abort")
    try:
        assert False, f"{stream.read(1)} instead of a reset"
    except ConnectionResetError:
        pass


def smoke(stop, command):
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    arguments = "--listen 127.0.0.1:0 --tls-listen 127.0.0.1:0 --tls-self-signed --tls-ca-out ca.pem"
    if stop == "stdin":
        arguments += " --shutdown-on-stdin-end"
    server = subprocess.Popen(
        [*command, *arguments.split()], cwd=folder.name, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        ports, log = {}, ""
        for line in server.stderr:
            log += line
            if listening := re.search(r"listening url=(https?)://127\.0\.0\.1:(\d+)", line):
                ports[listening[1]] = int(listening[2])
            if len(ports) == 2:
                break
        assert len(ports) == 2, f"the server ended: {log}"

        def connect(scheme):
            return socket.create_connection(("127.0.0.1", ports[scheme]), TIMEOUT)

        status, head, stream = request(connect("http"), "/", "Connection: close\r\n")
        page = stream.read()
        assert status == 200 and b"<html" in page, head
        print(f"the page: {len(page)} bytes")
        plain = connect("http")
        session = echo(plain, "héllo".encode())
        echo(connect("http"), b"m" * 60_000)
        tls = ssl.create_default_context(cafile=Path(folder.name, "ca.pem"))
        secure = tls.wrap_socket(connect("https"), server_hostname="localhost")
        echo(secure, b"over TLS")
        print(f"echoes over ws, and over wss with {secure.version()}")
        expect_reset(connect("http"))
        print("?abort is a reset")
        server.stdin.close() if stop == "stdin" else server.send_signal(signal.Signals[stop])
        opcode, payload = receive(session)
        assert (opcode, payload[:2]) == (8, struct.pack(">H", 1001)), (opcode, payload)
        plain.sendall(b"\x88\x82" + bytes(4) + payload[:2])
        secure.close()
        log = server.stderr.read()
        assert server.wait(TIMEOUT) == 0 and "stopped" in log, (server.returncode, log)
        print(f"{stop}: Close 1001, exit code 0")
    finally:
        server.kill()
        server.wait()


if len(sys.argv) < 3:
    sys.exit(__doc__)
socket.setdefaulttimeout(TIMEOUT)
smoke(sys.argv[1], sys.argv[2:])
