// Which rows the log shows. node --test tests/page/find.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker as Thread } from "node:worker_threads";
import { Finder } from "../../static/js/log/find.js";
import { Log, newRow } from "../../static/js/log/log.js";

const threads = [];
// A browser's Worker on a thread of Node's.
globalThis.Worker = class {
  constructor(url) {
    const code = `const { parentPort } = require("node:worker_threads");
      globalThis.onmessage = null;
      globalThis.postMessage = (data) => parentPort.postMessage(data);
      parentPort.on("message", (data) => onmessage({ data }));
      import(${JSON.stringify(url.href)});`;
    this.thread = new Thread(code, { eval: true });
    this.thread.on("message", (data) => this.onmessage({ data }));
    this.thread.on("error", (error) => this.onerror(error));
    threads.push(this);
  }
  postMessage(data) {
    this.thread.postMessage(data);
  }
  terminate() {
    this.terminated = true;
    this.thread.terminate();
  }
};
test.after(() => threads.forEach((one) => one.thread.terminate()));

const all = { text: "", regex: false, kinds: "", types: "" };
const row = (fields) => newRow({ kind: "sent", type: "text", data: "a", ...fields });

function logOf(...rows) {
  const log = new Log();
  let told = () => {};
  const finder = new Finder(log, (one) => (typeof one.data === "string" ? one.data : "cafe"), () => told());
  for (const one of rows) log.add(row(one));
  const apply = async (find, beats = false) => {
    finder.apply({ ...all, ...find }, beats);
    while (finder.busy) await new Promise((resolve) => (told = resolve));
    return Array.from({ length: log.length }, (_, i) => log.at(i).data);
  };
  return { log, finder, apply, next: () => new Promise((resolve) => (told = resolve)) };
}

test("rows are found by event, type, text, bytes and expression", async () => {
  const bytes = Uint8Array.of(0xca, 0xfe);
  const { apply } = logOf({ data: "Hello" }, { kind: "received", type: "binary", data: bytes }, { data: "beat", beat: true });
  assert.deepEqual(await apply({}), ["Hello", bytes]);
  assert.deepEqual(await apply({}, true), ["Hello", bytes, "beat"]);
  assert.deepEqual(await apply({ kinds: "received close" }), [bytes]);
  assert.deepEqual(await apply({ types: "text" }), ["Hello"]);
  assert.deepEqual(await apply({ text: "hELL" }), ["Hello"]);
  assert.deepEqual(await apply({ text: "CAFE" }), [bytes]);
  assert.deepEqual(await apply({ text: "^h.l+o$", regex: true }), ["Hello"]);
  assert.deepEqual(await apply({ text: "nothing" }), []);
});

test("rows that come while a filter is set are matched, too", async () => {
  for (const regex of [false, true]) {
    const { log, apply, next } = logOf({ data: "one" }, { data: "two" });
    assert.deepEqual(await apply({ text: "o.?e|one", regex }), regex ? ["one"] : []);
    await apply({ text: "one", regex });
    const shown = next();
    log.add(row({ data: "another" }));
    log.add(row({ data: "one more" }));
    await shown;
    assert.deepEqual([log.length, log.at(1).data, log.placed], [2, "one more", 3]);
  }
});

test("an expression that takes too long is stopped, and the next one works", async () => {
  const { finder, apply } = logOf({ data: `${"a".repeat(32)}!` }, { data: "b" });
  const before = performance.now();
  assert.equal((await apply({ text: "(a+)+b", regex: true })).length, 2);
  assert.ok(performance.now() - before < 5000);
  assert.equal(finder.error.key, "find.slow");
  assert.ok(threads.at(-2).terminated);
  assert.deepEqual(await apply({ text: "^b$", regex: true }), ["b"]);
  assert.equal(finder.error, null);
});

test("a bad expression is named and filters nothing", async () => {
  const { finder, apply } = logOf({}, {});
  assert.equal((await apply({ text: "(", regex: true })).length, 2);
  assert.deepEqual([finder.error.key, finder.error.vars.why], ["find.bad", "Unterminated group"]);
});

test("the last of several searches decides", async () => {
  const { finder, apply } = logOf({ data: "one" }, { data: "two" });
  finder.apply({ ...all, text: "one", regex: true }, false);
  finder.apply({ ...all, text: "on" }, false);
  assert.deepEqual(await apply({ text: "tw", regex: true }), ["two"]);
});

test("100,000 rows are looked through in slices of a few milliseconds", async () => {
  const { log, apply } = logOf();
  for (let i = 0; i < 100_000; i++) log.add(row({ at: i, data: `message ${i} of many, none of them special` }));
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  assert.equal((await apply({ text: "message 99" })).length, 1111);
  clearInterval(timer);
  assert.ok(turns > 0, "nothing else ran meanwhile");
});
