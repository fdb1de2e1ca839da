#!/usr/bin/env python3
"""What an open connection costs the server in memory, with and without permessage-deflate and TLS.

    cargo build --release
    python3 benches/connection_memory.py [BINARY]

Starts a server for each row, opens CONNECTIONS sockets to it, and divides the growth of its resident memory by their
number. Linux only: it reads /proc. Nothing but Python's own library is needed.
"""

import base64
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import zlib

CONNECTIONS = 1000
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/release/ws-echo")
TEXT = b"A text that is long enough to be compressed, for it says the same thing again: long enough to be compressed."


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


def read(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            sys.exit("the server closed a connection")
        data += more
    return data


def read_frame(peer):
    first, length = read(peer, 2)
    if length == 126:
        (length,) = struct.unpack(">H", read(peer, 2))
    return first, read(peer, length)


def context():
    """A client that believes whatever it is shown: the server's memory is what is measured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(port, offer, tls):
    peer = socket.create_connection(("127.0.0.1", port))
    if tls:
        peer = tls.wrap_socket(peer)
    key = base64.b64encode(os.urandom(16)).decode()
    extensions = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
    peer.sendall(
        f"GET /?reply=verbatim HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{extensions}\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read(peer, 1)
    if not head.startswith(b"HTTP/1.1 101") or (b"permessage-deflate" in head) != bool(offer):
        sys.exit(f"not the handshake that was meant:\n{head.decode()}")
    return peer


def echo(peer, compressed):
    payload = TEXT
    if compressed:
        # 9 bits are within every window that may have been agreed.
        deflate = zlib.compressobj(wbits=-9)
        payload = (deflate.compress(TEXT) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    # A masking key of 0 leaves the payload as it is.
    peer.sendall(bytes([0xC1 if compressed else 0x81, 0x80 | len(payload)]) + bytes(4) + payload)
    first, reply = read_frame(peer)
    if bool(first & 0x40) != compressed:
        sys.exit("the reply is compressed, or is not, against expectation")
    if compressed:
        reply = zlib.decompressobj(wbits=-15).decompress(reply + b"\0\0\xff\xff")
    if reply != TEXT:
        sys.exit("the reply is not the message")


def port_of(server, scheme):
    for line in server.stderr:
        found = re.search(rb"listening on %b://127\.0\.0\.1:(\d+)" % scheme, line)
        if found:
            return int(found[1])
    sys.exit("the server did not start")


def hear_pings(peer):
    """Until it has been silent for two whole intervals, and what it gave back for the second that mimalloc keeps that."""
    for _ in range(5):
        first, _payload = read_frame(peer)
        if first != 0x89:
            sys.exit("not the Ping that was awaited")


def cost(offer, say, tls=None, settle=lambda peer: None, flags=()):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WS_ECHO_")}
    environment["RUST_LOG"] = "info"
    server = subprocess.Popen(
        [BINARY, "--listen", "127.0.0.1:0", "--static-dir", os.path.join(ROOT, "static")]
        + [*flags]
        + (["--tls-listen", "127.0.0.1:0", "--tls-self-signed"] if tls else []),
        stderr=subprocess.PIPE,
        env=environment,
    )
    try:
        port = port_of(server, b"https" if tls else b"http")
        # The log has to go somewhere, or the server would wait for it.
        drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
        # What the first connection of each worker makes once is not the others' cost.
        warm = [connect(port, offer, tls) for _ in range(16)]
        for peer in warm:
            say(peer)
        before = resident(server.pid)
        peers = [connect(port, offer, tls) for _ in range(CONNECTIONS)]
        for peer in peers:
            say(peer)
        for peer in peers:
            settle(peer)
        # The allocator looks after what was given back when it is asked for something.
        for _ in range(2 * CONNECTIONS):
            connect(port, offer, tls).close()
        grown = resident(server.pid) - before
        for peer in peers + warm:
            peer.close()
        return grown / CONNECTIONS
    finally:
        server.terminate()
        server.wait()
        drain.wait()


def main():
    def silent(_):
        pass

    rows = [
        ("plain, silent", None, silent),
        ("plain, one message echoed", None, lambda peer: echo(peer, False)),
        ("permessage-deflate agreed, silent", "permessage-deflate", silent),
        ("permessage-deflate, one message echoed", "permessage-deflate", lambda peer: echo(peer, True)),
        (
            "the same, windows of 9 bits",
            "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
            lambda peer: echo(peer, True),
        ),
        (
            "the same, no context takeover on either side",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            lambda peer: echo(peer, True),
        ),
    ]
    secure = [("wss, silent", None, silent), ("wss, one message echoed", None, lambda peer: echo(peer, False))]
    print(f"{CONNECTIONS} connections, bytes of resident memory for each one")
    for name, offer, say in rows:
        print(f"{cost(offer, say):>10,.0f}  {name}", flush=True)
    rested = cost(
        "permessage-deflate", lambda peer: echo(peer, True), settle=hear_pings, flags=["--ping-interval", "1s"]
    )
    print(f"{rested:>10,.0f}  permessage-deflate, one message echoed, then silent for two ping intervals", flush=True)
    for name, offer, say in secure:
        print(f"{cost(offer, say, context()):>10,.0f}  {name}", flush=True)


if __name__ == "__main__":
    main()
