#!/usr/bin/env python3
"""What an idle connection costs all around the server: its own memory, the kernel's, HAProxy's, and that of TLS.

    cargo build --release
    sudo python3 benches/idle_connections.py [BINARY]

Opens CONNECTIONS WebSockets and says nothing on them, for each row with a new server: straight, by TLS, and through the
`haproxy` on the PATH with deploy/haproxy.cfg. /proc/slabinfo is for root alone. Nothing else should open or close
connections on the machine meanwhile. docs/capacity.md has the figures and what they mean. Linux only; Python's own library.
"""

import atexit
import base64
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile

CONNECTIONS = 4000
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/release/ws-echo")
# What a TCP connection is made of in the kernel; the name of each cache begins so.
CACHES = r"(TCP|TCPv6|sock_inode_cache|dentry|filp|tw_sock_TCP|request_sock_TCP|eventpoll_\w+|ep_head|kmalloc-\S+)$"


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


def kernel():
    """Bytes of the objects that are in use, by cache."""
    caches = {}
    with open("/proc/slabinfo") as slabs:
        for line in slabs.readlines()[2:]:
            name, active, _, size = line.split()[:4]
            if re.match(CACHES, name):
                caches[name] = int(active) * int(size)
    return caches


def slab():
    with open("/proc/meminfo") as memory:
        return int(re.search(r"^Slab:\s+(\d+) kB", memory.read(), re.M)[1]) * 1024


def handshake(port, tls):
    peer = socket.create_connection(("127.0.0.1", port))
    if tls:
        peer = tls.wrap_socket(peer)
    key = base64.b64encode(os.urandom(16)).decode()
    peer.sendall(
        f"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += peer.recv(4096)
    if not head.startswith(b"HTTP/1.1 101"):
        sys.exit(f"no handshake:\n{head.decode()}")
    return peer


class Server:
    def __init__(self, *flags):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WS_ECHO_")}
        environment["RUST_LOG"] = "warn,ws_echo::server=info"
        self.process = subprocess.Popen(
            # No ping comes while it is measured, and none has to be answered.
            [BINARY, "--listen", "127.0.0.1:0", "--ping-interval=0", "--idle-timeout=0", *flags],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        # Also where a row goes wrong.
        atexit.register(self.end)

    def port(self, scheme):
        for line in self.process.stderr:
            if found := re.search(rf"listening on {scheme}://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        sys.exit("the server has ended")

    def end(self):
        self.process.kill()
        self.process.wait()


def haproxy(replica):
    """HAProxy with the configuration that is shipped, but for the name service: the replica stands for the name."""
    with open(os.path.join(ROOT, "deploy/haproxy.cfg")) as file:
        config = file.read()
    config = re.sub(r"server-template .*", f"server replica 127.0.0.1:{replica} source 127.0.0.10", config)
    file = tempfile.NamedTemporaryFile("w", suffix=".cfg")
    file.write(config)
    file.flush()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    process = subprocess.Popen(
        ["haproxy", "-db", "-f", file.name],
        stdin=listener,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "BIND": "fd@0"},
    )
    atexit.register(process.kill)
    listener.close()
    # Its first word is on the first request, so that by then it has read the file.
    handshake(port, None).close()
    process.stdout.readline()
    file.close()
    subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
    return process, port


def row(name, port, processes, ends, tls=None):
    # What the first connections make once is not the others' cost.
    peers = [handshake(port, tls) for _ in range(100)]
    before, caches, slabs = [resident(process.pid) for process in processes], kernel(), slab()
    peers += [handshake(port, tls) for _ in range(CONNECTIONS)]
    grown = [(resident(process.pid) - old) // CONNECTIONS for process, old in zip(processes, before)]
    after = kernel()
    # Both ends of each connection are on this machine, and cost the same.
    socket_cost = (slab() - slabs) // CONNECTIONS // ends
    print(f"{name:28}" + "".join(f"{bytes:>10,}" for bytes in grown) + f"  kernel, an end: {socket_cost:,}")
    most = sorted(((after[cache] - caches[cache]) // CONNECTIONS // ends, cache) for cache in caches)[::-1]
    print("    " + ", ".join(f"{cache} {bytes:,}" for bytes, cache in most if bytes > 30))
    for peer in peers:
        peer.close()


def main():
    print(f"{CONNECTIONS} idle connections; bytes of resident memory for each, in the server and in what is before it")
    server = Server()
    row("plain", server.port("http"), [server.process], 2)
    server.end()

    server = Server("--tls-listen", "127.0.0.1:0", "--tls-self-signed")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    row("TLS", server.port("https"), [server.process], 2, tls)
    server.end()

    server = Server()
    process, port = haproxy(server.port("http"))
    row("through HAProxy", port, [server.process, process], 4)


if __name__ == "__main__":
    main()
