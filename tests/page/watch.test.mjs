// The server's view lined up with the page's rows: node --test tests/page/watch.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { closeOf, Frames, Pairing } from "../../static/js/connection/pairing.js";

const hex = (text) => Buffer.from(text).toString("hex");
const row = (data) => ({ data, size: Buffer.byteLength(data), server: null });
const seen = (data) => ({ inflated: Buffer.byteLength(data) });

test("the server's messages find their rows, whichever side is told first", () => {
  const pairing = new Pairing();
  const [one, two] = [row("a"), row("b")];
  pairing.row(one);
  const [first, second] = [seen("a"), seen("b")];
  assert.equal(pairing.message(first, hex("a")), one);
  assert.equal(pairing.message(second, hex("b")), null);
  pairing.row(two);
  assert.deepEqual([one.server, two.server], [first, second]);
});

test("an event that was lost does not shift the pairs after it", () => {
  const pairing = new Pairing();
  const rows = ["1795530077551", "1795530077552", "hello"].map(row);
  for (const one of rows) pairing.row(one);
  const hello = seen("hello");
  assert.equal(pairing.message(hello, hex("hello")), rows[2]);
  const next = row("next");
  pairing.message(seen("lost row"), hex("lost row"));
  const message = seen("next");
  pairing.message(message, hex("next"));
  pairing.row(next);
  assert.deepEqual(rows.map(({ server }) => server), [null, null, hello]);
  assert.equal(next.server, message);
});

test("a message is known by its first bytes, also if a character of two units ends them", () => {
  const pairing = new Pairing();
  const long = row(`${"x".repeat(63)}🦀${"y".repeat(40)}`);
  pairing.row(long);
  const start = Buffer.from(long.data).subarray(0, 64).toString("hex");
  assert.equal(pairing.message({ inflated: long.size }, start), long);
  const bytes = { data: Uint8Array.of(1, 2, 3), size: 3, server: null };
  pairing.row(bytes);
  assert.equal(pairing.message({ inflated: 3 }, "010203"), bytes);
});

test("pairs are found again after thousands of lost events, and at once", () => {
  const pairing = new Pairing();
  const rows = Array.from({ length: 15_000 }, (_, i) => row(`message number ${10_000 + i}`));
  for (const one of rows) pairing.row(one);
  const began = performance.now();
  for (let i = 14_900; i < 15_000; i++) assert.equal(pairing.message(seen(rows[i].data), hex(rows[i].data)), rows[i]);
  // Messages whose rows are not there cost little, too.
  for (let i = 0; i < 2000; i++) pairing.message(seen("message number 99999"), hex("message number 99999"));
  assert.ok(performance.now() - began < 500, `${performance.now() - began} ms`);
});

test("a lone surrogate is compared as what went over the wire", () => {
  const pairing = new Pairing();
  const one = { data: "lone \ud800", size: 8, server: null };
  pairing.row(one);
  assert.equal(pairing.message({ inflated: 8 }, hex("lone \ufffd")), one);
});

test("each side forgets the last connection for itself", () => {
  const pairing = new Pairing();
  pairing.message(seen("old"), hex("old"));
  assert.equal(pairing.clearSeen().length, 1);
  const fresh = row("new");
  pairing.row(row("old"));
  pairing.clearRows();
  pairing.row(fresh);
  assert.equal(pairing.message(seen("new"), hex("new")), fresh);
});

const event = (fields) => ({ at: 1, opcode: 1, name: "text", fin: true, rsv: [false, false, false], masked: false, length: 5, inflated: 5, start: "68656c6c6f", header: "8105", wireStart: "68656c6c6f", ...fields });

test("frames are collected into messages, each with its header", () => {
  const frames = new Frames();
  assert.equal(frames.frame(event({ fin: false, header: "0105" })), null);
  assert.equal(frames.frame(event({ opcode: 0, fin: false, header: "0005", start: "" })), null);
  const whole = frames.frame(event({ opcode: 0, header: "8005", start: "" }));
  assert.deepEqual(whole, {
    start: "68656c6c6f",
    seen: { at: 1, name: "text", number: 1, masked: false, compressed: false, length: 15, inflated: 15, headers: 6, count: 3, frames: [{ at: 1, header: "0105" }, { at: 1, header: "0005" }, { at: 1, header: "8005" }] },
  });
  assert.equal(frames.frame(event({ opcode: 0 })), null, "no first frame");
  assert.equal(frames.frame(event({})).seen.number, 2);
});

test("a control frame between the fragments of a message belongs to no message", () => {
  const frames = new Frames();
  frames.frame(event({ fin: false, header: "0105" }));
  const ping = frames.frame(event({ opcode: 9, name: "ping", length: 2, header: "8902", wireStart: "6869" }));
  assert.deepEqual(ping.seen.frames, [{ at: 1, header: "8902", wire: "6869" }]);
  assert.equal(frames.frame(event({ opcode: 0, header: "8005" })).seen.count, 2);
});

test("of a compressed message each frame keeps its payload on the wire", () => {
  const frames = new Frames();
  frames.frame(event({ fin: false, rsv: [true, false, false], header: "4102", length: 2, inflated: 9, wireStart: "ca48" }));
  const { seen } = frames.frame(event({ opcode: 0, header: "8001", length: 1, inflated: 0, wireStart: "cd" }));
  assert.deepEqual([seen.length, seen.inflated, seen.frames.map(({ wire }) => wire)], [3, 9, ["ca48", "cd"]]);
});

test("a Close is named by its code and its reason", () => {
  const close = (wire, length = wire.length / 2) => closeOf({ length, frames: [{ wire }] });
  assert.equal(close("03f5"), "Close 1013");
  assert.equal(close(""), "Close");
  assert.equal(close(`03f5${hex("overloaded")}`), "Close 1013 “overloaded”");
  assert.equal(close(`03f5${hex("x".repeat(62))}`, 100), `Close 1013 “${"x".repeat(62)}…”`);
});
