// What an exchange costs, in bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { headBytes, markdown, mbits, overEvents, overhead, overHttp, overWebSocket } from "../../static/js/cost.js";

test("a WebSocket costs its two frame headers", () => {
  assert.deepEqual(overWebSocket(16, 57), { up: 22, down: 59, payloadUp: 16, payloadDown: 57 });
  assert.equal(overhead(overWebSocket(16, 57)), 8);
  assert.equal(overhead(overWebSocket(70_000, 70_041)), 24);
});

test("a poll costs its two heads, as the server counted them", () => {
  const heads = headBytes("request=412, response=180");
  assert.deepEqual(overHttp(heads, 16, 57), { up: 428, down: 237, payloadUp: 16, payloadDown: 57 });
  assert.equal(overhead(overHttp(heads, 16, 57)), 592);
  assert.equal(headBytes(null), null);
});

test("an event costs its words and its chunk's lines", () => {
  // "15\r\n" "data: 1763845035124\n\n" "\r\n"
  assert.equal(overEvents(13).down, "15\r\ndata: 1763845035124\n\n\r\n".length);
});

test("the figures of 2010 come out as they were", () => {
  assert.equal(mbits(1000, 871), 6.968);
  assert.equal(mbits(100_000, 2), 1.6);
});

test("a table in Markdown has its rule and no cell that breaks it", () => {
  assert.equal(markdown([["a", "b"], ["x|y", 1]]), "| a | b |\n| --- | --: |\n| x\\|y | 1 |");
});
