// URLs, faults, commands and explanations of a connection: node --test tests/page/connection.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../static/js/connection/commands.js";
import { explain } from "../../static/js/connection/explain.js";
import { faultsOf, pairText, withFaults } from "../../static/js/connection/faults.js";
import { backoff } from "../../static/js/connection/socket.js";
import { DEFAULT_PROTOCOLS, endsByItself, fromHash, ownUrl, protocolList, queryOf, readUrl, toHash, withQuery } from "../../static/js/connection/url.js";
import { PRESETS, presetOf } from "../../static/js/drawer/presets.js";

const own = "ws://localhost:3000/";
const ended = (fields) => ({ code: 1006, reason: "", wasClean: false, opened: true, close: null, lasted: 60_000, took: 60_001, answers: null, ...fields });

test("a URL without its scheme gets one: wss on https and for port 443, else ws", () => {
  assert.equal(readUrl("localhost:3000", false).url, "ws://localhost:3000/");
  assert.equal(readUrl("example.org/chat?x=1", false).url, "ws://example.org/chat?x=1");
  assert.equal(readUrl("example.org:443/chat", false).url, "wss://example.org/chat");
  assert.equal(readUrl("localhost:3000", true).url, "wss://localhost:3000/");
  assert.equal(readUrl("https://example.org/", false).url, "wss://example.org/");
  assert.equal(readUrl("ws://[::1]:3000/#part", false).url, "ws://[::1]:3000/");
});

test("a text that is no WebSocket URL is refused with the reason", () => {
  assert.deepEqual(readUrl(" ", false), { error: "url.empty" });
  assert.deepEqual(readUrl("ftp://example.org", false), { error: "url.scheme" });
  assert.deepEqual(readUrl("ws://", false), { error: "url.bad" });
  assert.deepEqual(readUrl("ws://a b", false), { error: "url.bad" });
});

test("a query is read and changed in place, and what is not ours stays", () => {
  const url = "ws://h/p?a=1&delay=2s&flag&b=%2B";
  assert.deepEqual(queryOf(url), [["a", "1"], ["delay", "2s"], ["flag", ""], ["b", "+"]]);
  assert.equal(withQuery(url, { delay: "5s", flag: null, abort: "" }), "ws://h/p?a=1&delay=5s&b=%2B&abort");
  assert.equal(withQuery("ws://h/?x", { x: null }), "ws://h/");
  assert.equal(withQuery("ws://h/", { close: "4401:token expired" }), "ws://h/?close=4401:token%20expired");
  assert.equal(withQuery("ws://h/?a=1&a=2", { a: "3" }), "ws://h/?a=3");
  assert.equal(withQuery("ws://h/?a=1&b&a=2", { a: ["3", "4"], c: ["5"] }), "ws://h/?a=3&a=4&b&c=5");
  assert.equal(withQuery("ws://h/?a=1&b", { a: [] }), "ws://h/?b");
});

test("the page's address holds the view and the connection, and gives both back", () => {
  for (const state of [
    { view: "console", url: own, protocols: DEFAULT_PROTOCOLS },
    { view: "lab", url: own, protocols: DEFAULT_PROTOCOLS },
    { view: "console", url: `${own}?delay=20ms&reply=json`, protocols: "a, b" },
    { view: "console", url: "wss://example.org/x?close=4401:bye&unknown=1", protocols: "" },
  ]) {
    assert.deepEqual(fromHash(toHash({ ...state, own }), own), state);
  }
  assert.equal(toHash({ view: "console", url: own, protocols: DEFAULT_PROTOCOLS, own }), "");
  assert.equal(toHash({ view: "console", url: `${own}?delay=20ms`, protocols: DEFAULT_PROTOCOLS, own }), "#console?delay=20ms");
});

test("the page's own URL keeps the folder that it is served under", () => {
  assert.equal(ownUrl("http://host:8/echo/index.html?x#y"), "ws://host:8/echo/");
  assert.equal(ownUrl("https://host/"), "wss://host/");
});

test("subprotocols are a list without repetitions", () => {
  assert.deepEqual(protocolList("a, b  a,,c"), ["a", "b", "c"]);
});

test("a URL that asks for its end is not dialled again", () => {
  assert.ok(endsByItself("ws://h/?abort"));
  assert.ok(endsByItself("ws://h/?handshake-status=503"));
  assert.ok(!endsByItself("ws://h/?delay=1s"));
});

test("the pauses between attempts grow to 30 s, spread by a fifth", () => {
  assert.equal(backoff(0, 0.5), 500);
  assert.equal(backoff(99, 0.5), 30_000);
  assert.ok(backoff(2, 0) >= 1800 && backoff(2, 1) <= 2200);
});

test("faults are the query keys that the server knows, and presets replace all of them", () => {
  const list = { keys: [{ name: "delay" }, { name: "jitter" }, { name: "watch" }] };
  assert.deepEqual(faultsOf("ws://h/?delay=1s&foo=2&watch=abc", list).map(pairText), ["delay=1s"]);
  assert.equal(withFaults("ws://h/?delay=1s&watch=abc", [["jitter", "2s"]], list), "ws://h/?watch=abc&jitter=2s");
  for (const preset of PRESETS) assert.equal(presetOf([...preset.pairs].reverse()), preset);
  assert.equal(presetOf([["delay", "1s"]]), undefined);
});

test("an end without a Close frame is explained by what the page knows", () => {
  const idle = explain({ end: ended(), url: own, silent: 30_000, heartbeat: false });
  assert.equal(idle.kind, "lost");
  assert.deepEqual(idle.causes.map(({ grade, key }) => [grade, key]), [["likely", "cause.idleNoBeat"], ["possible", "cause.network"], ["ruledOut", "cause.wasOpen"]]);
  assert.equal(idle.next[0], "alive");
  assert.deepEqual(explain({ end: ended(), url: own, silent: 100 }).next, ["reconnect", "check"]);
});

test("a cause that the URL asks for is certain, and stands first", () => {
  const asked = explain({ end: ended(), url: `${own}?abort&after=5s`, silent: 30_000 });
  assert.deepEqual([asked.causes[0].grade, asked.causes[0].vars.pair, asked.causes[0].vars.after], ["certain", "abort", "5s"]);
  assert.deepEqual(asked.next, ["without", "again"]);
  const refused = explain({ end: ended({ opened: false, answers: true }), url: `${own}?handshake-status=503` });
  assert.deepEqual([refused.kind, refused.causes[0].grade, refused.next[0]], ["asked", "certain", "without"]);
});

test("a handshake that failed is told from a server that is not there, if the page can know", () => {
  assert.equal(explain({ end: ended({ opened: false, answers: true }), url: own }).kind, "refused");
  assert.equal(explain({ end: ended({ opened: false, answers: false }), url: own }).kind, "gone");
  assert.equal(explain({ end: ended({ opened: false }), url: own }).kind, "unknown");
});

test("each close code has its callout; a normal closure and one by this page have none", () => {
  const kind = (code) => explain({ end: ended({ code, wasClean: true }), url: own })?.kind;
  assert.deepEqual([1001, 1002, 1007, 1008, 1009, 1011, 1012, 1013, 4401, 4000].map(kind), ["away", "protocol", "protocol", "policy", "large", "error", "restart", "overloaded", "policy", "code"]);
  assert.equal(kind(1000), undefined);
  assert.equal(explain({ end: ended({ close: { code: 4401, reason: "", why: "page" } }), url: own }), null);
  assert.equal(explain({ end: ended({ code: 1002 }), url: `${own}?wire=rsv` }).causes[0].grade, "certain");
});

test("a copied line quotes what a shell would read", () => {
  const target = { url: "ws://localhost:3000/?close=4401:it's&after=3", protocols: ["a", "b"] };
  const line = Object.fromEntries(COMMANDS.map(({ name, line }) => [name, line(target)]));
  assert.equal(line.websocat, `websocat --protocol 'a, b' 'ws://localhost:3000/?close=4401:it'\\''s&after=3'`);
  assert.equal(line.wscat, `npx wscat -c 'ws://localhost:3000/?close=4401:it'\\''s&after=3' -s a -s b`);
  assert.ok(line.JavaScript.includes(`new WebSocket("ws://localhost:3000/?close=4401:it's&after=3", ["a","b"])`));
  assert.match(line.curl, /Sec-WebSocket-Key: [A-Za-z0-9+/]{22}==/);
});
