// The check latency: messages 20 ms apart arrive one by one, or in lumps.
import { milliseconds, Pace } from "../pace.js";

const COUNT = 40; // messages each way
const INTERVAL = 20; // ms
const PATIENCE = 5000; // ms in which all messages must arrive
const HELD = 500; // ms: a delay from which a user notices that an application does not answer
const TEXT = "ws-echo check ";

export async function latency(target, outcome) {
  if (!target.echoes) return outcome.unknown("check.seen.noInterval");
  let seen = await measure(target);
  // One pause of a busy machine looks like lumps. It does not come twice.
  if (seen?.ways.some(({ pace }) => pace.inLumps)) seen = better(seen, await measure(target));
  if (!seen) return outcome.unknown("check.page.noConnection");
  judgeLatency(outcome, seen, target.isOther);
}

/** { ways: [{ what, pace }], trips }, or null without a connection. */
async function measure(target) {
  const [pushes, sent] = await Promise.all([target.isOther ? [] : down(target), up(target)]);
  if (!pushes || !sent) return null;
  const ways = [...pushes, { what: target.isOther ? "check.seen.echoes" : "check.seen.messagesTo", pace: sent.pace }];
  return { ways, trips: sent.trips };
}

/** The way of either that is not in lumps. */
const better = (one, other) => other && { ...one, ways: one.ways.map((way, i) => (way.pace.inLumps ? other.ways[i] : way)) };

/** Receives the time of ws-echo every 20 ms. */
async function down(target) {
  const link = await target.plain({ tick: `${INTERVAL}ms`, reply: "none" });
  if (!link.ok) return null;
  const deadline = performance.now() + PATIENCE;
  const pace = new Pace();
  while (pace.count < COUNT) {
    const { data, at } = await link.next(deadline - performance.now());
    if (data === undefined) break;
    const sent = milliseconds(data);
    if (sent !== null) pace.add(sent, at);
  }
  link.leave();
  return [{ what: "check.seen.pushes", pace }];
}

/** Sends a message every 20 ms. ws-echo replies with the time at which it received the message, another server with the message. */
async function up(target) {
  const link = await target.plain({ reply: "stamped" });
  if (!link.ok) return null;
  const [pace, sent, trips] = [new Pace(), [], []];
  const timer = setInterval(() => {
    if (sent.length >= COUNT) return clearInterval(timer);
    sent.push(performance.now());
    link.ws.send(`${TEXT}${sent.length}`);
  }, INTERVAL);
  try {
    const deadline = performance.now() + PATIENCE;
    while (pace.count < COUNT) {
      const { data, at } = await link.next(deadline - performance.now());
      if (data === undefined) break;
      // The replies come in the order of the messages.
      const left = sent[pace.count];
      const arrived = target.isOther ? (String(data).startsWith(TEXT) ? at : null) : milliseconds(String(data).split(",").at(-1));
      if (left === undefined || arrived === null) continue;
      pace.add(left, arrived);
      trips.push(at - left);
    }
  } finally {
    clearInterval(timer);
  }
  link.leave();
  return { pace, trips };
}

/** Pure. */
export function judgeLatency(outcome, { ways, trips }, other) {
  for (const { what, pace } of ways) {
    const { count } = pace;
    const vars = { count, what: { key: what }, time: { ms: pace.mostLate } };
    if (!count) outcome.brokenUnless(other, "held", "check.seen.noneCame", { ...vars, time: { ms: PATIENCE } });
    else if (pace.inLumps) {
      const seen = ["check.seen.lumps", { ...vars, groups: pace.groups }];
      // Another far end's own kernel may gather small segments.
      if (other) outcome.unknown(...seen);
      else if (pace.mostLate >= HELD) outcome.broken("held", ...seen);
      else outcome.differs("lumps", ...seen);
    } else if (count < COUNT) outcome.unknown("check.seen.someCame", { ...vars, all: COUNT });
    else outcome.ok("check.seen.oneByOne", vars);
    outcome.draw({ key: what }, pace);
  }
  const median = [...trips].sort((a, b) => a - b)[trips.length >> 1];
  if (median !== undefined) outcome.ok("check.seen.roundTrip", { time: { ms: Math.max(0, median) } });
}
