#!/usr/bin/env python3
"""How many instructions of the server, in user space, an echoed message takes: a figure that a busy machine cannot blur.

    cargo build --release
    python3 benches/instructions.py [COMMAND...]

COMMAND starts another server than ws-echo, which must say "listening on" and its address on 127.0.0.1: the peers of
benches/compare do (`benches/compare/target/release/compare serve fastwebsockets`).

Runs the server under valgrind's callgrind twice for each row, with few messages and with many, and divides the
difference of the instructions by that of the messages: what starting, stopping and the handshake take is in neither.
Nothing but Python's own library and valgrind is needed.
"""

import base64
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = [os.path.join(ROOT, "target/release/ws-echo"), "--listen", "127.0.0.1:0", "--workers", "1",
        "--max-message-size", "16MiB"]
COMMAND = sys.argv[1:] or OURS
MASK = b"\x37\xfa\x21\x3d"

# Payload bytes, messages in flight, few and many messages.
ROWS = [(32, 1, 500, 5500), (32, 16, 1600, 17600), (1024, 1, 500, 3500), (16 * 1024, 1, 100, 1100),
        (1024 * 1024, 1, 4, 24)]


def frame(payload):
    """A masked binary frame."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", 0x82, 0x80 | length)
    elif length < 65536:
        head = struct.pack(">BBH", 0x82, 0x80 | 126, length)
    else:
        head = struct.pack(">BBQ", 0x82, 0x80 | 127, length)
    masked = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload[:1024]))
    return head + MASK + masked * max(1, length // max(1, len(masked)))


def reply(length):
    """Bytes of the echo."""
    return length + (2 if length < 126 else 4 if length < 65536 else 10)


def read(peer, count):
    while count:
        got = len(peer.recv(min(count, 1 << 20)))
        if not got:
            sys.exit("the server closed the connection")
        count -= got


def port_of(server):
    seen = []
    for line in server.stdout:
        seen.append(line.decode(errors="replace"))
        if found := re.search(r"listening on \D*127\.0\.0\.1:(\d+)", seen[-1]):
            return int(found[1])
    sys.exit("the server said no address:\n" + "".join(seen))


def instructions(size, in_flight, messages):
    """Instructions of a server's whole life with so many messages."""
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "callgrind.out")
        server = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *COMMAND],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        peer = socket.create_connection(("127.0.0.1", port_of(server)))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        peer.sendall(
            f"GET /?reply=verbatim HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += peer.recv(1)
        if not head.startswith(b"HTTP/1.1 101"):
            sys.exit(f"not the handshake that was meant:\n{head.decode()}")
        batch = frame(bytes(size)) * in_flight
        for _ in range(messages // in_flight):
            peer.sendall(batch)
            read(peer, reply(size) * in_flight)
        peer.close()
        server.terminate()
        server.stdout.read()
        server.wait()
        # One file, or one for each thread.
        total = 0
        for name in os.listdir(directory):
            with open(os.path.join(directory, name), errors="replace") as counts:
                total += sum(int(line.split()[1]) for line in counts if line.startswith("totals:"))
        return total


def main():
    print("| bytes | in flight | instructions a message |")
    print("|---:|---:|---:|")
    for size, in_flight, few, many in ROWS:
        difference = instructions(size, in_flight, many) - instructions(size, in_flight, few)
        print(f"| {size:,} | {in_flight} | {difference / (many - few):,.0f} |", flush=True)


main()
