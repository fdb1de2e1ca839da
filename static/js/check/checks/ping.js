// The check ping: a page sends no Ping and sees none. The server's view tells of the server's Pings and of this browser's Pongs.
import { TIMEOUT } from "../link.js";
import { watch } from "../watch.js";

const INTERVAL = 1000; // ms, the shortest of `?ping=`

export async function ping(target, outcome) {
  const view = await watch(target);
  if (!view) return outcome.unknown("check.page.pings");
  try {
    const link = await target.plain({ reply: "none", ping: `${INTERVAL}ms`, ...view.query });
    if (!link.ok) return outcome.unknown("check.page.noConnection");
    await view.until((events) => link.closed || pinged(events).pong, INTERVAL + TIMEOUT);
    judgePing(outcome, pinged(view.events), Boolean(link.closed), INTERVAL + TIMEOUT);
    link.leave();
  } finally {
    view.close();
  }
}

/** The Pings of the far end, and the first Pong. Pure. */
export function pinged(events) {
  const pings = events.filter(({ opcode, direction }) => opcode === 9 && direction === "sent");
  const pong = events.find(({ opcode, direction, at }) => opcode === 10 && direction === "received" && pings.length && at >= pings[0].at);
  return { pings, pong };
}

/** Pure. */
export function judgePing(outcome, { pings, pong }, closed, limit) {
  if (pong?.start === pings[0]?.start && pong) return outcome.unknown("check.page.pong", { time: { ms: pong.at - pings[0].at + 1 } }); // the server counts whole ones
  if (pong) return outcome.broken("payload", "check.seen.otherPong", { length: pings[0].length, other: pong.length });
  if (closed) return outcome.broken("swallowed", "check.seen.endedBeforePing");
  // Of the last one, the view may come later.
  if (pings.length > 1) return outcome.broken("swallowed", "check.page.noPong", { n: pings.length, time: { ms: limit } });
  return outcome.unknown("check.page.noView");
}
