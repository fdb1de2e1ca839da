"""Files with the headers of executables, and nothing that runs."""

import struct


def elf(machine: int = 62, libraries: tuple[str, ...] = (), glibc: tuple[tuple[str, bool], ...] = ()) -> bytes:
    """Returns an ELF file. `glibc` has the versions that it needs, each with whether the need is weak."""
    strings = b"\0"

    def string(text: str) -> int:
        nonlocal strings
        at = len(strings)
        strings += text.encode() + b"\0"
        return at

    entries = [(1, string(library)) for library in libraries]
    needs = [(string(version), weak) for version, weak in glibc]
    # The file is one segment at the address 0x400000: headers, dynamic entries, strings, needed versions.
    base, dynamic = 0x400000, 64 + 2 * 56
    length = 16 * (len(entries) + 4)
    at_strings, at_needs = dynamic + length, dynamic + length + len(strings)
    entries.append((5, base + at_strings))
    if needs:
        entries += [(0x6FFFFFFE, base + at_needs), (0x6FFFFFFF, 1)]
    entries += [(0, 0)] * (length // 16 - len(entries))
    body = b"".join(struct.pack("<QQ", *entry) for entry in entries) + strings
    if needs:
        body += struct.pack("<HHIII", 1, len(needs), 0, 16, 0)
        for position, (name, weak) in enumerate(needs):
            following = 16 if position + 1 < len(needs) else 0
            body += struct.pack("<IHHII", 0, 2 if weak else 0, 0, name, following)
    size = dynamic + len(body)
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096)
    return header + load + struct.pack("<IIQQQQQQ", 2, 6, dynamic, base + dynamic, 0, length, length, 8) + body


def mach(machine: int = 0x0100000C, oldest: tuple[int, int] | None = (11, 0)) -> bytes:
    command = struct.pack("<IIIIII", 0x32, 24, 1, oldest[0] << 16 | oldest[1] << 8, 0, 0) if oldest else b""
    return b"\xcf\xfa\xed\xfe" + struct.pack("<IIIIIII", machine, 0, 2, 1 if oldest else 0, len(command), 0, 0) + command


def pe(machine: int = 0x8664) -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", machine) + bytes(18)


GNU = {"libraries": ("libc.so.6",), "glibc": (("GLIBC_2.17", False), ("GLIBC_2.30", True))}

# A file for each target, in the order of the table of targets.
ALL = {
    "x86_64-unknown-linux-gnu": elf(62, **GNU),
    "x86_64-unknown-linux-musl": elf(62),
    "aarch64-unknown-linux-gnu": elf(183, **GNU),
    "aarch64-unknown-linux-musl": elf(183),
    "x86_64-apple-darwin": mach(0x01000007),
    "aarch64-apple-darwin": mach(),
    "x86_64-pc-windows-gnu": pe(),
}
