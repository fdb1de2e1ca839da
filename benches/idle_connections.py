#!/usr/bin/env python3
"""Measures the memory for an idle connection: of the server, of the kernel, of HAProxy, and of TLS.

    cargo build --release
    sudo python3 benches/idle_connections.py [BINARY]

Opens CONNECTIONS idle WebSocket connections to a new server for each row: directly, with TLS, and through the `haproxy`
on the PATH with deploy/haproxy.cfg. Only root can read /proc/slabinfo. No other process should open or close connections
meanwhile. docs/capacity.md explains the figures. Linux only.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile

from websocket import ROOT, connect, resident, ws_echo

CONNECTIONS = 4000
BINARY = sys.argv[1] if len(sys.argv) > 1 else None
# The kernel's caches for the parts of a TCP connection.
CACHES = r"(TCP|TCPv6|sock_inode_cache|dentry|filp|tw_sock_TCP|request_sock_TCP|eventpoll_\w+|ep_head|kmalloc-\S+)$"


def start(tls=False):
    # A Ping would have to be answered during the measurement.
    flags = ["--ping-interval=0", "--idle-timeout=0"]
    return ws_echo(*flags, binary=BINARY, tls=tls, log="warn,ws_echo::server=info")


def kernel():
    """Returns the bytes of the objects in use by cache, and those of all caches."""
    with open("/proc/slabinfo") as slabs:
        lines = [line.split()[:4] for line in slabs.readlines()[2:]]
    caches = {name: int(active) * int(size) for name, active, _, size in lines if re.match(CACHES, name)}
    with open("/proc/meminfo") as memory:
        return caches, int(re.search(r"^Slab:\s+(\d+) kB", memory.read(), re.M)[1]) * 1024


def haproxy(replica):
    """Starts HAProxy with the shipped configuration, except that one server replaces the name service."""
    with open(os.path.join(ROOT, "deploy/haproxy.cfg")) as file:
        config = file.read()
    config = re.sub(r"server-template .*", f"server replica 127.0.0.1:{replica} source 127.0.0.10", config)
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file, socket.create_server(("127.0.0.1", 0)) as listener:
        file.write(config)
        file.flush()
        process = subprocess.Popen(
            ["haproxy", "-db", "-f", file.name],
            stdin=listener,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "BIND": "fd@0"},
        )
        port = listener.getsockname()[1]
        # HAProxy has read the file when it answers.
        connect(port).close()
    return process, port


def row(name, port, processes, ends, tls=False):
    # The first connections allocate memory that all share.
    clients = [connect(port, tls) for _ in range(100)]
    before, (caches, slabs) = [resident(process) for process in processes], kernel()
    clients += [connect(port, tls) for _ in range(CONNECTIONS)]
    grown = [(resident(process) - old) // CONNECTIONS for process, old in zip(processes, before)]
    after, all_slabs = kernel()
    # All ends of a connection are on this machine, and cost the same.
    each_end = (all_slabs - slabs) // CONNECTIONS // ends
    print(f"{name:28}" + "".join(f"{bytes:>10,}" for bytes in grown) + f"  kernel, an end: {each_end:,}")
    by_cache = sorted(((after[cache] - caches[cache]) // CONNECTIONS // ends, cache) for cache in caches)[::-1]
    print("    " + ", ".join(f"{cache} {bytes:,}" for bytes, cache in by_cache if bytes > 30), flush=True)
    for client in clients:
        client.close()


print(f"{CONNECTIONS} idle connections; bytes of resident memory for each, in the server and in HAProxy before it")
with start() as server:
    row("plain", server.port, [server.process], 2)
with start(tls=True) as server:
    row("TLS", server.port, [server.process], 2, tls=True)
with start() as server:
    process, port = haproxy(server.port)
    try:
        row("through HAProxy", port, [server.process, process], 4)
    finally:
        process.kill()
