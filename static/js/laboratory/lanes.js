// The lanes of the laboratory: the messages of a series as lines between browser and server. Pure.

export const WIDTH = 1000; // of a lane, in the units of its lines
export const HEIGHT = 48; // px
const SLANT = 0.017; // of the width: a push came from somewhere, when it left is not known
const FIT = 4; // exchanges that a lane has room for at least

export const isPush = ({ kind }) => kind === "sse" || kind === "tick";

/** The first of `least`, twice, five and ten times that, and so on, which is `wanted` ms or more. */
export function spanFor(least, wanted) {
  let span = least;
  for (let i = 0; span < wanted; i++) span *= [2, 2.5, 2][i % 3];
  return span;
}

/** Milliseconds across the lanes of exchanges, and across those of pushes. */
export function spans(series) {
  const poll = series.find(({ kind }) => kind === "poll");
  const trips = poll?.exchanges.map(({ sent, received }) => received - sent).sort((a, b) => a - b) ?? [];
  const median = trips[trips.length >> 1] ?? 0;
  const push = series.find(isPush);
  return { exchange: spanFor(10, FIT * median), push: spanFor(1000, FIT * (push?.every ?? 0)) };
}

/** The first messages of a series, those that fit into `span` ms: { up, down, count }, two paths and their number. */
export function lines(series, span) {
  const push = isPush(series);
  const [first] = series.exchanges;
  const origin = push ? first?.received - Math.max(series.every / 2, SLANT * span) : first?.sent;
  const inside = series.exchanges.filter(({ received }) => received - origin <= span);
  const x = (at) => ((WIDTH * (at - origin)) / span).toFixed(1);
  // The server's timestamp has whole milliseconds, too coarse to draw: its moment is drawn half way.
  const turn = ({ sent, received }) => x(push ? received - SLANT * span : (sent + received) / 2);
  return {
    up: push ? "" : inside.map((one) => `M${x(one.sent)} 0L${turn(one)} ${HEIGHT}`).join(""),
    down: inside.map((one) => `M${turn(one)} ${HEIGHT}L${x(one.received)} 0`).join(""),
    count: inside.length,
  };
}

/** Thickness in px of `bytes`, by their square root; the thickest line of all costs is 6 px. */
export function thickness(costs) {
  const scale = Math.min(1 / 4, 6 / Math.sqrt(Math.max(1, ...costs.flatMap(({ up, down }) => [up, down]))));
  return (bytes) => Math.max(0.5, Math.sqrt(bytes) * scale);
}

const sample = (kind, times, trip) => ({ kind, every: 100, exchanges: Array.from({ length: times }, (_, i) => ({ sent: i * trip, received: (i + 1) * trip })) });

/** What the lanes show before anything was measured. */
export const SAMPLES = [sample("poll", 4, 1.99), sample("ws", 27, 0.36), sample("sse", 10, 100), sample("tick", 10, 100)];
