// The check close: codes and reasons, each way.
import { inTurn } from "../link.js";

const REASON = "check";
/** The codes that a server sends, and those that a browser may send. The code null is a Close without one. */
const DOWN = [null, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
const UP = [null, 1000, 3000, 4001, 4999];

export async function close(target, outcome) {
  const ends = (codes, open) => inTurn(codes, async (code) => {
    const link = await open(code);
    return link.ok ? ((await link.end()) ?? { code: 1006, reason: "" }) : null;
  });
  if (!target.isOther) {
    const down = await ends(DOWN, (code) => target.plain({ close: code === null ? "" : `${code}:${REASON}`, after: "0s" }));
    judgeClose(outcome, "check.seen.down", DOWN, down, false);
  }
  const up = await ends(UP, async (code) => {
    const link = await target.plain({ reply: "none" });
    if (link.ok) code === null ? link.ws.close() : link.ws.close(code, REASON);
    return link;
  });
  judgeClose(outcome, "check.seen.up", UP, up, target.isOther);
}

/**
 * One way, pure: `came[i]` is the close event of `codes[i]`, or null if there was no connection. The code null is a Close
 * without one, which a browser reports as 1005. `other`: the codes may be the choice of the far end.
 */
export function judgeClose(outcome, way, codes, came, other) {
  const right = [];
  const unreasoned = [];
  codes.forEach((code, i) => {
    const event = came[i];
    const vars = { sent: code === null ? { key: "check.seen.empty" } : String(code), way: { key: way } };
    if (!event) outcome.unknown("check.page.notSent", vars);
    else if (event.code === (code ?? 1005) || (other && code === null && event.code === 1000)) {
      right.push(code);
      if (code !== null && event.reason !== REASON) unreasoned.push(String(code));
    } else if (event.code === 1006) outcome.brokenUnless(other, "none", "check.seen.code", { ...vars, came: "1006" });
    else if (event.code === 1005) outcome.brokenUnless(other, "code", "check.seen.noCode", vars);
    else outcome.brokenUnless(other, "code", "check.seen.code", { ...vars, came: String(event.code) });
  });
  if (right.length) outcome.ok("check.seen.unchanged", { codes: { list: ranges(right) }, way: { key: way } });
  if (unreasoned.length) outcome.brokenUnless(other, "reason", "check.seen.reason", { codes: { list: unreasoned }, way: { key: way } });
}

/** Codes in order as ranges: `an empty one`, `1000 to 1003`, `4999`. */
export function ranges(codes) {
  const out = codes.includes(null) ? [{ key: "check.seen.empty" }] : [];
  const runs = [];
  for (const code of codes.filter((one) => one !== null)) {
    if (runs.at(-1)?.[1] === code - 1) runs.at(-1)[1] = code;
    else runs.push([code, code]);
  }
  return [...out, ...runs.map(([from, to]) => (from === to ? String(from) : { key: "check.seen.range", vars: { from: String(from), to: String(to) } }))];
}
