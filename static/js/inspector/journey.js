// A message's way to the server and back, as far as the server's timestamp and the clocks' offset show it. Pure.

const WHOLE = 0.5; // ms: the server's times are whole milliseconds, their fraction cut off
const HELD = 2; // ms: a shorter stay at the server is within what whole milliseconds show

const within = (value, low, high) => Math.max(low, Math.min(value, high));

/**
 * { out, hold, back, uncertainty } in ms, or null if the server's time or the clocks' offset is unknown. `came` and
 * `left`: the server's times of the message and of the reply, of which one may be null. `hold`: the stay at the server.
 */
export function journey({ sentAt, rtt, came = null, left = null }, estimate) {
  if (!estimate || rtt === null || (came === null && left === null)) return null;
  const since = (at) => within(at + WHOLE - estimate.offset - sentAt, 0, rtt);
  const departed = since(left ?? came);
  const arrived = Math.min(came === null ? departed : since(came), departed);
  const held = departed - arrived >= HELD;
  const out = held ? arrived : departed;
  return { out, hold: held ? departed - arrived : 0, back: rtt - departed, uncertainty: estimate.uncertainty };
}
