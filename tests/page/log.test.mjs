// The log: rows, order, cap, pairing, notes, and what the server saw. node --test tests/page/log.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { Log, newRow } from "../../static/js/log/log.js";
import { isFailure, noteText, rowText } from "../../static/js/log/notes.js";
import { pairUp, Pending, splitStamp, stampOf, stampOfBytes } from "../../static/js/log/pending.js";
import strings from "../../static/js/log/strings.en.js";
import { wire } from "../../static/js/log/wire.js";
import { addTexts } from "../../static/js/shared/i18n.js";

addTexts(strings);
const row = (fields) => newRow({ kind: "sent", type: "text", size: 1, data: "a", ...fields });
const shown = (log) => Array.from({ length: log.length }, (_, i) => log.at(i).data);

test("the log keeps its cap in rows and in bytes, and counts what it discarded", () => {
  const log = new Log({ maxRows: 3, maxBytes: 1e9 });
  for (const data of "abcde") log.add(row({ data }));
  assert.deepEqual([log.total, log.dropped, log.shifted, log.at(0).data], [3, 2, 2, "c"]);
  const heavy = new Log({ maxRows: 100, maxBytes: 5000 });
  for (let i = 0; i < 10; i++) heavy.add(row({ data: "x".repeat(1000) }));
  assert.ok(heavy.bytes <= 5000 && heavy.total === 2, `${heavy.bytes}`);
});

test("a row that is told of late stands where it happened", () => {
  const log = new Log();
  for (const [at, data] of [[10, "a"], [30, "c"], [20, "b"], [20, "b2"], [5, "first"]]) log.add(row({ at, data }));
  assert.deepEqual(shown(log), ["first", "a", "b", "b2", "c"]);
  assert.equal(log.indexOf(log.at(2)), 2);
  assert.equal(log.indexOf(row()), -1);
});

test("a paused log shows nothing new and loses nothing", () => {
  const log = new Log();
  log.add(row({ data: "before" }));
  log.freeze(true);
  log.add(row({ data: "during" }));
  log.add(row({ data: "beat", beat: true }));
  assert.deepEqual([log.length, log.missed], [1, 1]);
  log.filter((one) => one.data !== "none");
  assert.deepEqual(shown(log), ["before"]);
  log.freeze(false);
  log.filter(null);
  assert.deepEqual(shown(log), ["before", "during", "beat"]);
});

test("heartbeats are counted apart, and never as new rows", () => {
  const log = new Log({ maxRows: 3 });
  for (const beat of [true, true, false, true]) log.add(row({ beat }));
  assert.deepEqual([log.total, log.beats, log.placed], [3, 2, 1]);
});

test("the view drops what the log has discarded meanwhile", () => {
  const log = new Log({ maxRows: 2 });
  const rows = ["a", "b", "c"].map((data) => log.add(row({ data })));
  log.fill(rows);
  assert.deepEqual(shown(log), ["b", "c"]);
  log.show(rows[0]);
  assert.equal(log.length, 2);
});

test("a reply is matched by what it contains, over drops and duplicates", () => {
  const pending = new Pending();
  for (const data of ["a", "b", "c"]) pending.push({ data });
  assert.equal(pending.take("客户端发送的信息：b,1763845035124").data, "b");
  assert.equal(pending.take("客户端发送的信息：b,1763845035124"), null);
  assert.equal(pending.take("1763845035124"), null);
  assert.equal(pending.take("c").data, "c");
  pending.push({ data: Uint8Array.of(1, 2) });
  assert.ok(pending.take(Uint8Array.of(1, 2, 0, 0, 1, 0x9a, 0, 0, 0, 0)));
  pending.push({ data: "x" });
  assert.ok(pending.take('{"data":"x","repliedAt":1763845035124}'));
  pending.push({ data: "lone \ud800" });
  assert.ok(pending.take("lone \ufffd"));
});

test("stamps are read from text, json and binary, and nowhere else", () => {
  assert.equal(stampOf("p：a,b,1763845035124"), 1763845035124);
  assert.equal(stampOf('{"data":"x","repliedAt":1763845035125}'), 1763845035125);
  assert.equal(stampOf("1763845035124"), null);
  assert.equal(stampOfBytes(Uint8Array.of(9, 0, 0, 1, 0x9a, 0xac, 0x12, 0x34, 0x56)), 0x19aac123456);
  assert.equal(stampOfBytes(Uint8Array.of(1, 2, 3)), null);
});

test("a stamp is set apart only where it ends a reply", () => {
  assert.deepEqual(splitStamp(row({ kind: "received", data: "p:a,1763845035124", stamp: 1763845035124 })), ["p:a,", "1763845035124"]);
  assert.deepEqual(splitStamp(row({ kind: "received", data: '{"repliedAt":1}', stamp: 1 })), ['{"repliedAt":1}', null]);
  assert.deepEqual(splitStamp(row({ data: "a,1763845035124" })), ["a,1763845035124", null]);
  const [body, stamp] = splitStamp(row({ kind: "received", data: Uint8Array.of(7, 0, 0, 1, 2, 3, 4, 5, 6), stamp: 1 }));
  assert.deepEqual([[...body], stamp.length], [[7], 8]);
});

test("rows of a file are linked as they were on the connection", () => {
  const rows = [row({ kind: "opened", data: null }), row({ at: 1, data: "a" }), row({ at: 2, data: "b" }), row({ at: 5, kind: "received", data: "b" }), row({ at: 6, kind: "received", data: "b" })];
  pairUp(rows);
  assert.deepEqual([rows[1].pair, rows[2].pair, rows[3].pair, rows[3].rtt, rows[4].pair], [null, rows[3], rows[2], 3, null]);
});

test("the page's own rows are told in words", () => {
  const say = (kind, key, vars) => noteText(row({ kind, data: null, note: { key: `note.${key}`, vars } }));
  assert.equal(say("opened", "opened", { url: "ws://h/", protocol: "", extensions: "permessage-deflate", took: 6.12 }), "ws://h/, permessage-deflate, handshake 6.1 ms");
  assert.equal(say("ended", "ended", { code: 4401, reason: "expired", opened: true, wasClean: true, close: { why: "page" }, lasted: 90_000 }), "4401 “expired”, by this page, answered, clean, after 1:30");
  assert.equal(say("ended", "ended", { code: 1012, reason: "deploying", opened: true, wasClean: true, close: null, lasted: 30_000 }), "1012 “deploying”, by the server, clean, after 0:30");
  assert.equal(say("ended", "ended", { code: 1006, reason: "", opened: true, wasClean: false, close: null, lasted: 156_000 }), "1006, no Close frame, not clean, after 2:36");
  assert.equal(say("ended", "ended", { code: 1006, reason: "", opened: false, wasClean: false, close: null, took: 2.34 }), "1006, never open, after 2.3 ms");
  assert.equal(say("ended", "ended", { code: 1000, reason: "", opened: true, wasClean: true, close: { why: "faults" }, lasted: 5 }), "1000, by this page, clean, to connect with other faults");
  assert.equal(say("close", "closeByPage", { code: 4401, reason: "expired" }), "Close 4401 “expired”, by this page");
  assert.equal(say("close", "closeByServer", { code: 1005, reason: "" }), "Close, by the server");
  assert.match(say("retries", "retries", { count: 2, first: 0, last: 5000 }), /^2 attempts failed, \S+ and \S+$/);
  assert.equal(say("control", "received", { name: "Pong" }), "Pong from this browser");
});

test("a note from a file is text, whatever it holds", () => {
  const say = (key, vars) => noteText(row({ data: null, note: { key, vars } }));
  assert.equal(say("note.constructor", { a: 1, b: "x", c: {} }), "1, x");
  assert.equal(say("note.ended", {}), "undefined, never open");
  assert.equal(typeof say("note.retries", { count: "many" }), "string");
  assert.ok(isFailure(row({ kind: "ended", note: { key: "note.ended", vars: { opened: true, wasClean: false } } })));
});

test("a search looks at text, hex and notes", () => {
  assert.equal(rowText(row({ data: Uint8Array.of(0xca, 0xfe) })), "cafe");
  assert.equal(rowText(row({ data: null, note: { key: "note.sent", vars: { name: "Ping" } } })), "Ping from the server");
});

test("the server's view counts every byte on the wire", () => {
  const seen = (server) => wire(row({ server }));
  const frame = (header) => ({ header });
  assert.deepEqual(seen({ name: "text", masked: true, count: 1, length: 5, headers: 6, frames: [frame("818537fa213d")] }), { name: "text", flags: "FIN mask", bytes: 11 });
  assert.deepEqual(seen({ name: "text", masked: true, count: 2, length: 55, headers: 12, frames: [frame("41b737fa213d"), frame("80")] }), { name: "text", flags: "×2 FIN RSV1 mask", bytes: 67 });
  assert.deepEqual(seen({ name: "ping", masked: false, count: 1, length: 0, headers: 2, frames: [frame("8900")] }), { name: "ping", flags: "FIN", bytes: 2 });
  for (const nothing of [null, {}, { frames: 5 }, { frames: [{ header: {} }] }]) assert.equal(seen(nothing), null);
});
