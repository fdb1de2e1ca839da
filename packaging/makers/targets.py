"""The seven targets, with the name of each platform in npm's and Python's packages."""

import dataclasses
import platform
import sys


@dataclasses.dataclass(frozen=True)
class Target:
    triple: str
    # The values of Node's process.platform and process.arch.
    os: str
    cpu: str
    # npm's value of the field libc, on Linux.
    libc: str | None = None

    @property
    def executable(self) -> str:
        return "ws-echo.exe" if self.os == "win32" else "ws-echo"

    @property
    def npm_name(self) -> str:
        """Returns the name of the platform package. bin/ws-echo.js composes the same name."""
        return f"@ws-echo/{self.os}-{self.cpu}" + ("-musl" if self.libc == "musl" else "")

    @property
    def machine(self) -> str:
        """Returns the name of the processor in the triple."""
        return self.triple.split("-")[0]


TARGETS = (
    Target("x86_64-unknown-linux-gnu", "linux", "x64", "glibc"),
    Target("x86_64-unknown-linux-musl", "linux", "x64", "musl"),
    Target("aarch64-unknown-linux-gnu", "linux", "arm64", "glibc"),
    Target("aarch64-unknown-linux-musl", "linux", "arm64", "musl"),
    Target("x86_64-apple-darwin", "darwin", "x64"),
    Target("aarch64-apple-darwin", "darwin", "arm64"),
    Target("x86_64-pc-windows-gnu", "win32", "x64"),
)


def runs_here(target: Target) -> bool:
    """Returns whether this machine runs the target's binary. A musl binary is static and runs with any libc."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    glibc = platform.libc_ver()[0] == "glibc"
    return target.os == sys.platform and target.machine == machine and (target.libc != "glibc" or glibc)
