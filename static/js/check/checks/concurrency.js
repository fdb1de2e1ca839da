// The check concurrency: 50 connections at the same time.
import { inTurn } from "../link.js";

const COUNT = 50;

export async function concurrency(target, outcome) {
  const start = performance.now();
  const links = [];
  // Each stays open until all have been tried.
  const failures = await inTurn(Array.from({ length: COUNT }), async () => {
    const link = await target.plain({ reply: "verbatim" });
    if (!link.ok) return { key: "check.page.noConnection" };
    return target.echoes ? echo(link, `ws-echo check: connection ${links.push(link)}`) : (links.push(link), null);
  });
  judgeConcurrency(outcome, failures, { took: performance.now() - start, echoes: target.echoes, other: target.isOther });
  for (const link of links) link.leave();
}

/** Waits for the echo of a connection's own message. Resolves to the reason why it does not work, or to null. */
async function echo(link, text) {
  link.ws.send(text);
  for (;;) {
    const { data, closed } = await link.next();
    // A greeting of another server is neither.
    if (data === text) return null;
    if (data !== undefined) continue;
    if (!closed) return { key: "check.seen.noneInTime" };
    return closed.code === 1006 ? { key: "check.seen.endedBeforeEcho" } : { key: "check.seen.closeWith", vars: { code: closed.code === 1005 ? { key: "check.seen.noneOfCode" } : String(closed.code) } };
  }
}

/** `failures` has a reason or null for each connection. Pure. */
export function judgeConcurrency(outcome, failures, { took, echoes, other }) {
  const count = failures.filter((failure) => !failure).length;
  const does = { key: echoes ? "check.seen.echoed" : "check.seen.wereOpen" };
  if (count === failures.length) return outcome.ok("check.seen.atOnce", { count, does, time: { ms: took } });
  const reasons = new Map();
  for (const failure of failures.filter(Boolean)) {
    const name = JSON.stringify(failure);
    reasons.set(name, { failure, failed: (reasons.get(name)?.failed ?? 0) + 1 });
  }
  for (const { failure, failed } of reasons.values()) {
    const vars = { failed, count: failures.length, reason: failure };
    // A browser does not tell a page who refuses: a limit of ws-echo itself is none of a proxy.
    if (failure.key === "check.page.noConnection") outcome.unknown("check.seen.someFailed", { ...vars, reason: { key: "check.page.refusedAtOnce" } });
    else outcome.brokenUnless(other, "limit", "check.seen.someFailed", vars);
  }
}
