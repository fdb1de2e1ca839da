"""Archives whose bytes depend only on their members and SOURCE_DATE_EPOCH, and the archives of the release."""

import dataclasses
import gzip
import io
import tarfile
import time
import zipfile

from .project import ROOT, Project
from .targets import Target


@dataclasses.dataclass(frozen=True)
class Member:
    name: str
    data: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        return 0o755 if self.executable else 0o644


def tar_gz(members: list[Member], epoch: int) -> bytes:
    """Returns a .tar.gz without names of users, in the order of the names."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member in sorted(members, key=lambda member: member.name):
            info = tarfile.TarInfo(member.name)
            info.size, info.mtime, info.mode = len(member.data), epoch, member.mode
            tar.addfile(info, io.BytesIO(member.data))
    return gzip.compress(plain.getvalue(), 9, mtime=0)


def zip_file(members: list[Member], epoch: int) -> bytes:
    """Returns a .zip in the order of the members. The format has no time before 1980."""
    output = io.BytesIO()
    date = max(time.gmtime(epoch)[:6], (1980, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for member in members:
            info = zipfile.ZipInfo(member.name, date)
            # Without this, the file says the system of the machine that made it.
            info.create_system = 3
            info.external_attr = (0o100000 | member.mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, member.data)
    return output.getvalue()


def stem(project: Project, target: Target) -> str:
    """Returns the name of the archive without its ending, which is the name of the folder in it. cargo-binstall and the
    manifests need both."""
    return f"{project.name}-{project.version}-{target.triple}"


def file_name(project: Project, target: Target) -> str:
    return stem(project, target) + (".zip" if target.os == "win32" else ".tar.gz")


def make(project: Project, target: Target, binary: bytes, extras: list[Member], epoch: int) -> bytes:
    """Returns the archive of a target: the binary, the licence, the READMEs, the completions and the man page."""
    members = [
        Member(target.executable, binary, executable=True),
        *(Member(name, (ROOT / name).read_bytes()) for name in ("LICENSE", "README.md", "README.zh-CN.md")),
        *extras,
    ]
    folder = stem(project, target)
    members = [dataclasses.replace(member, name=f"{folder}/{member.name}") for member in members]
    members.sort(key=lambda member: member.name)
    return (zip_file if target.os == "win32" else tar_gz)(members, epoch)
