#!/usr/bin/env python3
"""Makes all packages from built binaries: archives, npm packages, wheels, Homebrew formula, Scoop manifest.

    python3 packaging/build.py BINARIES OUTPUT

BINARIES has a folder for each target triple, with `ws-echo` or `ws-echo.exe` in it. packaging/README.md lists the output.
Needs Python 3.11 and nothing else. The same binaries and SOURCE_DATE_EPOCH give the same bytes.
"""

import argparse
import hashlib
import os
import pathlib
import subprocess
import sys

from makers import archive, binary, manifests, npm, wheel
from makers.archive import Member
from makers.project import ROOT, Project
from makers.targets import TARGETS, Target, runs_here

COMPLETIONS = {
    "bash": "ws-echo.bash",
    "elvish": "ws-echo.elv",
    "fish": "ws-echo.fish",
    "powershell": "_ws-echo.ps1",
    "zsh": "_ws-echo",
}


class Failure(Exception):
    """A reason why the packages cannot be made."""


def find(folder: pathlib.Path, all_targets: bool) -> list[tuple[Target, pathlib.Path]]:
    """Returns the targets whose binary is in the folder."""
    found = [(target, folder / target.triple / target.executable) for target in TARGETS]
    missing = [path for _, path in found if not path.is_file()]
    if all_targets and missing:
        raise Failure(f"no binary at {', '.join(map(str, missing))}")
    if len(missing) == len(found):
        raise Failure(f"no binary in {folder}: expected a folder for each target, such as {found[0][1]}")
    return [(target, path) for target, path in found if path.is_file()]


def extras(path: pathlib.Path) -> list[Member]:
    """Returns the completions and the man page, which the binary prints."""

    def output(*arguments: str) -> bytes:
        return subprocess.run([path.resolve(), *arguments], check=True, stdout=subprocess.PIPE).stdout

    members = [Member(f"completions/{name}", output("completions", shell)) for shell, name in COMPLETIONS.items()]
    return [*members, Member("man/ws-echo.1", output("man"))]


def epoch() -> int:
    """Returns SOURCE_DATE_EPOCH, or the time of the last commit."""
    if value := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(value)
    log = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(log.stdout)


def write(path: pathlib.Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    print(f"{path} {len(data):,} bytes")


def build(arguments: argparse.Namespace) -> None:
    project = Project.read(repository=arguments.repository)
    found = find(arguments.binaries, arguments.all_targets)
    runnable = arguments.run or next((path for target, path in found if runs_here(target)), None)
    if runnable is None:
        raise Failure("no binary runs on this machine: pass one with --run, for the completions and the man page")
    shared, time, output = extras(runnable), epoch(), arguments.output
    checksums = {}
    for target, path in found:
        data = path.read_bytes()
        try:
            facts = binary.check(data, target)
        except binary.WrongBinary as error:
            raise Failure(f"{path}: {error}") from error
        name = archive.file_name(project, target)
        content = archive.make(project, target, data, shared, time)
        checksums[name] = hashlib.sha256(content).hexdigest()
        write(output / "archives" / name, content)
        write(output / "npm" / npm.file_name(target.npm_name, project), npm.make_platform(project, target, data, time))
        content = wheel.make(project, target, data, facts, time)
        write(output / "wheels" / wheel.file_name(project, target, facts), content)
    write(output / "npm" / npm.file_name(project.name, project), npm.make_wrapper(project, time))
    sums = "".join(f"{checksum}  {name}\n" for name, checksum in sorted(checksums.items()))
    write(output / "archives/SHA256SUMS", sums.encode())
    if project.repository is None:
        print("no Homebrew formula and no Scoop manifest: they need the address of the repository, by --repository")
        return
    for path, maker in (("homebrew/ws-echo.rb", manifests.homebrew), ("scoop/ws-echo.json", manifests.scoop)):
        try:
            write(output / path, maker(project, checksums).encode())
        except KeyError as missing:
            print(f"no {path}: it needs {missing}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes all packages from built binaries.")
    parser.add_argument("binaries", type=pathlib.Path, help="folder with a folder for each target triple")
    parser.add_argument("output", type=pathlib.Path, help="folder for the packages")
    parser.add_argument("--repository", metavar="URL", help="address of the repository, instead of that in Cargo.toml")
    parser.add_argument("--all-targets", action="store_true", help="fail unless the binaries of all seven targets are there")
    parser.add_argument("--run", type=pathlib.Path, metavar="BINARY", help="binary that prints completions and man page")
    try:
        build(parser.parse_args())
    except Failure as failure:
        print(f"build.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
