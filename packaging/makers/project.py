"""Facts of the project, read from Cargo.toml. No other file of packaging/ has a version or a description."""

import dataclasses
import pathlib
import re
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Project:
    name: str
    version: str
    description: str
    license: str
    keywords: tuple[str, ...]
    # The address of the repository, or None if neither Cargo.toml nor the command line has one.
    repository: str | None

    @classmethod
    def read(cls, manifest: pathlib.Path = ROOT / "Cargo.toml", repository: str | None = None) -> "Project":
        package = tomllib.loads(manifest.read_text("utf-8"))["package"]
        repository = repository or package.get("repository")
        return cls(
            name=package["name"],
            version=package["version"],
            description=package["description"],
            license=package["license"],
            keywords=tuple(package["keywords"]),
            repository=repository.rstrip("/").removesuffix(".git") if repository else None,
        )

    def python_version(self) -> str:
        """Returns the version in the form of PEP 440: 1.0.0-rc.1 is 1.0.0rc1."""
        match = re.fullmatch(r"(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.(\d+))?", self.version)
        if not match:
            raise ValueError(f"version {self.version}: expected 1.2.3, or 1.2.3-rc.1 with alpha, beta or rc")
        release, stage, number = match.groups()
        return release if stage is None else release + {"alpha": "a", "beta": "b", "rc": "rc"}[stage] + number

    def download(self, file: str) -> str:
        """Returns the address of a file of this version's release."""
        return f"{self.repository}/releases/download/v{self.version}/{file}"
