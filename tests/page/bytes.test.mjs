// Bytes as people write them and as frames carry them, and texts made visible. node --test tests/page/bytes.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { check, formatted, read } from "../../static/js/exchange/draft.js";
import { Repeat } from "../../static/js/exchange/repeat.js";
import { fromBase64, fromHex, frameHeader, hexDump, toBase64 } from "../../static/js/shared/bytes.js";
import { millis, oneLine, pieces } from "../../static/js/shared/format.js";

test("hex is read with any separators and refused by the character that is none", () => {
  assert.deepEqual([...fromHex("48 65:6C,6c-6f 0x00 ff")], [0x48, 0x65, 0x6c, 0x6c, 0x6f, 0, 255]);
  assert.deepEqual([...fromHex("")], []);
  assert.throws(() => fromHex("4g"), { name: "RangeError", message: "g" });
  assert.throws(() => fromHex("480"), RangeError);
});

test("base64 is read padded, unpadded and url-safe", () => {
  for (const text of ["+/8=", "+/8", "-_8", " +/ 8= "]) assert.deepEqual([...fromBase64(text)], [0xfb, 0xff]);
  assert.throws(() => fromBase64("a"), RangeError);
  assert.throws(() => fromBase64("ab!d"), { message: "!" });
  const all = Uint8Array.from({ length: 20_000 }, (_, i) => i);
  assert.deepEqual(fromBase64(toBase64(all)), all);
});

test("a frame's header has the lengths of RFC 6455", () => {
  assert.deepEqual([0, 125, 126, 65535, 65536].map((n) => frameHeader(n, false)), [2, 2, 4, 4, 10]);
  assert.deepEqual([0, 125, 126, 65535, 65536].map((n) => frameHeader(n, true)), [6, 6, 8, 8, 14]);
});

test("a hex dump lines its columns up", () => {
  const [first, second] = hexDump(Uint8Array.from({ length: 18 }, (_, i) => 60 + i)).split("\n");
  assert.equal(first, "000000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK");
  assert.equal(second.indexOf("LM"), first.indexOf("<="));
});

test("what cannot be seen is shown, and what would turn the text round is taken out", () => {
  assert.equal(oneLine("a\u0000b\u202Ec\nd\ud800"), "a␀b⟨202E⟩c↵d⟨D800⟩");
  assert.equal(oneLine("🦀信息"), "🦀信息");
  assert.equal(oneLine("x".repeat(1 << 20), 10), `${"x".repeat(10)}…`);
  assert.deepEqual(pieces("a\u202e\u0007b"), [{ text: "a", unseen: false }, { text: "⟨202E⟩⟨0007⟩", unseen: true }, { text: "b", unseen: false }]);
});

test("line breaks are shown where a text has one line", () => {
  assert.deepEqual(pieces("a\nb", false), [{ text: "a", unseen: false }, { text: "↵", unseen: true }, { text: "b", unseen: false }]);
});

test("milliseconds have the figures that mean something", () => {
  assert.deepEqual([0.842, 12.34, 941.2, 1116, 9999.4, 12_500, 125_000].map(millis), ["0.84 ms", "12.3 ms", "941 ms", "1,116 ms", "9,999 ms", "12.5 s", "125 s"]);
});

test("a draft is sent as its kind, or says what is wrong with it", () => {
  assert.deepEqual(read({ kind: "text", text: "48" }), { data: "48" });
  assert.deepEqual([...read({ kind: "hex", text: "48 65" }).data], [0x48, 0x65]);
  assert.deepEqual(read({ kind: "hex", text: "4x" }).error, { key: "draft.badHex", vars: { bad: "x" } });
  assert.equal(read({ kind: "base64", text: "!" }).error.key, "draft.badBase64");
  assert.equal(read({ kind: "file", file: null }).error.key, "draft.noFile");
});

test("a draft that looks like JSON, hex or base64 is checked while it is typed", () => {
  assert.equal(check({ kind: "text", text: "plain" }), null);
  assert.equal(check({ kind: "text", text: ' {"a":1}' }).key, "draft.json");
  assert.ok(check({ kind: "text", text: '{"a":' }).bad);
  assert.deepEqual(check({ kind: "hex", text: "de ad" }), { key: "draft.bytes", vars: { n: 2 } });
  assert.ok(check({ kind: "hex", text: "de a" }).bad);
  assert.equal(check({ kind: "hex", text: " " }), null);
  assert.equal(formatted('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(formatted("{"), null);
});

test("a repetition goes by the clock, waits for the network, and ends with the connection", async () => {
  const sent = [];
  const connection = { bufferedAmount: 0, send: (data) => sent.push(data) };
  const repeat = new Repeat(connection, () => {});
  Object.assign(repeat, { every: 5, times: 4 });
  repeat.start("a");
  assert.deepEqual([sent.length, repeat.left], [1, 3]);
  const until = performance.now() + 40;
  while (performance.now() < until); // a busy page: the timer is late
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual([sent.length, repeat.left], [4, 0]);
  connection.bufferedAmount = 1 << 20;
  repeat.start("b");
  assert.equal(sent.length, 4);
  repeat.stop();
  connection.bufferedAmount = 0;
  connection.send = () => false;
  repeat.start("c");
  assert.equal(repeat.left, 0);
});
