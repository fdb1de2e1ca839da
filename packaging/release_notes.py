#!/usr/bin/env python3
"""Prints the section of CHANGELOG.md for a tag, as the notes of its release.

    python3 packaging/release_notes.py v1.2.3

Fails if the tag is not `v` and the version in Cargo.toml, or if the section is missing or empty.
"""

import re
import sys

from makers.project import ROOT, Project


def section(changelog: str, version: str) -> str:
    """Returns the text under `## [version] - date`, without the heading and the lines that name links."""
    parts = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for part in parts:
        heading, _, text = part.partition("\n")
        if re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", heading.strip()):
            text = re.sub(r"^\[[^\]]+\]: \S+\n", "", text, flags=re.MULTILINE).strip()
            if not text:
                raise ValueError(f"the section [{version}] of CHANGELOG.md is empty")
            return text
    raise ValueError(f'no section "## [{version}] - YYYY-MM-DD" in CHANGELOG.md')


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    version = Project.read().version
    try:
        if arguments[0] != f"v{version}":
            raise ValueError(f"tag {arguments[0]}: expected v{version}, the version in Cargo.toml")
        print(section((ROOT / "CHANGELOG.md").read_text("utf-8"), version))
    except ValueError as error:
        print(f"release_notes.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
