"""The makers of the packages, with files that are no real binaries. Run: python3 -m unittest discover -s packaging/tests"""

import argparse
import base64
import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import sys
import tarfile
import tempfile
import tomllib
import unittest
import unittest.mock
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import build  # noqa: E402
import fakes  # noqa: E402
from makers import binary, wheel  # noqa: E402
from makers.project import ROOT, Project  # noqa: E402
from makers.targets import TARGETS  # noqa: E402

REPOSITORY = "https://git.example/ws/ws-echo"
VERSION = Project.read().version
BY_TRIPLE = {target.triple: target for target in TARGETS}


class Build(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def make(self, binaries: dict[str, bytes], output: str = "output", **options) -> pathlib.Path:
        """Runs build.py's main function. The completions and the man page are from a script, because no binary runs."""
        for triple, data in binaries.items():
            path = self.folder / "binaries" / triple / BY_TRIPLE[triple].executable
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        script = self.folder / "printer"
        script.write_text('#!/bin/sh\necho "$@"\n')
        script.chmod(0o755)
        arguments = {"repository": REPOSITORY, "all_targets": False, "run": script} | options
        output = self.folder / output
        with contextlib.redirect_stdout(io.StringIO()), unittest.mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="1700000000"):
            build.build(argparse.Namespace(binaries=self.folder / "binaries", output=output, **arguments))
        return output

    def failure(self, *arguments, **options) -> str:
        with self.assertRaises(build.Failure) as caught:
            self.make(*arguments, **options)
        return str(caught.exception)


class Archives(Build):
    def test_each_target_has_one_with_binary_licence_readmes_completions_and_man_page(self):
        output = self.make(fakes.ALL, all_targets=True)
        for triple, data in fakes.ALL.items():
            folder = f"ws-echo-{VERSION}-{triple}"
            windows = "windows" in triple
            binary_name = f"{folder}/ws-echo" + (".exe" if windows else "")
            if windows:
                with zipfile.ZipFile(output / "archives" / f"{folder}.zip") as file:
                    names, content = file.namelist(), file.read(binary_name)
                    mode = file.getinfo(binary_name).external_attr >> 16
            else:
                with tarfile.open(output / "archives" / f"{folder}.tar.gz") as file:
                    names, content = file.getnames(), file.extractfile(binary_name).read()
                    mode = file.getmember(binary_name).mode
                    self.assertEqual({(m.uid, m.gid, m.uname, m.mtime) for m in file}, {(0, 0, "", 1_700_000_000)})
            self.assertEqual(content, data)
            self.assertEqual(mode & 0o777, 0o755)
            self.assertEqual(
                {name.removeprefix(folder + "/") for name in names},
                {"LICENSE", "README.md", "README.zh-CN.md", "man/ws-echo.1", binary_name.rsplit("/")[-1]}
                | {f"completions/{name}" for name in build.COMPLETIONS.values()},
            )

    def test_the_same_binaries_give_the_same_bytes_and_the_checksums_fit(self):
        first, second = self.make(fakes.ALL), self.make(fakes.ALL, "again")
        files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
        self.assertEqual(len(files), 7 + 1 + 8 + 7 + 2)
        for file in files:
            self.assertEqual((first / file).read_bytes(), (second / file).read_bytes(), file)
        sums = dict(reversed(line.split("  ")) for line in (first / "archives/SHA256SUMS").read_text().splitlines())
        self.assertEqual(len(sums), 7)
        for name, checksum in sums.items():
            self.assertEqual(hashlib.sha256((first / "archives" / name).read_bytes()).hexdigest(), checksum)

    def test_a_binary_of_another_target_is_refused(self):
        for triple, data, found in (
            ("aarch64-unknown-linux-gnu", fakes.elf(62), "found a binary for linux x86_64"),
            ("x86_64-apple-darwin", fakes.mach(), "found a binary for darwin aarch64"),
            ("x86_64-unknown-linux-musl", fakes.ALL["x86_64-unknown-linux-gnu"], "loads libc.so.6, expected a static one"),
            ("x86_64-pc-windows-gnu", b"#!/bin/sh\n", "not a 64-bit executable"),
            ("x86_64-unknown-linux-gnu", fakes.elf(62)[:80], "damaged executable"),
        ):
            with self.subTest(triple):
                self.assertIn(found, self.failure({**fakes.ALL, triple: data}))

    def test_a_missing_binary_is_an_error_if_all_targets_are_required(self):
        binaries = dict(list(fakes.ALL.items())[:6])
        self.assertIn("x86_64-pc-windows-gnu/ws-echo.exe", self.failure(binaries, all_targets=True))
        output = self.make(binaries)
        self.assertEqual((len(list(output.rglob("*.whl"))), (output / "scoop").exists()), (6, False))

    def test_an_empty_folder_is_an_error(self):
        self.assertIn("expected a folder for each target", self.failure({}))


    def test_cargo_binstall_finds_the_binary_in_the_archive(self):
        package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
        binstall = package["metadata"]["binstall"]
        output = self.make(fakes.ALL)
        # On Windows, cargo-binstall first tries the target of Microsoft's linker.
        for triple in [*fakes.ALL, "x86_64-pc-windows-msvc"]:
            settings = binstall | binstall["overrides"].get(triple, {})
            windows = "windows" in triple
            self.assertEqual(settings["pkg-fmt"], "zip" if windows else "tgz")
            values = {"repo": REPOSITORY, "name": "ws-echo", "version": VERSION, "target": triple, "bin": "ws-echo",
                      "archive-suffix": ".zip" if windows else ".tar.gz", "binary-ext": ".exe" if windows else ""}
            url, path = (re.sub(r"\{ (\S+) \}", lambda match: values[match[1]], settings[key]) for key in ("pkg-url", "bin-dir"))
            base, name = url.rsplit("/", 1)
            self.assertEqual(base, f"{REPOSITORY}/releases/download/v{VERSION}")
            with (zipfile.ZipFile if windows else tarfile.open)(output / "archives" / name) as file:
                self.assertIn(path, file.namelist() if windows else file.getnames())


class Wheels(Build):
    def test_the_tag_is_the_oldest_system_that_the_binary_needs(self):
        names = sorted(path.name for path in (self.make(fakes.ALL) / "wheels").iterdir())
        tags = ("macosx_11_0_arm64 macosx_11_0_x86_64 manylinux_2_17_aarch64 manylinux_2_17_x86_64 musllinux_1_2_aarch64 "
                "musllinux_1_2_x86_64 win_amd64")
        self.assertEqual(names, [f"ws_echo-{VERSION}-py3-none-{tag}.whl" for tag in tags.split()])
        gnu = fakes.elf(62, ("libc.so.6",), (("GLIBC_2.34", False), ("GLIBC_2.4", False), ("GLIBC_2.39", True)))
        target = BY_TRIPLE["x86_64-unknown-linux-gnu"]
        self.assertEqual(wheel.tag(target, binary.check(gnu, target)), "manylinux_2_34_x86_64")
        target = BY_TRIPLE["x86_64-apple-darwin"]
        self.assertEqual(wheel.tag(target, binary.Facts("darwin", "x86_64", macos=(10, 12))), "macosx_10_12_x86_64")

    def test_the_record_has_the_digest_of_each_file(self):
        for path in (self.make(fakes.ALL) / "wheels").iterdir():
            with zipfile.ZipFile(path) as file:
                record = file.read(file.namelist()[-1]).decode()
                rows = [line.split(",") for line in record.splitlines()]
                self.assertEqual([name for name, _, _ in rows], file.namelist())
                for name, digest, size in rows[:-1]:
                    data = file.read(name)
                    expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                    self.assertEqual((digest, size), (f"sha256={expected}", str(len(data))))

    def test_a_version_before_a_release_has_pythons_form(self):
        project = Project("ws-echo", "1.2.3-rc.4", "", "MIT", (), None)
        self.assertEqual(project.python_version(), "1.2.3rc4")
        with self.assertRaises(ValueError):
            Project("ws-echo", "1.2.3-next", "", "MIT", (), None).python_version()


class Npm(Build):
    def manifest(self, path: pathlib.Path) -> dict:
        with tarfile.open(path) as file:
            return json.load(file.extractfile("package/package.json"))

    def test_each_platform_package_names_its_platform_and_the_wrapper_names_all(self):
        folder = self.make(fakes.ALL) / "npm"
        found = {}
        for path in folder.glob("ws-echo-*-*.tgz"):
            manifest = self.manifest(path)
            found[manifest["name"]] = (manifest["os"], manifest["cpu"], manifest.get("libc"))
        self.assertEqual(found, {
            "@ws-echo/linux-x64": (["linux"], ["x64"], ["glibc"]),
            "@ws-echo/linux-x64-musl": (["linux"], ["x64"], ["musl"]),
            "@ws-echo/linux-arm64": (["linux"], ["arm64"], ["glibc"]),
            "@ws-echo/linux-arm64-musl": (["linux"], ["arm64"], ["musl"]),
            "@ws-echo/darwin-x64": (["darwin"], ["x64"], None),
            "@ws-echo/darwin-arm64": (["darwin"], ["arm64"], None),
            "@ws-echo/win32-x64": (["win32"], ["x64"], None),
        })
        wrapper = self.manifest(folder / f"ws-echo-{VERSION}.tgz")
        self.assertEqual(wrapper["optionalDependencies"], dict.fromkeys(found, VERSION))
        self.assertNotIn("scripts", wrapper)


class Manifests(Build):
    def test_formula_and_manifest_have_the_addresses_and_checksums_of_the_archives(self):
        output = self.make(fakes.ALL)
        sums = dict(reversed(line.split("  ")) for line in (output / "archives/SHA256SUMS").read_text().splitlines())
        release = f"{REPOSITORY}/releases/download/v{VERSION}"
        formula = (output / "homebrew/ws-echo.rb").read_text()
        for triple in ("aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"):
            name = f"ws-echo-{VERSION}-{triple}.tar.gz"
            self.assertIn(f'url "{release}/{name}"\n      sha256 "{sums[name]}"', formula)
        manifest = json.loads((output / "scoop/ws-echo.json").read_text())
        name = f"ws-echo-{VERSION}-x86_64-pc-windows-gnu.zip"
        self.assertEqual(manifest["architecture"]["64bit"],
                         {"url": f"{release}/{name}", "hash": sums[name], "extract_dir": name.removesuffix(".zip")})
        self.assertIn("/v$version/ws-echo-$version-x86", manifest["autoupdate"]["architecture"]["64bit"]["url"])

    def test_without_the_address_of_a_repository_there_is_neither(self):
        output = self.make(fakes.ALL, repository=None)
        self.assertEqual(sorted(path.name for path in output.iterdir()), ["archives", "npm", "wheels"])


if __name__ == "__main__":
    unittest.main()
