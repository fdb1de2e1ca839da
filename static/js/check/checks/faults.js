// The check faults: frames of the far end that break the protocol: passed on, or stopped in between. A page sends none itself.
import { inTurn } from "../link.js";
import { watch } from "../watch.js";

/** The values of `?wire=`. */
const DOWN = ["rsv", "opcode", "masked", "length", "utf8", "continuation", "close-code", "close-length"];
const WATCHED = 2000; // ms in which the server tells of the ends
const AFTER = "after";
/** With which a browser fails a connection, in hexadecimal: 1002 and 1007. */
const FAILED = ["03ea", "03ef"];

export async function faults(target, outcome) {
  if (target.isOther) return outcome.unknown("check.page.noFaults");
  const view = await watch(target);
  try {
    const arrivals = await inTurn(DOWN, (fault) => arrival(target, fault, view?.query));
    await view?.until((events) => DOWN.every((fault, i) => arrivals[i].failed || ended(events, fault)), WATCHED);
    judgeFaults(outcome, DOWN, fates(arrivals, view && ((fault) => ended(view.events, fault))));
  } finally {
    view?.close();
  }
}

/** Has the far end send an invalid frame between two replies. */
async function arrival(target, fault, query) {
  const link = await target.plain({ reply: "verbatim", wire: fault, after: "1", ...query });
  if (!link.ok) return { failed: true };
  for (const text of ["before", AFTER]) link.ws.send(text);
  for (let others = 0; ; ) {
    const { data, closed } = await link.next();
    if (data === AFTER || data === undefined) {
      link.leave();
      return { closed, repaired: others > 0, after: data === AFTER };
    }
    if (data !== "before") others++;
  }
}

/** What the server saw of the end of the connection with `fault`: { failed } says if this browser failed it. Null if it has not ended. */
export function ended(events, fault) {
  const { connection } = events.find(({ event, request }) => event === "handshake" && request.line.includes(`wire=${fault}&`)) ?? {};
  const own = events.filter((one) => connection !== undefined && one.connection === connection);
  if (!own.some(({ event }) => event === "end")) return null;
  return { failed: own.some(({ opcode, direction, start }) => opcode === 8 && direction === "received" && FAILED.includes(start?.slice(0, 4))) };
}

/** Those that some browsers take for valid. */
const TOLERATED = ["masked", "length", "close-code", "close-length"];

/** The fate of each fault. `seen(fault)` is what the server saw of the end, null without its view. Pure. */
export function fates(arrivals, seen, names = DOWN) {
  const all = arrivals.map(({ failed, closed, repaired, after }, i) => {
    const tolerated = TOLERATED.includes(names[i]);
    if (failed) return "failed";
    if (repaired) return tolerated ? "valid" : "repaired";
    if (after) return "dropped";
    if (!closed) return "nothing";
    if (!closed.wasClean) return seen?.(names[i])?.failed ? "passed" : "cut";
    if (closed.code !== 1005) return { key: "check.seen.closeCode", vars: { code: String(closed.code) } };
    return tolerated ? "valid" : { key: "check.seen.closedWithout" };
  });
  // Firefox fails a connection without a Close frame, as if it was cut. What decodes frames stops the others, too.
  const closes = all.includes("passed");
  const passes = all.every((fate, i) => fate === "passed" || TOLERATED.includes(names[i]));
  return all.map((fate) => (fate === "cut" ? (closes ? { key: "check.seen.tcpEnd" } : "unclear") : fate === "valid" && passes ? "accepted" : fate));
}

const KEYS = { failed: "check.page.faultsNotSent", repaired: "check.seen.repaired", dropped: "check.seen.leftOut", nothing: "check.seen.stoppedSilently", unclear: "check.page.failedOrCut", passed: "check.page.failedEach", accepted: "check.page.accepted", valid: "check.page.acceptedOrChanged" };

/** Adds what became of the frames, those of the same fate together. Pure. */
export function judgeFaults(outcome, names, all) {
  const groups = new Map();
  all.forEach((fate, i) => {
    const id = JSON.stringify(fate);
    groups.set(id, { fate, of: [...(groups.get(id)?.of ?? []), names[i]] });
  });
  for (const { fate, of } of groups.values()) {
    const vars = { names: of.length === names.length ? { key: "check.seen.allFrames", vars: { n: of.length } } : { list: of }, way: { key: "check.seen.down" } };
    if (fate.key) outcome.differs("stopped", "check.seen.stoppedBy", { ...vars, end: fate });
    else if (fate === "nothing") outcome.differs("stopped", KEYS[fate], vars);
    else if (fate === "repaired" || fate === "dropped") outcome.differs("repaired", KEYS[fate], vars);
    else if (fate === "passed" || fate === "accepted") outcome.ok(KEYS[fate], vars);
    else outcome.unknown(KEYS[fate], vars);
  }
}
