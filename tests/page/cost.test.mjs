// What an exchange costs, and how the laboratory draws it: node --test tests/page/cost.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, headBytes, markdown, mbits, overEvents, overhead, overHttp, overWebSocket } from "../../static/js/laboratory/cost.js";
import { lines, SAMPLES, spanFor, spans, thickness } from "../../static/js/laboratory/lanes.js";

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

test("the headline names how many times faster or slower, and how many times fewer bytes", () => {
  const poll = { median: 1.87, cost: overHttp({ request: 571, response: 205 }, 16, 57) };
  const ws = { median: 0.34, cost: overWebSocket(16, 57) };
  assert.deepEqual(compare(poll, ws), { times: 1.87 / 0.34, slower: false, fewer: 97 });
  const slower = compare({ ...poll, median: 1 }, { ...ws, median: 1.3 });
  assert.deepEqual([slower.times, slower.slower], [1.3, true]);
});

test("lanes show the first 10 ms and the first second, and more where four messages do not fit", () => {
  assert.deepEqual(spans([]), { exchange: 10, push: 1000 });
  const poll = (trip) => ({ kind: "poll", exchanges: [{ sent: 0, received: trip }, { sent: trip, received: 2 * trip }] });
  assert.equal(spans([poll(2.5)]).exchange, 10);
  assert.equal(spans([poll(80)]).exchange, 500);
  assert.equal(spans([{ kind: "sse", every: 1000, exchanges: [] }]).push, 5000);
  assert.deepEqual([1, 11, 21, 51, 101].map((wanted) => spanFor(10, wanted)), [10, 20, 50, 100, 200]);
});

test("a line goes up for a message and down for its reply, the server's moment half way", () => {
  const series = { kind: "ws", exchanges: [{ sent: 100, received: 102 }, { sent: 102, received: 106 }, { sent: 106, received: 111 }] };
  assert.deepEqual(lines(series, 10), { up: "M0.0 0L100.0 48M200.0 0L400.0 48", down: "M100.0 48L200.0 0M400.0 48L600.0 0", count: 2 });
  assert.deepEqual(lines({ kind: "ws", exchanges: [] }, 10), { up: "", down: "", count: 0 });
  const pushes = lines({ kind: "tick", every: 100, exchanges: [{ received: 500 }, { received: 600 }, { received: 1500 }] }, 1000);
  assert.deepEqual(pushes, { up: "", down: "M33.0 48L50.0 0M133.0 48L150.0 0", count: 2 });
  for (const sample of SAMPLES) assert.equal(lines(sample, sample.kind === "sse" || sample.kind === "tick" ? 1000 : 10).count, sample.exchanges.length);
});

test("a line is as thick as the square root of its bytes, 6 px at most", () => {
  const width = thickness([{ up: 400, down: 100 }]);
  assert.deepEqual([width(400), width(100)], [5, 2.5]);
  assert.equal(thickness([{ up: 262_144, down: 1 }])(262_144), 6);
});
