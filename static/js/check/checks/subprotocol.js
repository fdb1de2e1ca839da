// The check subprotocol: which names arrived, and which one came back.
import { description } from "../described.js";
import { watch } from "../watch.js";

const WATCHED = 2000; // ms in which the server tells of a handshake
/** The names that are offered to ws-echo, which accepts any. */
const MADE_UP = ["check.one", "check.two"];

export async function subprotocol(target, outcome) {
  const names = target.protocols.length ? target.protocols : target.isOther ? [] : MADE_UP;
  if (!names.length) return outcome.unknown("check.page.noName");
  const view = await watch(target);
  try {
    const link = await target.plain({ hello: "json", ...view?.query }, names);
    if (link.error) return outcome.unknown("check.page.forbidden", { error: link.error });
    if (!link.ok) {
      const seen = await view?.until((events) => events.find(({ event }) => event === "handshake"), WATCHED);
      return judgeFailedOffer(outcome, names, seen, { key: "check.page.noConnection" }, target.isOther);
    }
    const described = target.isOther ? null : description((await link.next()).data);
    judgeSubprotocol(outcome, names, { arrived: described?.subprotocol.offered ?? null, chosen: described?.subprotocol.chosen ?? null, answered: link.ws.protocol }, target.isOther);
    link.leave();
  } finally {
    view?.close();
  }
}

/** On a connection: `arrived` and `chosen` are null if the far end does not show them. Pure. */
export function judgeSubprotocol(outcome, names, { arrived, chosen, answered }, other) {
  const offered = names.join(", ");
  if (arrived && !arrived.length) outcome.broken("lost", "check.seen.notArrived", { offered });
  else if (arrived && arrived.join() !== names.join()) outcome.broken("changed", "check.seen.otherArrived", { offered, arrived: arrived.join(", "), answered: answered || "none" });
  else if (answered) outcome.ok("check.seen.cameBack", { offered, answered });
  else if (chosen) outcome.broken("answer-lost", "check.seen.answerLost", { offered, chosen });
  else outcome.brokenUnless(other, "answer-lost", "check.seen.noneChosen", { offered });
}

const valuesOf = (headers, name) => headers.filter(([key]) => key.toLowerCase() === name).flatMap(([, value]) => value.split(",").map((one) => one.trim()));

/** The same for a connection that this browser failed, by the `handshake` event of its watch, if that came. */
export function judgeFailedOffer(outcome, names, seen, error, other) {
  const offered = names.join(", ");
  if (!seen) return outcome.brokenUnless(other, "refused", "check.seen.refused", { offered, error });
  const [arrived, answered] = [seen.request, seen.response].map((head) => valuesOf(head?.headers ?? [], "sec-websocket-protocol"));
  if (!arrived.length) return outcome.broken("lost", "check.seen.notArrived", { offered });
  if (arrived.join() !== names.join()) return outcome.broken("changed", "check.seen.otherArrived", { offered, arrived: arrived.join(", "), answered: "none" });
  if (answered.length) return outcome.broken("answer-lost", "check.seen.answerLost", { offered, chosen: answered[0] });
  return outcome.brokenUnless(other, "answer-lost", "check.seen.noneChosen", { offered });
}
