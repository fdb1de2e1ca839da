// The checks that a page can do, by their names, as src/check/checks/ has them. Each gets a target and an Outcome to fill.
import { newKey, ServerView } from "../connection/watch.js";
import { withQuery } from "../connection/url.js";
import { description, difference, judgeClose, judgeCompression, judgeFailedOffer, judgeHeaders, judgeSubprotocol, list } from "./judge.js";
import { connect } from "./link.js";
import { Outcome } from "./outcome.js";

const QUESTION = "ws-echo check: do you echo?";
const PATIENCE = 3000; // ms for which a server that sends other messages is listened to
const WATCHED = 2000; // ms in which the server tells of a handshake
/** The names that are offered to ws-echo, which accepts any. */
const MADE_UP = ["check.one", "check.two"];
/** Characters of one to four bytes. */
const TEXT = "a é 界 🦀 \u{10FFFF}";
/** The edges of the three forms of a length (RFC 6455 section 5.2), and the empty message. */
const LENGTHS = [0, 1, 125, 126, 65_535, 65_536];
/** The codes that a server sends, and those that a browser may send. */
const DOWN = [null, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
const UP = [null, 1000, 3000, 4001, 4999];
const LARGE = "ws-echo ".repeat(512);

/** The far end of the checks. */
export class Target {
  farEnd = "other"; // ws-echo | echo | other
  constructor({ url, protocols, signal }) {
    Object.assign(this, { url, protocols, signal });
  }
  get isOther() {
    return this.farEnd !== "ws-echo";
  }
  /** A connection with these behaviours, which are for ws-echo alone: another server may refuse a query. */
  connect(behaviours = {}, protocols = []) {
    return connect(this.isOther ? this.url : withQuery(this.url, behaviours), protocols, this.signal);
  }
  /** One without an offer that is accepted: what is compressed is the check compression. */
  plain(behaviours, protocols) {
    return this.connect({ compress: "off", ...behaviours }, protocols);
  }
}

/** Finds out what answers. Resolves to the reason why there is no connection, or null. */
export async function discover(target) {
  target.farEnd = "ws-echo";
  const first = await target.plain({ hello: "json", reply: "verbatim" });
  if (first.ok && (await answer(first)) === "ws-echo") return null;
  target.farEnd = "other";
  const second = await target.connect();
  if (!second.ok) return second;
  target.farEnd = await answer(second);
  return null;
}

async function answer(link) {
  link.ws.send(QUESTION);
  const until = performance.now() + PATIENCE;
  let farEnd = "other";
  // ws-echo describes the connection first. Others may send a greeting.
  while (farEnd === "other") {
    const { data } = await link.next(until - performance.now());
    if (data === undefined) break;
    if (description(data)) farEnd = "ws-echo";
    else if (data === QUESTION) farEnd = "echo";
  }
  link.leave();
  return farEnd;
}

async function handshake(target, outcome) {
  const link = await target.connect();
  if (!link.ok) return outcome.broken("failed", "check.page.failed", { time: { ms: link.took } });
  outcome.ok("check.seen.accept", { time: { ms: link.took } });
  link.leave();
}

async function headers(target, outcome) {
  if (target.isOther) return outcome.unknown("check.seen.noRequest");
  const behaviours = { compress: "off", hello: "json" };
  const link = await target.connect(behaviours);
  const described = description((await link.next()).data);
  link.leave();
  if (!described) return outcome.unknown("check.seen.noDescription");
  judgeHeaders(outcome, described, { url: withQuery(target.url, behaviours), origin: location.origin });
}

/** The handshake event of a watched connection: a browser shows a page nothing of one that it failed. */
function watched(url) {
  if (new URL(url).host !== location.host) return null;
  const key = newKey();
  const source = new EventSource(ServerView.url(key));
  const within = (event, ms) => new Promise((resolve) => {
    source.addEventListener(event, resolve, { once: true });
    setTimeout(resolve, ms);
  });
  return { key, ready: within("open", WATCHED), event: new Promise((resolve) => source.addEventListener("handshake", ({ data }) => resolve(JSON.parse(data)))), close: () => source.close() };
}

async function subprotocol(target, outcome) {
  const names = target.protocols.length ? target.protocols : target.isOther ? [] : MADE_UP;
  if (!names.length) return outcome.unknown("check.page.noName");
  const watch = target.isOther ? null : watched(target.url);
  await watch?.ready;
  try {
    const link = await target.plain({ hello: "json", ...(watch && { watch: watch.key }) }, names);
    if (link.error) return outcome.unknown("check.page.forbidden", { error: link.error });
    if (!link.ok) {
      const seen = watch && (await Promise.race([watch.event, new Promise((resolve) => setTimeout(resolve, WATCHED, null))]));
      return judgeFailedOffer(outcome, names, seen, { key: "check.page.noConnection" }, target.isOther);
    }
    const described = target.isOther ? null : description((await link.next()).data);
    judgeSubprotocol(outcome, names, { arrived: described?.subprotocol.offered ?? null, chosen: described?.subprotocol.chosen ?? null, answered: link.ws.protocol }, target.isOther);
    link.leave();
  } finally {
    watch?.close();
  }
}

async function compression(target, outcome) {
  const link = await target.connect({ hello: "json", reply: "json" });
  if (!link.ok) return outcome.unknown("check.page.noConnection");
  const answered = link.ws.extensions.includes("permessage-deflate");
  try {
    if (target.isOther) {
      if (!answered) return outcome.unknown("check.seen.notAccepted");
      if (target.farEnd !== "echo") return outcome.unknown("check.seen.noEcho");
      return await compressed(link, outcome);
    }
    const { data, closed } = await link.next();
    const described = description(data);
    // ws-echo compresses its description, and a browser that has learned nothing of that ends the connection.
    if (!described) return closed && !answered ? outcome.broken("answer-lost", "check.seen.deflateAnswerLost") : outcome.unknown("check.seen.noDescription");
    if (judgeCompression(outcome, described, answered)) await compressed(link, outcome);
  } finally {
    link.leave();
  }
}

/** A message of which each browser compresses the whole. */
async function compressed(link, outcome) {
  link.ws.send(LARGE);
  const { data, closed } = await link.next();
  if (closed && closed.code !== 1006) return outcome.broken("message", "check.seen.compressedClose", { code: String(closed.code), reason: closed.reason });
  if (data === undefined) return outcome.broken("message", "check.seen.compressedLost");
  if (data === LARGE) return outcome.ok("check.seen.whole", { messages: { size: LARGE.length } });
  let reply = null;
  try {
    reply = JSON.parse(data);
  } catch {
    /* another message than the reply */
  }
  if (reply?.compressed === true) outcome.ok("check.seen.compressed");
  else if (reply?.compressed === false) outcome.differs("recompressed", "check.seen.recompressed");
  else outcome.broken("message", "check.seen.compressedNoReply");
}

async function messages(target, outcome) {
  if (target.farEnd === "other") return outcome.unknown("check.seen.echoesNot");
  const link = await target.plain({ reply: "verbatim" });
  if (!link.ok) return outcome.broken("lost", "check.page.noConnection");
  const all = [
    ["text", { key: "check.seen.text" }, TEXT],
    // Each byte value, so that a byte that is changed shows.
    ...LENGTHS.map((size) => ["lost", { size }, Uint8Array.from({ length: size }, (_, i) => i & 255).buffer]),
  ];
  try {
    for (const [finding, message, data] of all) {
      link.ws.send(data);
      let reply = await link.next();
      // A greeting of another server.
      while (target.farEnd === "echo" && typeof reply.data === "string" && typeof data !== "string") reply = await link.next();
      const fail = (found, [key, vars], limit = false) => outcome.brokenUnless(limit && target.isOther, found, "check.seen.message", { message, reason: { key, vars } });
      const { closed } = reply;
      if (closed?.code === 1006) return fail(finding, ["check.seen.ended"]);
      if (closed?.code === 1005) return fail(finding, ["check.seen.closedWithout"]);
      if (closed) return fail(finding, ["check.seen.closed", { code: String(closed.code), reason: closed.reason }], closed.code === 1009);
      if (reply.data === undefined) return fail(finding, ["check.seen.noneInTime"]);
      const differs = difference(data, reply.data);
      if (differs) return fail("changed", differs);
    }
    outcome.ok("check.seen.whole", { messages: list(all.map(([, message]) => message)) });
  } finally {
    link.leave();
  }
}

async function close(target, outcome) {
  const ends = (codes, open) => Promise.all(codes.map(async (code) => {
    const link = await open(code);
    return link.ok ? ((await link.end()) ?? { code: 1006, reason: "" }) : null;
  }));
  if (!target.isOther) {
    const down = await ends(DOWN, (code) => target.plain({ close: code === null ? "" : `${code}:check`, after: "0s" }));
    judgeClose(outcome, "check.seen.down", DOWN, down, false);
  }
  const up = await ends(UP, async (code) => {
    const link = await target.plain({ reply: "none" });
    if (link.ok) code === null ? link.ws.close() : link.ws.close(code, "check");
    return link;
  });
  judgeClose(outcome, "check.seen.up", UP, up, target.isOther);
}

export const CHECKS = { handshake, headers, subprotocol, compression, messages, close };

/** Runs one check. */
export async function runCheck(name, target) {
  const outcome = new Outcome();
  await CHECKS[name](target, outcome);
  return outcome;
}
