// The check size: the largest message that passes, each way, up to 16 MiB.
import { OWN_REASON } from "../described.js";
import { TIMEOUT } from "../link.js";

/** The sizes that are tried first. The last one is the largest. */
const STEPS = [65_536, 1 << 20, 16 << 20];
const LARGEST = STEPS.at(-1);
/** A message that takes this many times as long as its size lets expect does not arrive any more. */
const PATIENCE = 64;
/** The text that confirms a message. */
const RECEIVED = "received";

export async function size(target, outcome) {
  if (!target.echoes) return outcome.unknown("check.seen.echoesNot");
  const start = performance.now();
  const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
  const all = new Uint8Array(LARGEST);
  for (let at = 0; at < LARGEST; at += 256) all.set(payload, at);
  const part = (length) => all.subarray(0, length);
  if (target.isOther) return judgeSize(outcome, "check.seen.bothWays", await largest(LARGEST, start + TIMEOUT, (length) => echoed(target, part(length))), true);
  const found = await largest(LARGEST, start + TIMEOUT / 2, (length) => up(target, part(length)));
  judgeSize(outcome, "check.seen.to", found, false);
  // The far end pushes no larger message than it receives.
  const top = found.fate?.own ? (found.fate.limit ?? LARGEST) : LARGEST;
  judgeSize(outcome, "check.seen.down", await largest(top, start + TIMEOUT, (length) => down(target, length)), false);
}

/** Sends a message that the far end confirms by a Close, so that nothing large comes back. */
async function up(target, data) {
  const link = await target.plain({ reply: "none", close: `3000:${RECEIVED}`, after: "1" });
  if (!link.ok) return { failed: true };
  link.ws.send(data);
  const closed = await link.end();
  // The check close says if the code or the reason is lost.
  if (closed?.code === 3000 || closed?.reason === RECEIVED) return null;
  return closed ? fateOf(closed) : new Promise(() => {});
}

/** Has the far end push a message. */
async function down(target, length) {
  const link = await target.plain({ reply: "none", push: String(length) });
  return link.ok ? received(link, length) : { failed: true };
}

/** Sends a message that comes back. */
async function echoed(target, data) {
  const link = await target.plain();
  if (!link.ok) return { failed: true };
  link.ws.send(data);
  return received(link, data.length);
}

/** Waits for a binary message of this length. Another server may send more. */
async function received(link, length) {
  for (;;) {
    const { data, closed } = await link.next();
    if (closed) return fateOf(closed);
    if (data?.byteLength === length) return link.leave(), null;
  }
}

/** What became of a message that did not pass: { own, limit } if the far end has a limit, or { cut }. Pure. */
export function fateOf({ code, reason }) {
  if (reason.startsWith(OWN_REASON)) return { own: true, limit: code === 1009 ? Number(/\d+(?=\D*$)/.exec(reason)?.[0]) || null : null };
  return { cut: code === 1006 ? { key: "check.page.cut" } : code === 1005 ? { key: "check.seen.closedWithout" } : { key: "check.seen.closeCode", vars: { code: String(code) } } };
}

/**
 * Finds the largest message that passes: first in large steps, then by bisection, until the deadline. `probe(length)` resolves to
 * null if it passes, or to its fate. Returns { passed, took, length, fate, late }, where `length` is the smallest that does not pass.
 */
export async function largest(top, deadline, probe) {
  let [passed, took] = [0, 0];
  const attempt = async (length) => {
    const start = performance.now();
    let timer;
    const end = new Promise((resolve) => (timer = setTimeout(resolve, deadline - start, { late: true })));
    const fate = await Promise.race([probe(length), end]);
    clearTimeout(timer);
    const spent = performance.now() - start;
    if (!fate) [passed, took] = [length, spent];
    return fate?.late ? { late: spent } : fate;
  };
  let failed = null;
  for (const length of [...STEPS.filter((one) => one < top), top]) {
    const fate = await attempt(length);
    if (fate?.late) return { passed, took, length, late: fate.late };
    if (fate) failed = { length, fate };
    if (fate) break;
  }
  if (!failed) return { passed, took };
  // Bisection to the byte, which is 24 messages at most. The limit that the far end names needs one.
  let next = failed.fate.limit;
  while (!failed.fate.failed && failed.length - passed > 1) {
    const length = next > passed && next < failed.length ? next : passed + ((failed.length - passed) >> 1);
    const fate = await attempt(length);
    if (fate?.late || fate?.failed) break;
    if (fate) failed = { length, fate };
    else if (failed.fate.limit === length) break;
    next = null;
  }
  return { passed, took, ...failed };
}

/** Pure. */
export function judgeSize(outcome, way, { passed, took, length, fate, late }, other) {
  const largest = passed ? { key: "check.seen.passed", vars: { size: { size: passed }, way: { key: way }, time: { ms: took } } } : { key: "check.seen.nonePassed", vars: { way: { key: way } } };
  const vars = { largest, size: { size: length } };
  if (fate?.own) return passed ? outcome.ok("check.seen.refuses", vars) : outcome.unknown("check.seen.refuses", vars);
  if (fate?.failed) return outcome.unknown("check.seen.notSent", { ...vars, error: { key: "check.page.noConnection" } });
  if (fate) return outcome.brokenUnless(other, "cut", "check.seen.cutBy", { ...vars, end: fate.cut });
  if (!late) return outcome.ok(largest.key, largest.vars);
  // Else a slow network.
  const stalled = passed && ((took * length) / passed) * PATIENCE < late;
  const seen = ["check.seen.notArrivedWithin", { ...vars, time: { ms: late } }];
  return stalled ? outcome.brokenUnless(other, "stalled", ...seen) : outcome.unknown(...seen);
}
