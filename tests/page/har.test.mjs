// The log as HAR, both ways. node --test tests/page/har.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHar, isHar, toHar } from "../../static/js/log/har.js";
import { newRow } from "../../static/js/log/log.js";

const row = (fields) => newRow({ kind: "sent", type: "text", size: 1, data: "a", ...fields });
const opened = (at, vars) => row({ at, kind: "opened", type: "", size: 0, data: null, note: { key: "note.opened", vars: { url: "ws://h/?a=b", protocol: "p", extensions: "permessage-deflate", took: 5, ...vars } } });

test("messages stand in a HAR as Chrome's DevTools writes them", () => {
  const rows = [opened(1000), row({ at: 1500.5, data: "text message" }), row({ at: 1501, kind: "received", type: "binary", data: Uint8Array.of(98, 105, 110), size: 3 }), row({ kind: "control", data: null, at: 1502 })];
  const { log } = toHar(rows, "ws://other/");
  const [entry] = log.entries;
  assert.deepEqual(entry._webSocketMessages, [
    { type: "send", time: 1.5005, opcode: 1, data: "text message" },
    { type: "receive", time: 1.501, opcode: 2, data: "Ymlu" },
  ]);
  assert.deepEqual([log.version, entry._resourceType, entry.startedDateTime, entry.response.status, entry.request.url], ["1.2", "websocket", "1970-01-01T00:00:00.995Z", 101, "ws://h/?a=b"]);
  assert.deepEqual(entry.request.queryString, [{ name: "a", value: "b" }]);
  // What HAR 1.2 requires of an entry, and DevTools reads without a default.
  for (const key of ["startedDateTime", "time", "request", "response", "cache", "timings"]) assert.ok(key in entry, key);
  for (const key of ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"]) assert.ok(key in entry.request, key);
  for (const key of ["status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"]) assert.ok(key in entry.response, key);
  for (const key of ["name", "version"]) assert.equal(typeof log.creator[key], "string", key);
  for (const list of [entry.request.cookies, entry.request.headers, entry.response.cookies, entry.response.headers]) assert.ok(Array.isArray(list));
  assert.equal(typeof entry.response.content.size, "number");
  assert.equal(typeof entry.response.content.mimeType, "string");
  for (const key of ["send", "wait", "receive"]) assert.equal(typeof entry.timings[key], "number", key);
  assert.ok(entry.time >= 0);
});

test("every connection is an entry, and rows before the first have one too", () => {
  const { entries } = toHar([row({ at: 1 }), opened(10), row({ at: 11 }), opened(20, { url: "ws://two/" })], "ws://before/").log;
  assert.deepEqual(entries.map((one) => [one.request.url, one._webSocketMessages.length]), [["ws://before/", 1], ["ws://h/?a=b", 1], ["ws://two/", 0]]);
  assert.deepEqual(toHar([], "ws://h/").log.entries, []);
});

test("rows come back from a HAR", () => {
  const rows = [opened(1000), row({ at: 1500, data: "你好", size: 6 }), row({ at: 1501, kind: "received", type: "binary", data: Uint8Array.of(1, 2), size: 2 })];
  const back = fromHar(JSON.parse(JSON.stringify(toHar(rows, "ws://x/"))));
  assert.deepEqual(back, rows);
});

test("what Chrome writes beside messages is read too, in the order of time", () => {
  const har = { log: { entries: [
    { request: { url: "https://h/" } },
    { request: { url: "wss://h/" }, startedDateTime: "2026-11-24T14:20:31.000Z", _webSocketMessages: [
      { type: "receive", time: 1795530033, opcode: 1, data: "two" },
      { type: "send", time: 1795530032, opcode: 1, data: "one" },
      { type: "error", time: 1795530034, opcode: -1, data: "failed" },
      { type: "receive", time: 1795530034, opcode: 9, data: "" },
    ] },
  ] } };
  assert.ok(isHar(har));
  assert.deepEqual(fromHar(har).map((one) => one.data ?? one.kind), ["opened", "one", "two", "error", "control"]);
});

test("a bad HAR is refused, and the message is named", () => {
  for (const bad of [null, 5, [], {}, { log: {} }, { log: { entries: {} } }]) assert.ok(!isHar(bad));
  const har = (message) => ({ log: { entries: [null, 5, { _webSocketMessages: [message] }] } });
  assert.throws(() => fromHar({ log: { entries: [{}] } }), { key: "import.noMessages" });
  for (const [message, why] of [[null, "import.time"], [{ time: "1" }, "import.time"], [{ time: 1, data: {} }, "import.data"], [{ time: 1, type: "send", opcode: 2, data: "!" }, "import.base64"]]) {
    assert.throws(() => fromHar(har(message)), (error) => error.key === "import.message" && error.vars.n === 1 && error.vars.why === why);
  }
});
