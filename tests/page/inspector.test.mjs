// What the inspector derives from rows: node --test tests/page/inspector.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonIn, partsOf } from "../../static/js/inspector/content.js";
import { journey } from "../../static/js/inspector/journey.js";

test("JSON is found between the prefix and the timestamp", () => {
  assert.deepEqual(jsonIn('客户端发送的信息：{"a":[1]},1795530076204'), { a: [1] });
  assert.deepEqual(jsonIn("[1,2]"), [1, 2]);
  for (const text of ["", "hello", "{", "}{", "{a}"]) assert.equal(jsonIn(text), undefined, text);
});

const received = (data, stamp, sent) => ({ kind: "received", data, stamp, pair: sent === undefined ? null : { data: sent } });

test("a stamped reply has a prefix, the message and the server's clock", () => {
  assert.deepEqual(partsOf(received("p：a,b,1795530076204", 1795530076204, "a,b")), { prefix: "p：", message: "a,b", clock: "1795530076204" });
  assert.deepEqual(partsOf(received(",1795530076204", 1795530076204, "")), { prefix: "", message: "", clock: "1795530076204" });
  assert.deepEqual(partsOf(received("p：lone \ufffd,1795530076204", 1795530076204, "lone \ud800")), { prefix: "p：", message: "lone \ufffd", clock: "1795530076204" });
});

test("a reply without a timestamp, and one that no message asked for, have what they have", () => {
  assert.deepEqual(partsOf(received("hello", null, "hello")), { prefix: null, message: "hello", clock: null });
  assert.deepEqual(partsOf(received("tick,1795530076204", 1795530076204)), { prefix: null, message: null, clock: "1795530076204" });
  const [message, clock] = [Uint8Array.of(1, 2), Uint8Array.of(0, 0, 1, 0xa2, 0, 0, 0, 0)];
  assert.deepEqual(partsOf(received(Uint8Array.of(...message, ...clock), 1795162112000, message)), { prefix: null, message, clock });
  assert.equal(partsOf({ kind: "sent", data: "x" }), null);
});

const clock = { offset: 100, uncertainty: 0.4 };

test("a way is split at the server's time, and stays within the round trip", () => {
  const { out, hold, back } = journey({ sentAt: 1000.1, rtt: 1, left: 1100 }, clock);
  assert.deepEqual([out.toFixed(2), hold, back.toFixed(2)], ["0.40", 0, "0.60"]);
  assert.deepEqual(journey({ sentAt: 1000, rtt: 1, left: 1105 }, clock).back, 0);
  assert.deepEqual(journey({ sentAt: 1000, rtt: 1, left: 1090 }, clock).out, 0);
  assert.equal(journey({ sentAt: 1000, rtt: 1 }, clock), null);
  assert.equal(journey({ sentAt: 1000, rtt: 1, left: 1100 }, null), null);
});

test("a stay at the server is a part of the way if it lasts 2 ms or more", () => {
  assert.deepEqual(journey({ sentAt: 1000, rtt: 502, came: 1100, left: 1601 }, clock), { out: 0.5, hold: 501, back: 0.5, uncertainty: 0.4 });
  assert.equal(journey({ sentAt: 1000, rtt: 3, came: 1100, left: 1101 }, clock).hold, 0);
});
