// The checks of the page: their verdicts, and their words, which are the command's. node --test tests/page/check.test.mjs
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
globalThis.innerWidth = 1440; // state.js reads it
const { describe, Outcome, total } = await import("../../static/js/check/outcome.js");
const { description } = await import("../../static/js/check/described.js");
const { CHECKS } = await import("../../static/js/check/checks/index.js");
const { judgeClose } = await import("../../static/js/check/checks/close.js");
const { judgeCompression } = await import("../../static/js/check/checks/compression.js");
const { judgeHeaders } = await import("../../static/js/check/checks/headers.js");
const { difference } = await import("../../static/js/check/checks/messages.js");
const { judgeFailedOffer, judgeSubprotocol } = await import("../../static/js/check/checks/subprotocol.js");
const { fateOf, judgeSize, largest } = await import("../../static/js/check/checks/size.js");
const { judgePing, pinged } = await import("../../static/js/check/checks/ping.js");
const { judgeReset } = await import("../../static/js/check/checks/reset.js");
const { judgeLatency } = await import("../../static/js/check/checks/latency.js");
const { judgeConcurrency } = await import("../../static/js/check/checks/concurrency.js");
const { ended, fates, judgeFaults } = await import("../../static/js/check/checks/faults.js");
const { Events, judgeEvents, judgeStatus } = await import("../../static/js/check/checks/polling.js");
const { endOf, judgeIdle } = await import("../../static/js/check/checks/idle.js");
const { Link } = await import("../../static/js/check/link.js");
const { Pace } = await import("../../static/js/check/pace.js");
const { size, textOf, time } = await import("../../static/js/check/figures.js");
const { command, json, markdown } = await import("../../static/js/check/report.js");
const { default: texts } = await import("../../static/js/check/strings.en.js");
const { addTexts } = await import("../../static/js/shared/i18n.js");
addTexts(texts);

const source = new URL("../../src/check/", import.meta.url);
const read = (name) => readFileSync(new URL(name, source), "utf8");
const rust = [...readdirSync(new URL("checks/", source)).map((name) => `checks/${name}`), "run.rs"].map(read).join("\n").split("#[cfg(test)]").join("\n");
const folder = new URL("../../static/js/check/checks/", import.meta.url);
const page = Object.fromEntries(readdirSync(folder).map((name) => [name.replace(".js", ""), readFileSync(new URL(name, folder), "utf8")]));
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

test("every finding of a check of the page has the command's words for that check", () => {
  let count = 0;
  for (const name of Object.keys(CHECKS)) {
    const { findings } = words(name);
    for (const [, one, other, given] of page[name].matchAll(/\.(?:broken|differs)\("([\w-]+)"|brokenUnless\([^,]+, "([\w-]+)"|seen: \["([\w-]+)"/g)) {
      const finding = one ?? other ?? given;
      if (finding.startsWith("check")) continue;
      assert.ok(finding in findings, `${name}: ${finding}`);
      count++;
    }
  }
  assert.ok(count > 35, String(count));
});

test("every check of the page is one of the command", () => {
  for (const name of Object.keys(CHECKS)) assert.ok(words(name), name);
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
  assert.deepEqual([fix[0].where, known, fix.length], ["Caddy", 1, words("subprotocol").findings.lost.fix.length]);
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

/** The verdict, the findings and what was seen, of what `judge(outcome)` adds. */
function judged(judge) {
  const outcome = new Outcome();
  judge(outcome);
  return [outcome.verdict, ...outcome.findings, seen(outcome)];
}

test("the largest message is found to the byte", async () => {
  for (const limit of [0, 1, 100, 65_535, 65_536, 100_000, 1 << 20, (16 << 20) - 1]) {
    let count = 0;
    const found = await largest(16 << 20, Infinity, async (length) => (count++, length <= limit ? null : { cut: { key: "check.page.cut" } }));
    assert.deepEqual([found.passed, found.length], [limit, limit + 1]);
    assert.ok(count <= 27, String(count));
  }
  assert.deepEqual((await largest(16 << 20, Infinity, async () => null)).passed, 16 << 20);
  // The limit that the far end names needs one message.
  let count = 0;
  const own = await largest(16 << 20, Infinity, async (length) => (count++, length <= 70_000 ? null : { own: true, limit: 70_000 }));
  assert.deepEqual([own.passed, count], [70_000, 3]);
  const late = await largest(16 << 20, performance.now(), () => new Promise(() => {}));
  assert.deepEqual([late.passed, late.length, late.late >= 0], [0, 65_536, true]);
});

test("a limit of the far end is its own, a cut is not, and a slow network is not broken", () => {
  assert.deepEqual(fateOf({ code: 1009, reason: "ws-echo: a message of more than 1024 bytes" }), { own: true, limit: 1024 });
  assert.deepEqual(fateOf({ code: 1013, reason: "ws-echo: memory limit --max-buffered reached" }), { own: true, limit: null });
  const judge = (found, other = false) => judged((outcome) => judgeSize(outcome, "check.seen.to", { passed: 65_536, took: 2, ...found }, other));
  assert.deepEqual(judge({}), ["ok", "65,536 B passed to the far end in 2.0 ms"]);
  assert.deepEqual(judge({ length: 65_537, fate: fateOf({ code: 1009, reason: "ws-echo: a message of more than 65536 bytes" }) })[0], "ok");
  const cut = { length: 100_000, fate: fateOf({ code: 1006, reason: "" }) };
  assert.deepEqual(judge(cut), ["broken", "cut", "65,536 B passed to the far end in 2.0 ms; 100,000 B was cut by an end without a Close"]);
  assert.equal(judge(cut, true)[0], "unknown");
  assert.deepEqual(judge({ length: 1 << 20, late: 5000 }).slice(0, 2), ["broken", "stalled"]);
  assert.equal(judge({ took: 300, length: 1 << 20, late: 5000 })[0], "unknown");
});

test("a Ping of the server is answered, or not", () => {
  const frame = (direction, opcode, at, start = "") => ({ event: "frame", direction, opcode, at, start, length: start.length / 2 });
  const judge = (events, closed = false) => judged((outcome) => judgePing(outcome, pinged(events), closed, 11_000));
  assert.deepEqual(judge([frame("sent", 9, 10), frame("received", 10, 12)]), ["unknown", "a Ping of the far end got its Pong within 3.0 ms; a page cannot send one"]);
  assert.deepEqual(judge([frame("sent", 9, 10), frame("received", 10, 12, "61")]), ["broken", "payload", "a Ping of 0 B got a Pong of 1 B with another payload"]);
  assert.deepEqual(judge([frame("sent", 9, 10), frame("sent", 9, 1010)]).slice(0, 2), ["broken", "swallowed"]);
  assert.deepEqual(judge([frame("sent", 9, 10)], true).slice(0, 2), ["broken", "swallowed"]);
  // A view that comes late shows nothing of a Ping.
  assert.deepEqual([judge([])[0], judge([frame("sent", 9, 10)])[0]], ["unknown", "unknown"]);
});

test("an end that became a regular Close is broken", () => {
  const judge = (arrival) => judged((outcome) => judgeReset(outcome, "check.seen.reset", arrival));
  assert.deepEqual(judge({ closed: { code: 1006 }, after: 4 }), ["ok", "a reset of the far end came after 4.0 ms, as 1006"]);
  assert.deepEqual(judge({ closed: { code: 1000 } }), ["broken", "clean", "a reset of the far end came as Close 1000"]);
  assert.deepEqual(judge({ closed: { code: 1005 } }).slice(0, 2), ["broken", "clean"]);
  assert.deepEqual(judge({ closed: { code: 1011 } }).slice(0, 2), ["differs", "close"]);
  assert.deepEqual(judge({ closed: null }).slice(0, 2), ["broken", "open"]);
  assert.equal(judge({ failed: true })[0], "unknown");
});

/** Messages of an interval that arrive at multiples of `lump` ms. */
function pace(lump, { every = 20, count = 40 } = {}) {
  const all = new Pace();
  // The clock of the sender is another one.
  for (let i = 0; i < count; i++) all.add(1e12 + i * every, Math.ceil((i * every) / lump) * lump);
  return all;
}

test("messages that come together are lumps, and long ones are held back", () => {
  const judge = (lump, other = false) => judged((outcome) => judgeLatency(outcome, { ways: [{ what: "check.seen.pushes", pace: pace(lump) }], trips: [0.4] }, other));
  assert.deepEqual(judge(20), ["ok", "40 pushes 20 ms apart came one by one, at most 0.0 ms late; round trip 0.4 ms in the median"]);
  assert.deepEqual(judge(200).slice(0, 2), ["differs", "lumps"]);
  assert.deepEqual(judge(1600).slice(0, 2), ["broken", "held"]);
  assert.equal(judge(1600, true)[0], "unknown");
  // One pause of the machine: five messages wait for it.
  const paused = new Pace();
  for (let i = 0; i < 40; i++) paused.add(i * 20, i < 5 ? 100 : i * 20);
  assert.equal(paused.inLumps, false);
  assert.deepEqual([pace(200).groups, Math.round(pace(200).mostLate)], [5, 180]);
  // Drawn on one scale, as if the fastest took no time.
  const { sent, came } = pace(200, { count: 12 }).drawn;
  assert.deepEqual([sent[0], sent[11], came[1], came[11]], [0, 220, 200, 400]);
});

test("connections that fail at once are counted by their reason", () => {
  const judge = (failures, other = false) => judged((outcome) => judgeConcurrency(outcome, failures, { took: 212, echoes: true, other }));
  const end = { key: "check.seen.endedBeforeEcho" };
  assert.deepEqual(judge([null, null]), ["ok", "2 connections echoed at once, after 212 ms"]);
  assert.deepEqual(judge([null, end, end]), ["broken", "limit", "2 of 3 connections at once failed: the connection ended before the echo"]);
  assert.equal(judge([null, end], true)[0], "unknown");
  // Perhaps by a limit of ws-echo.
  assert.equal(judge([null, { key: "check.page.noConnection" }])[0], "unknown");
});

test("an invalid frame passed if the server saw this browser fail the connection", () => {
  const line = (fault) => ({ line: `GET /?reply=verbatim&wire=${fault}&after=1 HTTP/1.1` });
  const events = [
    { event: "handshake", connection: 1, request: line("rsv") },
    { event: "handshake", connection: 2, request: line("utf8") },
    { event: "frame", connection: 1, direction: "received", opcode: 8, start: "03ea4d" },
    { event: "end", connection: 1 },
    { event: "end", connection: 2 },
  ];
  assert.deepEqual([ended(events, "rsv"), ended(events, "utf8"), ended(events, "length")], [{ failed: true }, { failed: false }, null]);
  const cut = { closed: { code: 1006, wasClean: false } };
  const judge = (names, arrivals, saw) => judged((outcome) => judgeFaults(outcome, names, fates(arrivals, saw, names)));
  assert.deepEqual(judge(["rsv"], [cut], () => ({ failed: true })), ["ok", "all 1 invalid frames passed on from the far end: this browser failed each connection"]);
  // A browser may end the TCP connection without a Close frame, as what stands between does.
  assert.equal(judge(["rsv"], [cut], () => ({ failed: false }))[0], "unknown");
  assert.equal(judge(["rsv"], [cut], null)[0], "unknown");
  assert.deepEqual(judge(["rsv", "utf8"], [cut, cut], (fault) => ({ failed: fault === "rsv" })).slice(0, 2), ["differs", "stopped"]);
  assert.deepEqual(judge(["rsv", "utf8"], [{ closed: { code: 1002, wasClean: true } }, { after: true }], null), ["differs", "stopped", "repaired", "rsv stopped from the far end by Close 1002; utf8 were left out from the far end"]);
  // A browser may accept a mask or a long form of a length, if nothing in between has decoded the other frames.
  const passed = () => ({ failed: true });
  assert.equal(judge(["rsv", "length"], [cut, { repaired: true, after: true }], passed)[0], "ok");
  assert.equal(judge(["rsv", "close-code"], [cut, { closed: { code: 1005, wasClean: true } }], null)[0], "unknown");
  assert.deepEqual(judge(["rsv", "length"], [{ repaired: true }, { repaired: true }], passed).slice(0, 2), ["differs", "repaired"]);
});

test("events in short lumps differ, and in long ones are held back", () => {
  const judge = (lump, count = 12, gzip = false) => judged((outcome) => judgeEvents(outcome, pace(lump, { every: 100, count }), gzip));
  assert.deepEqual(judge(100), ["ok", "/events: 12 events 100 ms apart came one by one, at most 0.0 ms late"]);
  assert.deepEqual(judge(300).slice(0, 2), ["differs", "lumps"]);
  assert.deepEqual(judge(1200, 12, true), ["broken", "held", "/events: 12 events, compressed with gzip, 100 ms apart came in 2 lumps, at most 1100 ms late"]);
  assert.deepEqual(judge(100, 0), ["broken", "held", "/events: no event within 5000 ms"]);
  assert.equal(judge(100, 7)[0], "unknown");
  const stream = new Events();
  // Lines may be cut anywhere.
  for (const [text, at] of [[": hello\n\nda", 1], ["ta: 17953\n", 2], ["\ndata: x\n\ndata: 17954\r\n", 3]]) stream.add(text, at);
  assert.deepEqual([stream.pace.sent, stream.pace.arrived], [[17953, 17954], [2, 3]]);
});

test("a path that does not lead to the server is missing, and a failure is one", () => {
  assert.deepEqual(judgeStatus("/poll", 404, "nginx"), { verdict: "differs", seen: ["missing", "check.seen.status", { path: "/poll", status: "404", server: { key: "check.seen.fromServer", vars: { name: "nginx" } } }] });
  const { verdict, seen } = judgeStatus("/events", 502, null);
  assert.deepEqual([verdict, seen[0], textOf({ key: seen[1], vars: seen[2] })], ["broken", "failed", "/events: 502"]);
});

test("the end of a silent connection is named", () => {
  const judge = (frozen, silent, pinged, other = false) => judged((outcome) => judgeIdle(outcome, { frozen, silent, pinged }, other));
  const open = { open: true };
  const cut = (s) => ({ after: s * 1000, ...endOf({ code: 1006, reason: "" }) });
  const closed = { after: 60_000, ...endOf({ code: 1001, reason: "ws-echo: idle for 60s" }) };
  assert.deepEqual(judge(open, closed, open), ["ok", "silence of 290.0 s is not cut; the far end itself closes a silent client after 60.0 s with 1001 ws-echo: idle for 60s; with a Ping every 20.0 s, 290.0 s are not cut"]);
  assert.deepEqual(judge(cut(60), closed, open).slice(0, 2), ["differs", "cut"]);
  assert.deepEqual(judge(cut(3), cut(3), open).slice(0, 2), ["broken", "cut-soon"]);
  assert.deepEqual(judge(cut(60), cut(60), cut(60)).slice(0, 3), ["broken", "cut", "pings"]);
  // Before the first Ping, nothing is known of Pings.
  assert.deepEqual(judge(cut(3), cut(3), cut(3)), ["broken", "cut-soon", "silence is cut after 3000 ms by an end without a Close, from something in between; whether Pings keep it open is not known: it is cut before the first one, after 20.0 s"]);
  assert.equal(judge({ failed: true }, open, open)[0], "unknown");
  // Another far end may cut silence itself.
  assert.deepEqual(judge(undefined, cut(3), undefined, true), ["differs", "cut", "silence is cut after 3000 ms by an end without a Close, from the far end or something in between"]);
});

test("a far end that floods fills no memory, and a check that is stopped waits for nothing", async () => {
  class Socket {
    close() {}
  }
  globalThis.WebSocket = Socket;
  const control = new AbortController();
  const link = new Link("ws://a/", [], control.signal);
  link.ws.onopen();
  assert.equal(await link.opened, true);
  const part = new ArrayBuffer(16 << 20);
  for (let i = 0; i < 9; i++) link.ws.onmessage({ data: part });
  let count = 0;
  while ((await link.next(0)).data) count++;
  assert.equal(count, 3);
  link.ws.onmessage({ data: "more" });
  assert.equal((await link.next(0)).data, "more");
  const waits = link.next(60_000);
  control.abort();
  await assert.rejects(waits, { name: "AbortError" });
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
