// The check reset: what this browser sees if the far end resets or ends the TCP connection, and when.
import { TIMEOUT } from "../link.js";

export async function reset(target, outcome) {
  if (target.isOther) return outcome.unknown("check.seen.noReset");
  const [reset, fin] = await Promise.all(["abort", "fin"].map((action) => arrival(target, action)));
  judgeReset(outcome, "check.seen.reset", reset);
  judgeReset(outcome, "check.seen.fin", fin);
}

/** Has the far end reply to a message and then end the connection. */
async function arrival(target, action) {
  const link = await target.plain({ reply: "verbatim", [action]: "", after: "1" });
  if (!link.ok) return { failed: true };
  const start = performance.now();
  link.ws.send("ws-echo check");
  const closed = await link.end();
  return { closed, after: performance.now() - start };
}

/** Pure. */
export function judgeReset(outcome, what, { failed, closed, after }) {
  const vars = { what: { key: what } };
  if (failed) outcome.unknown("check.seen.endNotSeen", { ...vars, error: { key: "check.page.noConnection" } });
  else if (!closed) outcome.broken("open", "check.seen.stillOpen", { ...vars, time: { ms: TIMEOUT } });
  else if (closed.code === 1006) outcome.ok("check.page.end", { ...vars, time: { ms: after } });
  else if (closed.code === 1005) outcome.broken("clean", "check.seen.endWithoutCode", vars);
  else if (closed.code === 1000) outcome.broken("clean", "check.seen.endClose", { ...vars, code: "1000" });
  else outcome.differs("close", "check.seen.endClose", { ...vars, code: String(closed.code) });
}
