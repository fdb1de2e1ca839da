"""Reads the headers of an executable: its platform, and the oldest system that it runs on.

A package promises a platform by its name. These headers show whether the promise is true, before a user finds out.
"""

import dataclasses
import struct

from .targets import Target

ELF_MACHINES = {62: "x86_64", 183: "aarch64"}
MACH_MACHINES = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64"}


class WrongBinary(Exception):
    """A file that is not a binary of the target in whose folder it is."""


@dataclasses.dataclass(frozen=True)
class Facts:
    os: str
    machine: str
    # Linux: the names in DT_NEEDED. Empty for a static binary.
    libraries: tuple[str, ...] = ()
    # Linux: the newest version of glibc's symbols that the binary needs.
    glibc: tuple[int, int] | None = None
    # macOS: the oldest version that the binary runs on.
    macos: tuple[int, int] | None = None


def read(data: bytes) -> Facts:
    """Returns the facts in the headers of an executable for Linux, macOS or Windows."""
    try:
        if data.startswith(b"\x7fELF\x02\x01"):
            return _elf(data)
        if data.startswith(b"\xcf\xfa\xed\xfe"):
            return _mach(data)
        if data.startswith(b"MZ"):
            (header,) = struct.unpack_from("<I", data, 0x3C)
            signature, machine = struct.unpack_from("<4sH", data, header)
            if signature == b"PE\0\0":
                return Facts("win32", PE_MACHINES.get(machine, hex(machine)))
    except (struct.error, ValueError) as error:
        raise WrongBinary(f"damaged executable: {error}") from error
    raise WrongBinary("not a 64-bit executable for Linux, macOS or Windows")


def check(data: bytes, target: Target) -> Facts:
    """Returns the facts of the target's binary. Raises WrongBinary for a binary of another target."""
    facts = read(data)
    if (facts.os, facts.machine) != (target.os, target.machine):
        raise WrongBinary(f"found a binary for {facts.os} {facts.machine}, expected one for {target.triple}")
    if target.libc == "musl" and facts.libraries:
        raise WrongBinary(f"found a binary that loads {', '.join(facts.libraries)}, expected a static one for {target.triple}")
    return facts


def _elf(data: bytes) -> Facts:
    (machine,) = struct.unpack_from("<H", data, 18)
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    # Of each program header: type, offset in the file, address, size in the file.
    headers = [struct.unpack_from("<I4xQQ8xQ", data, offset + i * size) for i in range(count)]

    def position(address: int) -> int:
        for kind, start, base, length in headers:
            if kind == 1 and base <= address < base + length:
                return start + address - base
        raise ValueError(f"address {address:#x} is in no segment")

    entries: list[tuple[int, int]] = []
    for kind, start, _, length in headers:
        if kind == 2:
            entries += struct.iter_unpack("<QQ", data[start : start + length])
    dynamic = dict(reversed(entries))
    machine_name = ELF_MACHINES.get(machine, str(machine))
    # A static binary at any address has dynamic entries too, but names no library.
    if not any(tag == 1 for tag, _ in entries):
        return Facts("linux", machine_name)

    strings = position(dynamic[5])

    def string(at: int) -> str:
        return data[strings + at : data.index(b"\0", strings + at)].decode("ascii")

    return Facts(
        "linux",
        machine_name,
        tuple(string(value) for tag, value in entries if tag == 1),
        _glibc(data, position(dynamic[0x6FFFFFFE]), dynamic[0x6FFFFFFF], string) if 0x6FFFFFFE in dynamic else None,
    )


def _glibc(data: bytes, at: int, count: int, string) -> tuple[int, int] | None:
    """Returns the newest GLIBC_ version in DT_VERNEED. A weak need (flag 2) can be absent, so it does not count."""
    versions = []
    for _ in range(count):
        _, needs, _, first, following = struct.unpack_from("<HHIII", data, at)
        need = at + first
        for _ in range(needs):
            _, flags, _, name, step = struct.unpack_from("<IHHII", data, need)
            kind, _, version = string(name).partition("_")
            numbers = version.split(".")
            if kind == "GLIBC" and not flags & 2 and all(number.isdigit() for number in numbers):
                versions.append((int(numbers[0]), int(numbers[1])))
            need += step
        at += following
    return max(versions, default=None)


def _mach(data: bytes) -> Facts:
    _, machine, _, _, commands, _ = struct.unpack_from("<IIIIII", data)
    at, oldest = 32, None
    for _ in range(commands):
        command, size = struct.unpack_from("<II", data, at)
        # LC_BUILD_VERSION has the platform first, LC_VERSION_MIN_MACOSX has not.
        if command in (0x32, 0x24):
            (version,) = struct.unpack_from("<I", data, at + (12 if command == 0x32 else 8))
            oldest = (version >> 16, version >> 8 & 0xFF)
        at += size
    return Facts("darwin", MACH_MACHINES.get(machine, hex(machine)), macos=oldest)
