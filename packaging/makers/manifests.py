"""The Homebrew formula and the Scoop manifest. Both name archives of the release and their checksums."""

import json
import string

from .archive import file_name, stem
from .project import ROOT, Project
from .targets import TARGETS

BY_TRIPLE = {target.triple: target for target in TARGETS}
HOMEBREW = {
    "macos_arm": "aarch64-apple-darwin",
    "macos_intel": "x86_64-apple-darwin",
    "linux_arm": "aarch64-unknown-linux-gnu",
    "linux_intel": "x86_64-unknown-linux-gnu",
}
SCOOP = "x86_64-pc-windows-gnu"


def homebrew(project: Project, checksums: dict[str, str]) -> str:
    """Returns the formula. `checksums` has the SHA-256 of each archive by its file name."""
    values = {
        # Homebrew's style has neither an article nor a full stop here.
        "description": project.description.removeprefix("A ").rstrip("."),
        "homepage": project.repository,
        "version": project.version,
        "license": project.license,
    }
    for key, triple in HOMEBREW.items():
        name = file_name(project, BY_TRIPLE[triple])
        values |= {f"{key}_url": project.download(name), f"{key}_sha256": checksums[name]}
    return string.Template((ROOT / "packaging/homebrew.rb.in").read_text("utf-8")).substitute(values)


def scoop(project: Project, checksums: dict[str, str]) -> str:
    """Returns the manifest, in which Scoop's own tools can replace the version."""
    target = BY_TRIPLE[SCOOP]
    name = file_name(project, target)
    address = f"{project.repository}/releases/download/v$version/{name.replace(project.version, '$version')}"
    manifest = {
        "version": project.version,
        "description": project.description,
        "homepage": project.repository,
        "license": project.license,
        "architecture": {
            "64bit": {
                "url": project.download(name),
                "hash": checksums[name],
                "extract_dir": stem(project, target),
            }
        },
        "bin": target.executable,
        "checkver": "github",
        "autoupdate": {
            "architecture": {
                "64bit": {"url": address, "extract_dir": stem(project, target).replace(project.version, "$version")}
            },
            "hash": {"url": "$baseurl/SHA256SUMS"},
        },
    }
    return json.dumps(manifest, indent=4) + "\n"
