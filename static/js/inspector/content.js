// What a message holds: JSON in it, and the parts that a reply is made of. Pure.
import { splitStamp } from "../log/pending.js";

/** The JSON in a text, the reply's prefix and timestamp aside; undefined if there is none. */
export function jsonIn(text) {
  const from = text.search(/[[{]/);
  const to = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]")) + 1;
  if (from < 0 || to <= from) return undefined;
  try {
    return JSON.parse(text.slice(from, to));
  } catch {
    return undefined;
  }
}

/**
 * How the server made a reply: { prefix, message, clock } of which a part is null if the reply does not have it.
 * Returns null for a row that is no reply of the server's.
 */
export function partsOf(row) {
  if (row.kind !== "received" || row.data === null) return null;
  const [body, clock] = splitStamp(row);
  const sent = row.pair?.data ?? null;
  if (typeof body !== "string" || clock === null || sent === null) return { prefix: null, message: sent, clock };
  const seen = typeof sent === "string" ? (sent.toWellFormed?.() ?? sent) : "";
  const before = body.slice(0, -1); // without the comma
  return before.endsWith(seen) ? { prefix: before.slice(0, before.length - seen.length), message: seen, clock } : { prefix: null, message: sent, clock };
}
