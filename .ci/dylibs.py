#!/usr/bin/env python3
"""Checks what executables of macOS load: only libraries of the system that are no frameworks, and no system later than 11.0.

    python3 .ci/dylibs.py FILE...     prints the libraries and the oldest system of each file; exits with 1 if one is not allowed

zig links without Apple's SDK, so that a framework would fail the link or, worse, the start on a real system.
"""
import struct, sys

ALLOWED = {"/usr/lib/libSystem.B.dylib", "/usr/lib/libiconv.2.dylib", "/usr/lib/libcharset.1.dylib"}
OLDEST = (11, 0)
# mach-o/loader.h
MAGIC_64 = 0xFEEDFACF
LOADS = {0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023}  # LC_LOAD_DYLIB and its weak, re-exporting, lazy and upward forms
VERSIONS = {0x24: 8, 0x32: 12}  # LC_VERSION_MIN_MACOSX, LC_BUILD_VERSION: offset of the oldest system


def read(path):
    """Returns the libraries that a file loads, and the oldest system that runs it."""
    data = open(path, "rb").read()
    magic, count = struct.unpack_from("<I12xI", data)
    if magic != MAGIC_64:
        sys.exit(f"{path} is no 64-bit Mach-O file")
    libraries, oldest, at = set(), None, 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, at)
        if command in LOADS:
            name = at + struct.unpack_from("<I", data, at + 8)[0]
            libraries.add(data[name : at + size].split(b"\0")[0].decode())
        elif command in VERSIONS:
            version = struct.unpack_from("<I", data, at + VERSIONS[command])[0]
            oldest = version >> 16, version >> 8 & 0xFF
        at += size
    return libraries, oldest


if len(sys.argv) < 2:
    sys.exit(__doc__)
wrong = False
for path in sys.argv[1:]:
    libraries, oldest = read(path)
    print(f"{path}: macOS {'.'.join(map(str, oldest))}, {' '.join(sorted(libraries))}")
    wrong |= not libraries <= ALLOWED or oldest > OLDEST
sys.exit(wrong)
