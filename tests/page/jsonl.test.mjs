// The log as JSON Lines, both ways. node --test tests/page/jsonl.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { BadFile, fromJsonLines, jsonLine } from "../../static/js/log/jsonl.js";
import { newRow } from "../../static/js/log/log.js";

const row = (fields) => newRow({ kind: "sent", type: "text", size: 1, data: "a", ...fields });

test("a row is one line of JSON, whatever it holds", () => {
  const line = jsonLine(row({ data: "a\nb\u2028\ud800", at: 1763845035124, rtt: 1.23456 }));
  assert.ok(!line.includes("\n"));
  assert.deepEqual(JSON.parse(line), { time: "2025-11-22T20:57:15.124Z", event: "sent", type: "text", bytes: 1, rttMs: 1.235, data: "a\nb\u2028\ud800" });
  assert.equal(JSON.parse(jsonLine(row({ data: Uint8Array.of(255) }))).data, "/w==");
});

test("rows come back as they were written", () => {
  const rows = [
    row({ kind: "opened", type: "", size: 0, data: null, at: 1000, note: { key: "note.opened", vars: { url: "ws://h/", protocol: "p", extensions: "", took: 6.1 } } }),
    row({ at: 1001, data: "你好", size: 6 }),
    row({ at: 1002, kind: "received", data: "你好,1763845035124", size: 20, rtt: 1, stamp: 1763845035124, beat: true, server: { name: "text", length: 20 } }),
    row({ at: 1003, type: "binary", data: Uint8Array.of(0, 255), size: 2 }),
    row({ at: 1004, kind: "ended", type: "", size: 0, data: null, note: { key: "note.ended", vars: { code: 4401, reason: "x", wasClean: true, opened: true, close: { code: 4401, reason: "x", why: "page" } } } }),
    row({ at: 1005, kind: "error", type: "", size: 0, data: null, note: { key: "note.error", vars: {} } }),
  ];
  assert.deepEqual(fromJsonLines(rows.map(jsonLine).join("\n")), rows);
});

test("lines of an earlier page are read", () => {
  const [opened, frame] = fromJsonLines('{"time":"2025-11-22T20:57:15.124Z","event":"open","protocol":"p","took":"5 ms"}\n\n{"time":"2025-11-22T20:57:16.124Z","event":"frame","name":"Ping"}\n');
  assert.deepEqual([opened.kind, opened.note.key, opened.note.vars.protocol, frame.kind], ["opened", "note.opened", "p", "control"]);
});

test("a bad line is named", () => {
  const good = jsonLine(row({ at: 5 }));
  for (const [bad, why] of [
    ["{", "import.json"],
    ["[1]", "import.event"],
    ["null", "import.event"],
    ['{"time":"2025-11-22T20:57:15Z","event":"toString"}', "import.event"],
    ['{"event":"sent","data":"x"}', "import.time"],
    ['{"time":"2025-11-22T20:57:15Z","event":"sent","data":5}', "import.data"],
    ['{"time":"2025-11-22T20:57:15Z","event":"sent","type":"binary","data":"!"}', "import.base64"],
  ]) {
    assert.throws(() => fromJsonLines(`${good}\n${bad}`), (error) => error instanceof BadFile && error.vars.n === 2 && error.vars.why === why, bad);
  }
  assert.throws(() => fromJsonLines("\n \n"), { key: "import.empty" });
});
