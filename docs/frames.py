#!/usr/bin/env python3
"""Prints every frame of a WebSocket connection, with the seconds since the request.

usage: python3 docs/frames.py [--wait SECONDS] [--head] ws://[USER:PASSWORD@]HOST:PORT/PATH?QUERY [MESSAGE ...]

Sends each MESSAGE as a text message, waits (1 second by default), sends Close 1000, and exits. A MESSAGE that starts
with a slash is a command, as in wscat: /ping DATA, /close CODE REASON, and /size BYTES, a binary message of zeros.

With --head it prints the header fields of the response too, as they stand on the wire. A USER and a PASSWORD are sent
by the Basic scheme.

Needs Python 3.8 and no packages. It decodes frames itself, because WebSocket libraries hide them, and accepts any frame.
"""

import argparse
import base64
import os
import socket
import struct
import sys
import time
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
NAMES = {0: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", 10: "pong"}
CLOSE_TIMEOUT = 2


class Connection:
    """A connection after its opening handshake. Exits if there is no 101."""

    def __init__(self, url, head):
        url = urlsplit(url)
        self.socket = socket.create_connection((url.hostname, url.port or 80))
        self.start = time.monotonic()
        self.unread = b""
        target = (url.path or "/") + ("?" + url.query if url.query else "")
        authority = url.netloc.rpartition("@")[2]
        credentials = f"{url.username}:{url.password}".encode()
        fields = f"Authorization: Basic {base64.b64encode(credentials).decode()}\r\n" if url.username else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{fields}\r\n".encode()
        )
        try:
            while b"\r\n\r\n" not in self.unread:
                self.receive()
        except EOFError:
            self.log(f"{self.unread.decode()!r}")
            self.log("end of the TCP connection")
            sys.exit()
        response, self.unread = self.unread.split(b"\r\n\r\n", 1)
        status, *fields = response.decode().split("\r\n")
        self.log(status)
        refused = " 101 " not in status
        if head or refused:
            print(*sorted(field for field in fields if not field.startswith("date:")), sep="\n")
        if refused:
            length = [field.split(": ")[1] for field in fields if field.startswith("content-length:")]
            print(self.take(int(length[0]) if length else 0).decode())
            sys.exit()

    def log(self, line):
        print(f"{time.monotonic() - self.start:.1f} s  {line}", flush=True)

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.unread += data

    def take(self, count):
        while len(self.unread) < count:
            self.receive()
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def send(self, opcode, payload):
        length = len(payload)
        if length < 126:
            header = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
        elif length < 65536:
            header = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            header = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, length)
        self.log(f"> {NAMES[opcode]} {shown(opcode, payload)}")
        # A masking key of zeros leaves the payload as it is.
        self.socket.sendall(header + bytes(4) + payload)

    def read_frame(self, timeout):
        """Returns the opcode and the payload of the next frame. The timeout ends before the frame's first bytes."""
        self.socket.settimeout(max(timeout, 0.001))
        first, second = self.take(2)
        self.socket.settimeout(None)
        opcode, length = first & 15, second & 127
        notes = [] if first & 0x80 else ["FIN=0"]
        notes += [f"RSV{bit}=1" for bit in (1, 2, 3) if first & (0x80 >> bit)]
        if length == 126:
            (length,) = struct.unpack(">H", self.take(2))
            notes += ["(length not minimal)"] if length < 126 else []
        elif length == 127:
            (length,) = struct.unpack(">Q", self.take(8))
        mask = self.take(4) if second & 0x80 else bytes(4)
        notes += ["(masked)"] if second & 0x80 else []
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.take(length)))
        self.log(" ".join(["<", NAMES.get(opcode, f"opcode {opcode}"), *notes, shown(opcode, payload)]))
        return opcode, payload


def shown(opcode, payload):
    if opcode == CLOSE and len(payload) >= 2:
        return f'{int.from_bytes(payload[:2], "big")} "{payload[2:].decode(errors="replace")}"'
    if len(payload) > 1000:
        return f"of {len(payload)} bytes"
    text = payload.decode(errors="replace")
    return f'"{text}"' if text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text else str(payload)


def send_message(connection, message):
    """Sends a message or runs a command. Returns whether it was a Close frame."""
    command, _, rest = message.partition(" ")
    if command == "/close":
        code, _, reason = rest.partition(" ")
        connection.send(CLOSE, struct.pack(">H", int(code)) + reason.encode())
    elif command == "/ping":
        connection.send(PING, rest.encode())
    elif command == "/size":
        connection.send(BINARY, bytes(int(rest)))
    else:
        connection.send(TEXT, message.encode())
    return command == "/close"


def exchange(connection, messages, wait):
    """Sends the messages and prints frames until the connection ends. Returns how it ended."""
    closing = False
    try:
        for message in messages:
            closing = send_message(connection, message) or closing
        end = time.monotonic() + wait
        while True:
            try:
                opcode, payload = connection.read_frame(end - time.monotonic())
            except socket.timeout:
                if closing:
                    return "no Close frame from the server, TCP connection still open"
                connection.send(CLOSE, struct.pack(">H", 1000))
                closing, end = True, time.monotonic() + CLOSE_TIMEOUT
                continue
            if opcode == CLOSE and not closing:
                connection.send(CLOSE, payload)
                closing = True
    except EOFError:
        return "end of the TCP connection"
    except ConnectionError:
        return "TCP reset"


def main():
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS, formatter_class=form)
    parser.add_argument("--wait", type=float, default=1, metavar="SECONDS", help="before Close 1000 [default: 1]")
    parser.add_argument("--head", action="store_true", help="print the fields of the response")
    parser.add_argument("url", metavar="URL")
    parser.add_argument("message", metavar="MESSAGE", nargs="*", help="a text, or /ping, /close or /size as above")
    arguments = parser.parse_args()
    connection = Connection(arguments.url, arguments.head)
    connection.log(exchange(connection, arguments.message, arguments.wait))


main()
