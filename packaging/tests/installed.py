"""The packages, installed in empty folders from files of this machine, and used as a user does.

    python3 packaging/tests/installed.py PACKAGES

PACKAGES is the output of build.py, with the packages for this machine. Needs Node 18 with npm, and Python with venv and pip.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import unittest
import urllib.request
import venv
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from client import Client  # noqa: E402
from makers import archive, npm  # noqa: E402
from makers.project import Project  # noqa: E402
from makers.targets import TARGETS, runs_here  # noqa: E402
from registry import Registry  # noqa: E402

WINDOWS = sys.platform == "win32"
PACKAGES = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
PROJECT = Project.read()
LISTEN = ["--listen", "127.0.0.1:0", "--print-address", "text"]
# A bound for the case that something hangs. Nothing here takes nearly as long.
SECONDS = 120


def run(*command, check: bool = True, **options) -> subprocess.CompletedProcess:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": SECONDS} | options
    result = subprocess.run(command, **options)
    if check and result.returncode:
        raise AssertionError(f"{command}: exit code {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


class Folders:
    """Empty folders: `folder` for the tests of a class, in which `install` works, and `empty` for each test."""

    folder: pathlib.Path
    environment: dict[str, str]

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=WINDOWS)
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        own = {key: value for key, value in os.environ.items() if not key.startswith("WS_ECHO_")}
        cls.environment = own | {"RUST_LOG": "warn"}
        cls.install()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=WINDOWS)
        self.addCleanup(folder.cleanup)
        self.empty = pathlib.Path(folder.name)


class WithRegistry(Folders):
    """npm with the packages of a registry on loopback, and with a cache of its own."""

    @classmethod
    def install(cls):
        registry = Registry(PACKAGES / "npm")
        cls.addClassCleanup(registry.server_close)
        cls.addClassCleanup(registry.shutdown)
        cls.environment |= {
            "npm_config_registry": registry.url,
            "npm_config_cache": str(cls.folder / "cache"),
            "npm_config_update_notifier": "false",
            "npm_config_audit": "false",
            "npm_config_fund": "false",
        }
        cls.npm = shutil.which("npm")
        cls.npx = shutil.which("npx")

    def installed_platforms(self, folder: pathlib.Path, *options: str) -> list[str]:
        """Installs ws-echo into the folder and returns the names of the platform packages that npm has chosen."""
        (folder / "package.json").write_text("{}")
        run(self.npm, "install", *options, "ws-echo", cwd=folder, env=self.environment)
        packages = (folder / "node_modules/@ws-echo").glob("*/package.json")
        return [json.loads(path.read_text())["name"] for path in packages]


class Installed(Folders):
    """The tests of one way to install. A subclass sets `command`."""

    command: list[str]
    # The exit codes after SIGTERM and Ctrl-C. npx has those of its shell, which the signal ends.
    stopped = {signal.SIGTERM: 0, signal.SIGINT: 0}
    # Whether the command ends after the server. npx does not wait for it.
    ends_last = True

    def run_here(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return run(*self.command, *arguments, cwd=self.empty, env=self.environment, check=False, **options)

    def start(self, *arguments: str, **options) -> tuple[subprocess.Popen, str]:
        """Returns the process and the URL of the server."""
        process = subprocess.Popen(
            [*self.command, *LISTEN, *arguments],
            cwd=self.empty,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            **options,
        )
        self.addCleanup(self.stop, process)
        return process, process.stdout.readline().strip()

    def stop(self, process: subprocess.Popen) -> None:
        """Stops the server, unless the test has, and waits until no process has its standard output: none is left."""
        if process.poll() is None and WINDOWS:
            run("taskkill", "/T", "/F", "/PID", str(process.pid))
        elif process.poll() is None:
            process.terminate()
        if not process.stdout.closed:
            process.communicate(timeout=SECONDS)

    def connect(self, url: str) -> Client:
        client = Client(url)
        self.addCleanup(client.close)
        self.assertEqual(client.status, "HTTP/1.1 101 Switching Protocols")
        return client

    def assert_graceful(self, process: subprocess.Popen, client: Client) -> None:
        """Asserts that the server closes its connection, and that no process has its standard output then: none is left."""
        opcode, payload = client.receive()
        self.assertEqual((opcode, int.from_bytes(payload[:2], "big")), (8, 1001))
        client.close()
        if self.ends_last and not WINDOWS and process.wait(SECONDS) == 0:
            os.set_blocking(process.stdout.fileno(), False)
            # Its end, and not an error because a process could still write to it.
            self.assertEqual(os.read(process.stdout.fileno(), 1), b"")
        process.communicate(timeout=SECONDS)

    def test_it_prints_its_version(self):
        self.assertEqual(self.run_here("--version").stdout, f"ws-echo {PROJECT.version}\n")

    def test_it_serves_page_and_echo_from_an_empty_folder(self):
        process, url = self.start()
        with urllib.request.urlopen(url.replace("ws:", "http:"), timeout=SECONDS) as response:
            self.assertIn(b"<title>", response.read())
        client = self.connect(url + "?reply=verbatim")
        client.send("hello")
        self.assertEqual(client.receive(), (1, b"hello"))

    def test_the_exit_code_and_the_error_are_those_of_the_binary(self):
        result = self.run_here("--nope")
        self.assertEqual(result.returncode, 2)
        self.assertIn("unexpected argument '--nope'", result.stderr)

    def test_the_end_of_standard_input_stops_it_gracefully_if_requested(self):
        process, url = self.start("--shutdown-on-stdin-end", stdin=subprocess.PIPE)
        client = self.connect(url)
        process.stdin.close()
        process.stdin = None
        self.assert_graceful(process, client)
        self.assertEqual(process.returncode, 0)

    @unittest.skipIf(WINDOWS, "Windows has no SIGTERM")
    def test_sigterm_stops_it_gracefully(self):
        process, url = self.start()
        client = self.connect(url)
        process.send_signal(signal.SIGTERM)
        self.assert_graceful(process, client)
        self.assertEqual(process.returncode, self.stopped[signal.SIGTERM])

    @unittest.skipIf(WINDOWS, "Python cannot press Ctrl-C in another console")
    def test_ctrl_c_in_a_terminal_stops_it_gracefully(self):
        import pty

        main, terminal = pty.openpty()
        self.addCleanup(os.close, main)
        # The terminal sends SIGINT to its foreground group: a new session, whose terminal this becomes.
        start = "import os, sys, fcntl, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
        command, self.command = self.command, [sys.executable, "-c", start, *self.command]
        try:
            process, url = self.start(stdin=terminal)
        finally:
            self.command = command
            os.close(terminal)
        client = self.connect(url)
        os.write(main, b"\x03")
        self.assert_graceful(process, client)
        self.assertEqual(process.returncode, self.stopped[signal.SIGINT])


class Archive(Installed, unittest.TestCase):
    @classmethod
    def install(cls):
        target = next(
            target for target in TARGETS if runs_here(target) and (PACKAGES / "archives" / archive.file_name(PROJECT, target)).exists()
        )
        path = PACKAGES / "archives" / archive.file_name(PROJECT, target)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as file:
                file.extractall(cls.folder)
        else:
            with tarfile.open(path) as file:
                # Debian 12's Python has no filters, later ones warn without.
                file.extractall(cls.folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        cls.command = [str(cls.folder / archive.stem(PROJECT, target) / target.executable)]


class Wheel(Installed, unittest.TestCase):
    @classmethod
    def install(cls):
        venv.create(cls.folder, with_pip=True, symlinks=not WINDOWS)
        scripts = cls.folder / ("Scripts" if WINDOWS else "bin")
        run(scripts / "python", "-m", "pip", "install", "--quiet", "--no-index", "--find-links", PACKAGES / "wheels", PROJECT.name)
        cls.command = [str(scripts / "ws-echo")]


class Npm(WithRegistry, Installed, unittest.TestCase):
    """The command that npm installs."""

    @classmethod
    def install(cls):
        super().install()
        (cls.folder / "package.json").write_text("{}")
        run(cls.npm, "install", "ws-echo", cwd=cls.folder, env=cls.environment)
        cls.command = [shutil.which("ws-echo", path=cls.folder / "node_modules/.bin")]

    @unittest.skipIf(WINDOWS, "Windows has no signals")
    def test_a_signal_that_ends_the_binary_ends_the_launcher(self):
        process, _ = self.start()
        os.kill(int(run("pgrep", "-P", str(process.pid)).stdout), signal.SIGKILL)
        process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, -signal.SIGKILL)

    @unittest.skipIf(WINDOWS, "Windows has no SIGKILL")
    def test_after_sigkill_of_the_launcher_the_server_stops(self):
        process, url = self.start()
        client = self.connect(url)
        process.kill()
        self.assert_graceful(process, client)

    def test_without_the_platform_package_the_error_names_it(self):
        (self.empty / "package.json").write_text("{}")
        run(self.npm, "install", "--omit=optional", "ws-echo", cwd=self.empty, env=self.environment)
        result = run(shutil.which("ws-echo", path=self.empty / "node_modules/.bin"), check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^ws-echo: the package @ws-echo/\w+-\w+( or \S+)? is not installed\nhint: ")
        self.assertNotIn("    at ", result.stderr)

    @unittest.skipUnless(sys.platform == "linux", "only Linux has two packages")
    def test_if_both_packages_of_linux_are_there_the_libc_of_node_chooses(self):
        modules = self.empty / "node_modules"
        shutil.copytree(self.folder / "node_modules/ws-echo", modules / "ws-echo")
        names = [f"@ws-echo/linux-{next(filter(runs_here, TARGETS)).cpu}{suffix}" for suffix in ("", "-musl")]
        for name in names:
            script = modules / name / "bin/ws-echo"
            script.parent.mkdir(parents=True)
            script.write_text(f"#!/bin/sh\necho {name}\n")
            script.chmod(0o755)
        launcher = json.dumps(str(modules / "ws-echo/bin/ws-echo.js"))
        for header, name in zip(({"glibcVersionRuntime": "2.36"}, {}), names):
            report = f"process.report.getReport = () => ({{ header: {json.dumps(header)} }});"
            self.assertEqual(run("node", "--eval", f"{report} require({launcher})").stdout, f"{name}\n")

    def test_on_a_platform_without_a_package_the_error_lists_the_platforms(self):
        pretend = 'Object.defineProperty(process, "platform", { value: "sunos" });'
        launcher = self.folder / "node_modules/ws-echo/bin/ws-echo.js"
        result = run("node", "--eval", f"{pretend} require({json.dumps(str(launcher))})", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^ws-echo: no binary for sunos-\w+; there are binaries for linux-x64, .*, win32-x64\n")


class NpxOffline(WithRegistry, Installed, unittest.TestCase):
    """`npx --offline ws-echo` in another folder, after npx has fetched the packages once."""

    ends_last = False
    stopped = {number: -number for number in (signal.SIGTERM, signal.SIGINT)}

    @classmethod
    def install(cls):
        super().install()
        run(cls.npx, "--yes", "ws-echo", "--version", cwd=cls.folder, env=cls.environment)
        cls.command = [cls.npx, "--offline", "--yes", "ws-echo"]


class EachPlatform(WithRegistry, unittest.TestCase):
    """The choice of npm and pip on the platform of each package that is there. Nothing of other platforms runs."""

    def test_npm_installs_the_package_of_the_platform_alone(self):
        self.skip_before_options_for_platforms()
        there = [target for target in TARGETS if (PACKAGES / "npm" / npm.file_name(target.npm_name, PROJECT)).exists()]
        self.assertTrue(there)
        for target in there:
            with self.subTest(target.triple), tempfile.TemporaryDirectory() as folder:
                options = [f"--os={target.os}", f"--cpu={target.cpu}", *([f"--libc={target.libc}"] if target.libc else [])]
                self.assertEqual(self.installed_platforms(pathlib.Path(folder), *options), [target.npm_name])

    def skip_before_options_for_platforms(self) -> None:
        """Skips the test with an old npm, such as Debian 12's, which does not choose by libc and ignores these options."""
        if '"libc"' not in run(self.npm, "config", "ls", "--long", "--json").stdout:
            self.skipTest("npm has no option --libc")

    def test_npm_installs_no_package_on_another_platform(self):
        self.skip_before_options_for_platforms()
        self.assertEqual(self.installed_platforms(self.empty, "--os=sunos", "--cpu=x64"), [])

    def test_pip_finds_the_wheel_by_its_tag_alone(self):
        wheels = sorted((PACKAGES / "wheels").glob("*.whl"))
        self.assertTrue(wheels)
        for wheel in wheels:
            with self.subTest(wheel.name), tempfile.TemporaryDirectory() as folder:
                platform = wheel.stem.rsplit("-", 1)[1]
                run(sys.executable, "-m", "pip", "download", "--quiet", "--no-index", "--find-links", PACKAGES / "wheels",
                    "--only-binary=:all:", f"--platform={platform}", "--dest", folder, PROJECT.name)  # fmt: skip
                self.assertEqual([path.name for path in pathlib.Path(folder).iterdir()], [wheel.name])


if __name__ == "__main__":
    if PACKAGES is None:
        sys.exit(__doc__)
    unittest.main(verbosity=2)
