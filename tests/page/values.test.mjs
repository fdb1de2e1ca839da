// Values of query keys against the server's list: node --test tests/page/values.test.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { knownKeys } from "../../static/js/connection/faults.js";
import { PRESETS } from "../../static/js/drawer/presets.js";
import strings from "../../static/js/drawer/strings.en.js";
import { canBeBare, check, choices, conflict, control, valuesOf } from "../../static/js/drawer/values.js";

// The answer of GET /behaviours.json.
const list = JSON.parse(readFileSync(new URL("behaviours.json", import.meta.url), "utf8"));
const key = (name) => list.keys.find((one) => one.name === name);
const wrong = (name, value) => check(key(name), value)?.wrong ?? null;
const of = (...forms) => ({ name: "k", forms, excludes: [], requiresOneOf: [] });

const right = {
  reply: ["stamped", "verbatim", "json", "none"],
  hello: ["json", "time", "text:", "text:hi there"],
  push: ["1", "1MiB", "16777216"],
  "read-rate": ["1", "1000000000"],
  ping: ["off", "1s", "1h"],
  tick: ["10ms", "1h", "59min 60s"],
  delay: ["0", "0s", "250ms", "4m 60s", "1m30s", "1.5s", "5 min", "5m"],
  jitter: ["1s"],
  "handshake-delay": ["10s"],
  rate: ["1", "1000000000"],
  drop: ["0", "1", "0.5", ".5", "1e-3"],
  duplicate: ["0.1"],
  seed: ["0", "18446744073709551615"],
  close: ["", "1000", "1003:bye", "1014", "4999:a:b", `1012:${"é".repeat(61)}`],
  abort: [""],
  fin: [""],
  freeze: [""],
  "close-reply": ["off", "fin", "abort", "0", "500ms", "5m"],
  after: ["3", "text:", "text:bye now", "1000000000", "500ms", "5m"],
  wire: ["rsv", "close-length"],
  fragment: ["1", "16777216"],
  compress: ["off"],
  pong: ["off"],
  "max-message-size": ["1", "64KiB", "64 kb", "1.5MB", "16MiB", "16777216"],
  handshake: ["wrong-accept", "glued"],
  "handshake-status": ["300", "599"],
  auth: ["user:password", "u:"],
  "set-header": ["Retry-After:120", "x:"],
  subprotocol: ["none", "com.kaazing.echo", "a".repeat(64)],
  watch: ["rKkW6PmUqfPS0zDx"],
};
const bad = {
  reply: ["", "JSON"],
  hello: ["", "JSON", "hi"],
  push: ["", "0", "17MiB"],
  "read-rate": ["0", "1000000001", "1k"],
  ping: ["", "on", "0", "500ms", "2h"],
  tick: ["9ms", "2h", "0"],
  delay: ["", "800", "6m", "5m 1ms", "-1s", "1x", "s", "1 2s"],
  jitter: ["ms"],
  "handshake-delay": ["301s"],
  rate: ["0", "1000000001", "1.5", "1k"],
  drop: ["", "1.1", "-0.1", "50%", "NaN"],
  duplicate: ["2"],
  seed: ["18446744073709551616", "-1", "x"],
  close: ["999", "1004", "1005", "1015", "2999", "5000", "x:1", `1012:${"é".repeat(62)}`],
  abort: ["1"],
  fin: ["1"],
  freeze: ["1"],
  "close-reply": ["on", "", "6m"],
  after: ["0", "1000000001", "6m", ""],
  wire: ["", "mask"],
  fragment: ["0", "16777217"],
  compress: ["", "on"],
  pong: ["on"],
  "max-message-size": ["0", "17MiB", "1XB", "-1"],
  handshake: ["", "none"],
  "handshake-status": ["299", "600", "abc"],
  auth: ["", "user", ":p", "é:p", `${"u".repeat(65)}:`],
  "set-header": ["x", ":v", "a b:c", "x:é", "x:a\nb"],
  subprotocol: ["", "a b", "a".repeat(65)],
  watch: ["short", "rKkW6PmUqfPS0zD+"],
};

test("each key of the server's list takes its own example, and its default", () => {
  for (const one of list.keys) {
    assert.equal(check(one, one.example), null, `${one.name}=${one.example}`);
    if (one.default !== null) assert.equal(check(one, one.default), null, `${one.name}=${one.default}`);
  }
});

test("each key takes the values that the server takes, and no other", () => {
  for (const { name } of list.keys) {
    assert.ok(right[name] && bad[name], `${name} has values here`);
    for (const value of right[name]) assert.equal(wrong(name, value), null, `${name}=${value}`);
    for (const value of bad[name]) assert.ok(wrong(name, value), `${name}=${value}`);
  }
});

test("a value out of range is told from one of another kind", () => {
  assert.equal(wrong("delay", "6m"), "range");
  assert.equal(wrong("delay", "800"), "kind");
  assert.equal(wrong("after", "0"), "range");
  assert.equal(wrong("close", "999"), "range");
  assert.equal(wrong("close", `1012:${"é".repeat(62)}`), "reason");
});

test("keys of several forms take any of them, and a kind that is newer than the page anything", () => {
  const ping = of({ kind: "choice", values: ["off"] }, { kind: "duration", min: "1s", max: "1h" });
  assert.deepEqual(["off", "20s", "0", "on"].map((value) => check(ping, value)?.wrong), [undefined, undefined, "range", "kind"]);
  const hello = of({ kind: "choice", values: ["json", "time"] }, { kind: "text", prefix: "text:" });
  assert.deepEqual(["json", "text:hi", "hi"].map((value) => check(hello, value)?.wrong), [undefined, undefined, "kind"]);
  assert.equal(check(of({ kind: "colour" }), "anything"), null);
});

test("a key is a switch, a select or a line of text by its forms", () => {
  assert.deepEqual(["abort", "pong", "reply", "delay", "after"].map((name) => control(key(name))), ["switch", "switch", "select", "text", "text"]);
  assert.deepEqual(choices(key("pong")), ["off"]);
  assert.equal(control(of({ kind: "choice", values: ["off"] }, { kind: "duration", min: "0", max: "1s" })), "text");
});

test("a key that can be set more than once takes a value from each line", () => {
  const field = key("set-header");
  assert.equal(control(field), "lines");
  assert.deepEqual(valuesOf(field, "Server:a\n\nVia:b\n"), ["Server:a", "Via:b"]);
  assert.equal(check(field, "Server:a\nVia:b\n"), null);
  assert.equal(check(field, "Server:a\nVia")?.wrong, "kind");
});

test("only a key that takes a value or none has a switch beside its line", () => {
  assert.deepEqual(["close", "abort", "after", "set-header"].map((name) => canBeBare(key(name))), [true, false, false, false]);
});

test("keys exclude and need each other as the list says", () => {
  assert.deepEqual(conflict(key("close"), new Set(["abort"])), { excludes: "abort" });
  assert.equal(conflict(key("close"), new Set(["close", "delay"])), null);
  assert.deepEqual(conflict(key("after"), new Set(["delay"])), { needs: ["close", "abort", "fin", "freeze", "wire"] });
  assert.equal(conflict(key("after"), new Set(["wire"])), null);
});

test("each key and each preset has its label", () => {
  const names = new Set([...knownKeys(null), ...list.keys.map(({ name }) => name)]);
  names.delete("watch");
  for (const name of names) assert.ok(strings[`key.${name}`], name);
  for (const { group } of list.keys) assert.ok(group === "observation" || strings[`group.${group}`], group);
  for (const { id } of PRESETS) assert.ok(strings[`preset.${id}`], id);
});
