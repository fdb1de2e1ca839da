"""The Python wheels: the binary as a script, and no Python code.

maturin makes such wheels too, but only around a compilation of its own. The wheels here have the same bytes as the archives.
"""

import base64
import hashlib

from .archive import Member, zip_file
from .binary import Facts
from .project import ROOT, Project
from .targets import Target

# The oldest glibc that Rust's standard library supports.
OLDEST_GLIBC = (2, 17)


def tag(target: Target, facts: Facts) -> str:
    """Returns the wheel's platform tag: the oldest system that the binary itself needs."""
    if target.os == "win32":
        return "win_amd64"
    if target.os == "darwin":
        if facts.macos is None:
            raise ValueError(f"{target.triple}: the binary does not name the oldest macOS that it runs on")
        major, minor = facts.macos
        machine = "arm64" if target.machine == "aarch64" else target.machine
        # From macOS 11 on, pip knows no minor version.
        return f"macosx_{major}_{0 if major >= 11 else minor}_{machine}"
    if target.libc == "musl":
        return f"musllinux_1_2_{target.machine}"
    major, minor = max(OLDEST_GLIBC, facts.glibc or OLDEST_GLIBC)
    return f"manylinux_{major}_{minor}_{target.machine}"


def file_name(project: Project, target: Target, facts: Facts) -> str:
    return f"ws_echo-{project.python_version()}-py3-none-{tag(target, facts)}.whl"


def metadata(project: Project) -> str:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project.name}",
        f"Version: {project.python_version()}",
        f"Summary: {project.description}",
        f"License-Expression: {project.license}",
        "License-File: LICENSE",
        f"Keywords: {','.join(project.keywords)}",
        "Classifier: Environment :: Console",
        "Classifier: Intended Audience :: Developers",
        "Classifier: Topic :: Software Development :: Testing",
        "Description-Content-Type: text/markdown; charset=UTF-8",
    ]
    if project.repository:
        lines.append(f"Project-URL: Source, {project.repository}")
    return "\n".join(lines) + "\n\n" + (ROOT / "packaging/package-page.md").read_text("utf-8")


def make(project: Project, target: Target, binary: bytes, facts: Facts, epoch: int) -> bytes:
    """Returns the wheel of a target. RECORD, with the digest of each other file, is last."""
    stem = f"ws_echo-{project.python_version()}"
    info = f"{stem}.dist-info"
    wheel = f"Wheel-Version: 1.0\nGenerator: ws-echo packaging\nRoot-Is-Purelib: false\nTag: py3-none-{tag(target, facts)}\n"
    members = [
        Member(f"{stem}.data/scripts/{target.executable}", binary, executable=True),
        Member(f"{info}/METADATA", metadata(project).encode()),
        Member(f"{info}/WHEEL", wheel.encode()),
        Member(f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes()),
    ]
    record = "".join(f"{member.name},sha256={_digest(member.data)},{len(member.data)}\n" for member in members)
    members.append(Member(f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    return zip_file(members, epoch)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
