#!/usr/bin/env python3
"""Counts the server's instructions in user space for an echoed message, which do not depend on the machine's load.

    cargo build --release
    python3 benches/instructions.py [COMMAND...]

COMMAND starts a server other than ws-echo. It must print "listening on" and its address on 127.0.0.1, as the servers of
benches/compare do (`benches/compare/target/release/compare serve fastwebsockets`).

Runs the server under valgrind's callgrind twice for each row, with few messages and with many, and divides the
difference of the instructions by that of the messages. So the start, both handshakes and the exit do not count.
"""

import glob
import sys
import tempfile

from websocket import BINARY, Server, connect, header, read

COMMAND = sys.argv[1:] or [BINARY, "--listen=127.0.0.1:0", "--workers=1", "--max-message-size=16MiB"]
MASK = b"\x37\xfa\x21\x3d"

# Payload bytes, messages in flight, few and many messages.
ROWS = [(32, 1, 500, 5500), (32, 16, 1600, 17600), (1024, 1, 500, 3500), (16 * 1024, 1, 100, 1100),
        (1024 * 1024, 1, 4, 24)]


def instructions(size, in_flight, messages):
    """Returns the instructions of a server that echoes this number of messages and ends."""
    with tempfile.TemporaryDirectory() as directory:
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/callgrind.out"]
        with Server([*valgrind, *COMMAND]) as server:
            client = connect(server.port)
            # A payload of zeros is the masking key after masking.
            batch = (header(0x82, size) + MASK + MASK * (size // 4)) * in_flight
            for _ in range(messages // in_flight):
                client.sendall(batch)
                read(client, (len(header(0x82, size, mask=0)) + size) * in_flight)
            client.close()
        # There is one file, or one for each thread.
        counts = [line for path in glob.glob(f"{directory}/*") for line in open(path, errors="replace")]
        return sum(int(line.split()[1]) for line in counts if line.startswith("totals:"))


print("| bytes | in flight | instructions a message |")
print("|---:|---:|---:|")
for size, in_flight, few, many in ROWS:
    difference = instructions(size, in_flight, many) - instructions(size, in_flight, few)
    print(f"| {size:,} | {in_flight} | {difference / (many - few):,.0f} |", flush=True)
