// The checks of the page: their verdicts, and their words, which are the command's. node --test tests/page/check.test.mjs
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
globalThis.innerWidth = 1440; // state.js reads it
const { describe, Outcome, total } = await import("../../static/js/check/outcome.js");
const { description, difference, judgeClose, judgeCompression, judgeFailedOffer, judgeHeaders, judgeSubprotocol } = await import("../../static/js/check/judge.js");
const { size, textOf, time } = await import("../../static/js/check/figures.js");
const { command, json, markdown } = await import("../../static/js/check/report.js");
const { default: texts } = await import("../../static/js/check/strings.en.js");
const { addTexts } = await import("../../static/js/shared/i18n.js");
addTexts(texts);

const source = new URL("../../src/check/", import.meta.url);
const read = (name) => readFileSync(new URL(name, source), "utf8");
const rust = [...readdirSync(new URL("checks/", source)).map((name) => `checks/${name}`), "run.rs"].map(read).join("\n").split("#[cfg(test)]").join("\n");
const page = ["checks.js", "judge.js"].map((name) => readFileSync(new URL(`../../static/js/check/${name}`, import.meta.url), "utf8")).join("\n");
const words = (name) => JSON.parse(read(`words/${name}.json`));
const seen = (outcome) => outcome.sorted.map(textOf).join("; ");

test("what a check has seen is said in the command's words", () => {
  const plain = (text) => text.replace(/\{\w*\}/g, "{}");
  const said = new Set([...rust.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => plain(text)));
  const own = Object.entries(texts).filter(([key]) => key.startsWith("check.seen."));
  assert.ok(own.length > 30);
  // A part of a list there, a text here.
  for (const [key, text] of own) assert.ok(said.has(plain(text)), `${key}: ${text}`);
});

test("every finding of the page has its words", () => {
  const named = [...page.matchAll(/\.(?:broken|differs)\("([\w-]+)"|brokenUnless\([^,]+, "([\w-]+)"|judge\w+\(outcome, "([\w-]+)"/g)].map((match) => match[1] ?? match[2] ?? match[3]);
  const known = new Set(readdirSync(new URL("words/", source)).flatMap((name) => Object.keys(words(name.replace(".json", "")).findings)));
  for (const finding of named) assert.ok(finding.startsWith("check") || known.has(finding), finding);
  assert.ok(named.length > 15, String(named.length));
});

test("every check of the page is one of the command", () => {
  const [, list] = /export const CHECKS = \{([^}]*)\}/.exec(page);
  for (const name of list.split(",")) assert.ok(words(name.trim()), name);
});

test("the gravest observation is the verdict, and comes first", () => {
  const outcome = new Outcome().ok("check.seen.compressed").broken("lost", "check.seen.lost", { names: "Origin" });
  assert.equal(outcome.verdict, "broken");
  assert.equal(seen(outcome), "Origin went missing; a message arrived compressed");
  assert.equal(new Outcome().verdict, "skipped");
  assert.equal(total([new Outcome().ok("x"), new Outcome().unknown("x")]), "unknown");
  assert.equal(total([new Outcome()]), "unknown");
  assert.equal(new Outcome().brokenUnless(true, "lost", "x").verdict, "unknown");
});

test("a finding has its meaning, and the program that the response names comes first", () => {
  const outcome = new Outcome().broken("lost", "check.seen.notArrived", { offered: "a" });
  const { meaning, fix, known } = describe(outcome, withFixes("subprotocol"), "en", "1.1 Caddy");
  assert.match(meaning, /^The server does not see the subprotocol/);
  assert.deepEqual([fix[0].where, known, fix.length], ["Caddy", 1, 5]);
  assert.match(describe(outcome, withFixes("subprotocol"), "zh").meaning, /^服务器看不到子协议/);
  assert.equal(describe(new Outcome().ok("x"), withFixes("messages"), "en").meaning, words("messages").ok.en);
  assert.equal(describe(new Outcome().unknown("x"), withFixes("messages"), "en").meaning, words("messages").unknown.en);
  assert.equal(describe(new Outcome(), withFixes("messages"), "en").meaning, "");
});
/** As the server has them: a finding without a change has an empty list. */
function withFixes(name) {
  const file = words(name);
  return { ...file, findings: Object.fromEntries(Object.entries(file.findings).map(([key, one]) => [key, { fix: [], ...one }])) };
}

const URL_ = "ws://localhost:3000/?hello=json";
const HEADERS = [["Host", "localhost:3000"], ["Connection", "Upgrade"], ["Upgrade", "websocket"], ["Origin", "http://localhost:3000"], ["Sec-WebSocket-Version", "13"], ["User-Agent", "x"]];
const headers = (list) => {
  const outcome = new Outcome();
  judgeHeaders(outcome, { headers: list }, { url: URL_, origin: "http://localhost:3000" });
  return outcome;
};

test("fields that a proxy adds, changes and loses are named", () => {
  assert.equal(headers(HEADERS).verdict, "ok");
  assert.equal(seen(headers(HEADERS)), "all 3 fields came as they were sent");
  const added = headers([...HEADERS, ["X-Forwarded-For", "10.0.0.1"]]);
  assert.deepEqual([added.verdict, seen(added)], ["differs", "X-Forwarded-For: 10.0.0.1 was added"]);
  const lost = headers(HEADERS.filter(([name]) => name !== "Origin"));
  assert.deepEqual([lost.verdict, seen(lost)], ["broken", "Origin went missing"]);
  const changed = headers(HEADERS.map(([name, value]) => [name, name === "Host" ? "backend" : value]));
  assert.deepEqual([changed.verdict, seen(changed)], ["differs", "Host (localhost:3000 came as backend) was changed"]);
  // A proxy has its own of one hop.
  assert.equal(headers(HEADERS.map(([name, value]) => [name, name === "Connection" ? "upgrade" : value])).verdict, "ok");
});

test("the way of a subprotocol and of its answer is told", () => {
  const judge = (way, other = false) => {
    const outcome = new Outcome();
    judgeSubprotocol(outcome, ["a", "b"], way, other);
    return [outcome.verdict, ...outcome.findings, seen(outcome)];
  };
  assert.deepEqual(judge({ arrived: ["a", "b"], chosen: "a", answered: "a" }), ["ok", "a, b offered, a came back"]);
  assert.deepEqual(judge({ arrived: [], chosen: null, answered: "" }), ["broken", "lost", "a, b offered, and none arrived"]);
  assert.deepEqual(judge({ arrived: ["a"], chosen: "a", answered: "a" }), ["broken", "changed", "a, b offered, a arrived, a came back"]);
  assert.deepEqual(judge({ arrived: ["a", "b"], chosen: "a", answered: "" }), ["broken", "answer-lost", "a, b arrived, a was chosen and did not come back"]);
  assert.deepEqual(judge({ arrived: null, chosen: null, answered: "" }, true), ["unknown", "a, b offered, and none chosen"]);
});

test("of a connection that the browser failed, the server's view tells what was lost", () => {
  const judge = (seen, other = false) => {
    const outcome = new Outcome();
    judgeFailedOffer(outcome, ["a", "b"], seen, { key: "check.page.noConnection" }, other);
    return [outcome.verdict, ...outcome.findings];
  };
  const offer = ["Sec-WebSocket-Protocol", "a, b"];
  const answer = ["sec-websocket-protocol", "a"];
  assert.deepEqual(judge({ request: { headers: [] }, response: { headers: [] } }), ["broken", "lost"]);
  assert.deepEqual(judge({ request: { headers: [offer] }, response: { headers: [answer] } }), ["broken", "answer-lost"]);
  assert.deepEqual(judge({ request: { headers: [answer] }, response: { headers: [answer] } }), ["broken", "changed"]);
  assert.deepEqual(judge(null), ["broken", "refused"]);
  assert.deepEqual(judge(null, true), ["unknown"]);
});

test("the way of an offer of compression is told", () => {
  const judge = (offered, chosen, answered) => {
    const outcome = new Outcome();
    const both = judgeCompression(outcome, { extensions: { offered, chosen } }, answered);
    return [both, outcome.verdict, ...outcome.findings];
  };
  const offer = ["permessage-deflate; client_max_window_bits"];
  assert.deepEqual(judge(offer, "permessage-deflate", true), [true, "ok"]);
  assert.deepEqual(judge([], null, false), [false, "broken", "offer-lost"]);
  assert.deepEqual(judge(offer, "permessage-deflate", false), [false, "broken", "answer-lost"]);
  assert.deepEqual(judge(offer, null, false), [false, "differs", "declined"]);
});

test("a Close is judged by its code and its reason, each way", () => {
  const judge = (codes, came, other = false) => {
    const outcome = new Outcome();
    judgeClose(outcome, "check.seen.up", codes, came, other);
    return [outcome.verdict, ...outcome.findings, seen(outcome)];
  };
  const event = (code, reason = code === 1005 ? "" : "check") => ({ code, reason });
  const codes = [null, 1000, 1001, 1002, 3000];
  assert.deepEqual(judge(codes, [1005, 1000, 1001, 1002, 3000].map((code) => event(code))), ["ok", "an empty one, 1000 to 1002 and 3000 came unchanged to the far end and back"]);
  assert.deepEqual(judge([4001], [event(1000)]), ["broken", "code", "4001 came as 1000 to the far end and back"]);
  assert.deepEqual(judge([4001], [event(1006, "")]), ["broken", "none", "4001 came as 1006 to the far end and back"]);
  assert.deepEqual(judge([4001], [event(4001, "")]).slice(0, 2), ["broken", "reason"]);
  assert.equal(judge([4001], [event(1000)], true)[0], "unknown");
  assert.equal(judge([null], [event(1000)], true)[0], "ok");
  assert.equal(judge([4001], [null])[0], "unknown");
});

test("a difference of an echo is named", () => {
  assert.equal(difference("é", "é"), null);
  assert.equal(difference(new Uint8Array([1]).buffer, new Uint8Array([1]).buffer), null);
  const said = (sent, came) => textOf(Object.fromEntries([["key", difference(sent, came)[0]], ["vars", difference(sent, came)[1]]]));
  assert.equal(said("abc", new Uint8Array([97]).buffer), "came back as binary, not text");
  assert.equal(said("abc", "abd"), "byte 2 was changed");
  assert.equal(said("abc", "ab"), "came back as 2 B");
});

test("only the description of a ws-echo is one", () => {
  for (const other of [undefined, "", "null", "{}", '{"connection":null}', '{"connection":{"httpVersion":"1.1"}}', new ArrayBuffer(2)]) assert.equal(description(other), null);
  assert.ok(description('{"connection":{"httpVersion":"1.1","headers":[]}}'));
});

test("figures have the units of the command", () => {
  assert.deepEqual([time(0.42), time(41), time(12_340)], ["0.4 ms", "41 ms", "12.3 s"]);
  assert.deepEqual([size(0), size(65_536), size(16 << 20)], ["0 B", "65,536 B", "16 MiB"]);
});

test("what came from the far end neither hides nor is markup in the copies", () => {
  const hostile = textOf({ key: "check.seen.compressedClose", vars: { code: "1008", reason: "\u202e\n|<b>" } });
  assert.doesNotMatch(hostile, /[\u202e\n]/);
  const checks = [{ name: "close", verdict: "broken", seen: hostile, meaning: "m", fix: [{ where: "nginx", change: "x;" }] }];
  assert.match(markdown("ws://a/`b", "broken", checks), /\\\|\\<b\\>/);
  assert.deepEqual(JSON.parse(json("ws://a/", "broken", checks)).checks[0].fix, [{ where: "nginx", change: "x;" }]);
  assert.equal(command("ws://a/?b=1&c=2", ["tls"]), "ws-echo check 'ws://a/?b=1&c=2' --only tls");
});
