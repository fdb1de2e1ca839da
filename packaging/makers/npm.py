"""The npm packages: one for each platform with the binary, and `ws-echo` with the launcher and no binary.

npm installs an optional dependency only if its fields os, cpu and libc fit the machine. No script runs at installation.
"""

import json

from .archive import Member, tar_gz
from .project import ROOT, Project
from .targets import TARGETS, Target

FOLDER = ROOT / "packaging"


def file_name(name: str, project: Project) -> str:
    """Returns the name that `npm pack` gives the package."""
    return f"{name.lstrip('@').replace('/', '-')}-{project.version}.tgz"


def _common(name: str, project: Project) -> dict:
    manifest = {
        "name": name,
        "version": project.version,
        "description": project.description,
        "license": project.license,
        "engines": {"node": ">=18"},
    }
    if project.repository:
        # npm compares it with the repository whose workflow publishes the package.
        manifest["repository"] = {"type": "git", "url": f"git+{project.repository}.git"}
        manifest["homepage"] = f"{project.repository}#readme"
    return manifest


def platform_manifest(project: Project, target: Target) -> dict:
    manifest = _common(target.npm_name, project) | {"os": [target.os], "cpu": [target.cpu]}
    if target.libc:
        manifest["libc"] = [target.libc]
    # Yarn's Plug'n'Play must unpack the package: the system cannot run a binary in a zip file.
    return manifest | {"description": f"The binary of ws-echo for {target.triple}.", "preferUnplugged": True}


def wrapper_manifest(project: Project) -> dict:
    return _common(project.name, project) | {
        "keywords": list(project.keywords),
        "bin": {project.name: "bin/ws-echo.js"},
        # All targets, also if this run has binaries of only a few.
        "optionalDependencies": {target.npm_name: project.version for target in TARGETS},
    }


def _package(manifest: dict, members: list[Member], epoch: int) -> bytes:
    text = json.dumps(manifest, indent=2) + "\n"
    members = [Member("package.json", text.encode()), Member("LICENSE", (ROOT / "LICENSE").read_bytes()), *members]
    return tar_gz([Member(f"package/{member.name}", member.data, member.executable) for member in members], epoch)


def make_platform(project: Project, target: Target, binary: bytes, epoch: int) -> bytes:
    """Returns the package of one platform, as `npm pack` and `npm publish` take it."""
    return _package(
        platform_manifest(project, target),
        [
            Member(f"bin/{target.executable}", binary, executable=True),
            Member("README.md", f"The binary of ws-echo for {target.triple}. Install the package `ws-echo`.\n".encode()),
        ],
        epoch,
    )


def make_wrapper(project: Project, epoch: int) -> bytes:
    """Returns the package `ws-echo`."""
    return _package(
        wrapper_manifest(project),
        [
            Member("bin/ws-echo.js", (FOLDER / "npm/ws-echo.js").read_bytes(), executable=True),
            Member("README.md", (FOLDER / "package-page.md").read_bytes()),
        ],
        epoch,
    )
