#!/usr/bin/env python3
"""Measures the server's memory for an open connection, with and without permessage-deflate and TLS.

    cargo build --release
    python3 benches/connection_memory.py [BINARY]

Starts a server for each row, opens CONNECTIONS connections, and divides the growth of its resident memory by their
number. Linux only: it reads /proc.
"""

import os
import sys
import zlib

from websocket import ROOT, connect, header, read_frame, resident, ws_echo

CONNECTIONS = 1000
BINARY = sys.argv[1] if len(sys.argv) > 1 else None
TEXT = b"A text that is long enough to be compressed, for it says the same thing again: long enough to be compressed."
DEFLATE = "permessage-deflate"


def echo(client, compressed):
    payload = TEXT
    if compressed:
        # 9 bits are within every window that may be negotiated.
        deflate = zlib.compressobj(wbits=-9)
        payload = (deflate.compress(TEXT) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    # A masking key of 0 leaves the payload unchanged.
    client.sendall(header(0xC1 if compressed else 0x81, len(payload)) + bytes(4) + payload)
    first, reply = read_frame(client)
    if first & 0x40:
        reply = zlib.decompressobj(wbits=-15).decompress(reply + b"\0\0\xff\xff")
    if bool(first & 0x40) != compressed or reply != TEXT:
        sys.exit("the reply is not the message")


def row(name, offer=None, message=False, tls=False, pings=0):
    flags = ["--ping-interval", "1s"] if pings else []
    with ws_echo("--static-dir", os.path.join(ROOT, "static"), *flags, binary=BINARY, tls=tls) as server:

        def open_clients(count):
            clients = [connect(server.port, tls, offer) for _ in range(count)]
            for client in clients if message else []:
                echo(client, bool(offer))
            return clients

        # The first connections of each worker allocate memory that all share.
        warm = open_clients(16)
        before = resident(server.process)
        clients = open_clients(CONNECTIONS)
        for client in clients * pings:
            if read_frame(client)[0] != 0x89:
                sys.exit("expected a Ping")
        # The allocator frees returned memory only when new memory is allocated.
        for _ in range(2 * CONNECTIONS):
            connect(server.port, tls, offer).close()
        each = (resident(server.process) - before) / CONNECTIONS
        print(f"{each:>10,.0f}  {name}", flush=True)
        for client in clients + warm:
            client.close()


print(f"{CONNECTIONS} connections, bytes of resident memory for each one")
row("plain, idle")
row("plain, one message echoed", message=True)
row("permessage-deflate negotiated, not used", DEFLATE)
row("permessage-deflate, one message echoed", DEFLATE, True)
windows = f"{DEFLATE}; server_max_window_bits=9; client_max_window_bits=9"
row("the same, windows of 9 bits", windows, True)
takeover = f"{DEFLATE}; server_no_context_takeover; client_no_context_takeover"
row("the same, no context takeover on either side", takeover, True)
# Two ping intervals without a message, and the second for which mimalloc keeps freed memory.
row("permessage-deflate, one message echoed, then idle for two ping intervals", DEFLATE, True, pings=5)
row("wss, idle", tls=True)
row("wss, one message echoed", message=True, tls=True)
