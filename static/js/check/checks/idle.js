// The check idle: after how long silence is cut, with Pings and without, and by which end. It takes minutes: a button runs it.
import { OWN_REASON } from "../described.js";

/** The longest silence in ms. `?freeze` ends by itself after 5 minutes. */
export const LIMIT = 290_000;
/** ms, the interval of Pings that many servers and libraries have by default. Silence that is cut earlier cuts them, too. */
const USUAL_PING = 20_000;

export async function idle(target, outcome) {
  const silence = (behaviours) => silent(target, { reply: "none", ...behaviours });
  if (target.isOther) return judgeIdle(outcome, { silent: await silence({}) }, true);
  const [frozen, own, pinged] = await Promise.all([
    // A frozen ws-echo does not close a connection for being idle.
    silence({ freeze: "" }),
    silence({ ping: "off" }),
    // A page sends no Ping. The far end does, and this browser answers.
    silence({ ping: `${USUAL_PING / 1000}s` }),
  ]);
  judgeIdle(outcome, { frozen, silent: own, pinged }, false);
}

/** Keeps a connection without messages. Resolves to { failed }, { open }, { after, cut } or { after, close }. */
async function silent(target, behaviours) {
  const link = await target.plain(behaviours);
  if (!link.ok) return { failed: true };
  const start = performance.now();
  const closed = await link.end(LIMIT);
  const after = performance.now() - start;
  if (closed) return { after, ...endOf(closed) };
  link.leave();
  return { open: true };
}

/** Pure. */
export function endOf({ code, reason }) {
  if (reason.startsWith(OWN_REASON)) return { close: `${code} ${reason}` };
  return { cut: code === 1006 ? { key: "check.page.cut" } : code === 1005 ? { key: "check.seen.closedWithout" } : { key: "check.seen.closeWith", vars: { code: String(code) } } };
}

/** Pure. */
export function judgeIdle(outcome, { frozen, silent, pinged }, other) {
  const first = frozen ?? silent;
  const by = { key: other ? "check.seen.farOrBetween" : "check.seen.between" };
  const [limit, every] = [{ ms: LIMIT }, { ms: USUAL_PING }];
  const ended = ({ after, cut, close }) => ({ time: { ms: after }, how: cut, by, close, every });
  if (first.failed) outcome.unknown("check.page.noConnection");
  else if (first.cut && !other && first.after < USUAL_PING) outcome.broken("cut-soon", "check.seen.silenceCut", ended(first));
  else if (first.cut) outcome.differs("cut", "check.seen.silenceCut", ended(first));
  else if (first.close) outcome.unknown("check.seen.farCloses", ended(first));
  else outcome.ok("check.seen.silenceKept", { limit });
  if (frozen && silent.close) outcome.ok("check.seen.closesSilent", ended(silent));
  if (!pinged) return;
  // Silence is cut before the first Ping.
  if (pinged.cut && pinged.after < USUAL_PING) outcome.unknown("check.page.noPingYet", { every });
  else if (pinged.open) outcome.ok("check.seen.pingsKeep", { every, limit });
  else if (pinged.cut) outcome.broken("pings", "check.seen.pingsCut", ended(pinged));
  else if (pinged.close) outcome.unknown("check.seen.pingsClosed", ended(pinged));
  else outcome.unknown("check.page.noConnection");
}
