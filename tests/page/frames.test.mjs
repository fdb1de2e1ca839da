// Frame headers read into bits: node --test tests/page/frames.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { dump, framesOf, readHeader } from "../../static/js/inspector/frames.js";

test("a masked, compressed text frame is read bit by bit", () => {
  const header = readHeader("c1b737fa213d");
  assert.deepEqual(header.rows, [[1, 1, 0, 0, 0, 0, 0, 1], [1, 0, 1, 1, 0, 1, 1, 1]]);
  assert.deepEqual([header.size, header.fin, header.rsv1, header.rsv2, header.opcode, header.name, header.masked, header.length, header.extended, header.key, header.overlong], [6, true, true, false, 1, "text", true, 55, "", "37 fa 21 3d", false]);
});

test("the longer lengths are read, and told from one that could have been shorter", () => {
  assert.deepEqual([readHeader("827e01ff").length, readHeader("827e01ff").extended, readHeader("827e01ff").overlong], [511, "01 ff", false]);
  assert.deepEqual([readHeader("827f0000000000010000").length, readHeader("827f0000000000010000").overlong], [65536, false]);
  assert.ok(readHeader("827e0005").overlong);
  assert.ok(readHeader("827f0000000000000005").overlong);
});

test("an unknown opcode has no name, and what is no header is none", () => {
  assert.deepEqual([readHeader("8b00").opcode, readHeader("8b00").name], [11, null]);
  for (const text of ["", "81", "8185", "817e01", "zz", "810500", null, undefined, {}]) assert.equal(readHeader(text), null, String(text));
});

test("the payload of each frame is cut out of an uncompressed message, and kept of a compressed one", () => {
  const body = new TextEncoder().encode("hello world");
  const plain = framesOf({ server: { frames: [{ at: 1, header: "0105" }, { at: 2, header: "8006" }] } }, body);
  assert.deepEqual(plain.map(({ wire }) => new TextDecoder().decode(wire)), ["hello", " world"]);
  const [deflated] = framesOf({ server: { frames: [{ at: 1, header: "c102", wire: "ca48" }] } }, body);
  assert.deepEqual([...deflated.wire], [0xca, 0x48]);
  const long = framesOf({ server: { frames: [{ at: 1, header: "817e0100" }] } }, new Uint8Array(256));
  assert.equal(long[0].wire.length, 64);
});

test("a row of a file that holds nonsense has no frames", () => {
  for (const server of [null, {}, { frames: 3 }, { frames: [{ header: "xx" }, {}] }]) assert.deepEqual(framesOf({ server }, new Uint8Array()), []);
  assert.equal(framesOf({ server: { frames: [{ header: "8100", wire: "q1" }] } }, new Uint8Array())[0].wire.length, 0);
});

test("a dump has an offset and sixteen bytes a line", () => {
  assert.deepEqual(dump(Uint8Array.from({ length: 17 }, (_, i) => i)), [["00", "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"], ["10", "10"]]);
  assert.equal(dump(new Uint8Array(64), 8).length, 8);
});
