#!/usr/bin/env node
// Starts the binary in the package of this platform. Passes signals to it, and its exit code or its signal to the caller.
"use strict";
const { spawn } = require("node:child_process");
const os = require("node:os");
const { optionalDependencies } = require("../package.json");

const { argv, arch, env, platform } = process;
const file = platform === "win32" ? "ws-echo.exe" : "ws-echo";

function fail(error, hint) {
  console.error(`ws-echo: ${error}\nhint: ${hint}`);
  process.exit(1);
}

function resolve(name) {
  try {
    return require.resolve(`${name}/bin/${file}`);
  } catch {
    return undefined;
  }
}

// A package manager that ignores the field libc installs both packages of Linux. Then this process's own libc decides.
function isGlibc() {
  process.report.excludeNetwork = true; // the report would look up the names of open connections
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}

function findBinary() {
  const name = `@ws-echo/${platform}-${arch}`;
  const names = [name, `${name}-musl`].filter((candidate) => candidate in optionalDependencies);
  if (names.length === 0) {
    const known = Object.keys(optionalDependencies).map((dependency) => dependency.replace("@ws-echo/", ""));
    fail(`no binary for ${platform}-${arch}; there are binaries for ${known.join(", ")}`, "build it from source with cargo");
  }
  const found = names.map(resolve);
  const binary = found.every(Boolean) && found.length > 1 ? found[isGlibc() ? 0 : 1] : found.find(Boolean);
  return (
    binary ??
    fail(
      `the package ${names.join(" or ")} is not installed`,
      "install ws-echo again, on this platform and with optional dependencies (no --omit=optional, no --no-optional)",
    )
  );
}

const binary = findBinary();
let child;
// The binary ignores a second SIGINT or SIGTERM, so it can get one from the terminal and one from here. On Windows each
// process of a console gets Ctrl-C and Ctrl-Break, and kill() would end the binary without a shutdown.
const signals = platform === "win32" ? ["SIGINT", "SIGBREAK"] : ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR2"];
for (const signal of signals) {
  process.on(signal, () => platform === "win32" || child.kill(signal));
}
// npx passes SIGTERM to a shell, which ends without passing it on. So the end of the shell ends the server too.
if (env.npm_lifecycle_event === "npx" && platform !== "win32") {
  const shell = process.ppid;
  setInterval(() => process.ppid === shell || child.kill("SIGTERM"), 250).unref();
}
// The server stops when its standard input ends. As a pipe from here it ends with this process, also by SIGKILL.
const inherit = argv.includes("--shutdown-on-stdin-end") || "WS_ECHO_SHUTDOWN_ON_STDIN_END" in env;
child = spawn(binary, argv.slice(2), {
  stdio: [inherit ? "inherit" : "pipe", "inherit", "inherit"],
  env: inherit ? env : { ...env, WS_ECHO_SHUTDOWN_ON_STDIN_END: "true" },
});
child.on("error", (error) => fail(`cannot start ${binary}: ${error.message}`, "install ws-echo again"));
child.on("exit", (code, signal) => {
  if (signal === null) {
    process.exit(code);
  }
  // End by the same signal, as a shell expects. The exit code is for a signal that does not end this process.
  process.exitCode = 128 + os.constants.signals[signal];
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
