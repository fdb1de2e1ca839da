// The handshake as it arrived, beside what the browser sent: node --test tests/page/headers.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientField, compare, response, sent, windows } from "../../static/js/inspector/headers.js";

const browser = () => sent({ url: "wss://echo.example.org/x?delay=1s", protocols: ["com.kaazing.echo"], origin: "https://echo.example.org" });
const CHROME = [
  ["Host", "echo.example.org"],
  ["Connection", "Upgrade"],
  ["Pragma", "no-cache"],
  ["Cache-Control", "no-cache"],
  ["User-Agent", "Mozilla/5.0"],
  ["Upgrade", "websocket"],
  ["Origin", "https://echo.example.org"],
  ["Sec-WebSocket-Version", "13"],
  ["Accept-Encoding", "gzip, deflate, br, zstd"],
  ["Accept-Language", "en-GB"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"],
  ["Sec-WebSocket-Protocol", "com.kaazing.echo"],
];
const line = "GET /x?delay=1s HTTP/1.1";
const marks = ({ fields }) => fields.filter(({ mark }) => mark).map(({ name, mark, was }) => [name, mark, was]);

test("a request that arrived as it was sent has no marks", () => {
  const { line: first, fields } = compare({ line, headers: CHROME }, browser());
  assert.deepEqual([first.was, marks({ fields })], ["", []]);
  assert.deepEqual(fields.filter(({ telling }) => telling).map(({ name }) => name), ["Host", "Connection", "Upgrade", "Origin", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"]);
});

test("Firefox sends another Connection, and fields of its own", () => {
  const headers = CHROME.map(([name, value]) => (name === "Connection" ? [name, "keep-alive, Upgrade"] : [name, value])).concat([["Sec-Fetch-Mode", "websocket"], ["Accept", "*/*"]]);
  assert.deepEqual(marks(compare({ line, headers }, browser())), []);
});

test("what a proxy adds, changes and removes is marked", () => {
  const headers = CHROME.filter(([name]) => name !== "Sec-WebSocket-Extensions")
    .map(([name, value]) => (name === "Connection" ? [name, "upgrade"] : name === "Host" ? [name, "127.0.0.1:3000"] : [name, value]))
    .concat([["X-Forwarded-For", "203.0.113.24"], ["Via", "1.1 nginx"]]);
  const seen = compare({ line: "GET /?delay=1s HTTP/1.1", headers }, browser());
  assert.deepEqual(marks(seen), [
    ["Host", "changed", "echo.example.org"],
    ["Connection", "changed", "Upgrade"],
    ["X-Forwarded-For", "added", ""],
    ["Via", "added", ""],
    ["Sec-WebSocket-Extensions", "removed", ""],
  ]);
  assert.equal(seen.line.was, "/x?delay=1s");
});

test("nothing counts as removed while fields are left out of the list", () => {
  assert.deepEqual(marks(compare({ line, headers: CHROME.slice(0, 3), omitted: 9 }, browser())), []);
});

test("of a response the answers are shown, and what is not in every one", () => {
  const { fields } = response({ line: "HTTP/1.1 101 Switching Protocols", headers: [["connection", "upgrade"], ["sec-websocket-protocol", "a"], ["set-cookie", "x=1"], ["date", "now"]] });
  assert.deepEqual(fields.filter(({ telling }) => telling).map(({ name }) => name), ["sec-websocket-protocol", "set-cookie"]);
});

test("the windows of permessage-deflate are 15 bits unless a parameter says less", () => {
  assert.deepEqual(windows("permessage-deflate"), [15, 15]);
  assert.deepEqual(windows("permessage-deflate; server_max_window_bits=10; client_max_window_bits=\"9\""), [10, 9]);
  assert.equal(windows(""), null);
  assert.equal(windows(null), null);
});

test("the field that names the client is told", () => {
  const request = { headers: [["X-Forwarded-For", "203.0.113.24"]] };
  assert.equal(clientField({ client: { address: "203.0.113.24" }, peer: "10.0.3.7:41822", request }), "X-Forwarded-For");
  assert.equal(clientField({ client: { address: "203.0.113.24" }, peer: "10.0.3.7:41822", request: { headers: [["forwarded", "for=203.0.113.24"]] } }), "Forwarded");
  assert.equal(clientField({ client: { address: "10.0.3.7" }, peer: "10.0.3.7:41822", request }), null);
  assert.equal(clientField({ client: { address: "::1" }, peer: "[::1]:41822", request }), null);
});
