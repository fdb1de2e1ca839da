// What the far end received beside what this browser sent, as observations. Pure. The command's rules are in src/check/checks/.
import { compare, sent } from "../inspector/headers.js";

/** Fields of one hop, which a proxy replaces. The check compression looks at the extensions. */
const HOP_BY_HOP = ["connection", "upgrade", "keep-alive", "sec-websocket-extensions"];
const REASON = "check";

/** A list within a text: `list` puts it into words. */
export const list = (items) => ({ list: items });

/** The `connection` of hello=json, if this is the message of a ws-echo that has it. */
export function description(data) {
  try {
    const { connection } = JSON.parse(data);
    return typeof connection.httpVersion === "string" && Array.isArray(connection.headers) ? connection : null;
  } catch {
    return null;
  }
}

/** The check headers. A page knows only some of the fields that its browser sends. */
export function judgeHeaders(outcome, described, { url, origin }) {
  const own = sent({ url, protocols: [], origin });
  const line = `GET ${own.target} HTTP/1.1`;
  const fields = compare({ line, headers: described.headers, omitted: 0 }, own).fields.filter(({ name }) => !HOP_BY_HOP.includes(name.toLowerCase()));
  const marked = (mark) => fields.filter((field) => field.mark === mark);
  const [lost, changed, added] = ["removed", "changed", "added"].map(marked);
  if (lost.length) outcome.broken("lost", "check.seen.lost", { names: lost.map(({ name }) => name).join(", ") });
  if (changed.length) outcome.differs("changed", "check.seen.changed", { names: { each: changed.map(({ name, value, was }) => ({ key: "check.seen.field", vars: { name, before: was, after: value } })) } });
  if (added.length) outcome.differs("added", added.length === 1 ? "check.page.added.one" : "check.page.added", { names: added.map(({ name, value }) => `${name}: ${value}`).join(", ") });
  if (!lost.length && !changed.length && !added.length) outcome.ok("check.seen.fields", { n: fields.filter(({ name }) => has(own.fields, name)).length });
}
const has = (fields, name) => [...fields.keys()].some((key) => key.toLowerCase() === name.toLowerCase());

/** The check subprotocol on a connection: `arrived` and `chosen` are null if the far end does not show them. */
export function judgeSubprotocol(outcome, names, { arrived, chosen, answered }, other) {
  const offered = names.join(", ");
  if (arrived && !arrived.length) outcome.broken("lost", "check.seen.notArrived", { offered });
  else if (arrived && arrived.join() !== names.join()) outcome.broken("changed", "check.seen.otherArrived", { offered, arrived: arrived.join(", "), answered: answered || "none" });
  else if (answered) outcome.ok("check.seen.cameBack", { offered, answered });
  else if (chosen) outcome.broken("answer-lost", "check.seen.answerLost", { offered, chosen });
  else outcome.brokenUnless(other, "answer-lost", "check.seen.noneChosen", { offered });
}

const valuesOf = (headers, name) => headers.filter(([key]) => key.toLowerCase() === name).flatMap(([, value]) => value.split(",").map((one) => one.trim()));

/** The same for a connection that this browser failed, by the `handshake` event of its watch: null if that did not come. */
export function judgeFailedOffer(outcome, names, seen, error, other) {
  const offered = names.join(", ");
  if (!seen) return outcome.brokenUnless(other, "refused", "check.seen.refused", { offered, error });
  const [arrived, answered] = [seen.request, seen.response].map((head) => valuesOf(head?.headers ?? [], "sec-websocket-protocol"));
  if (!arrived.length) return outcome.broken("lost", "check.seen.notArrived", { offered });
  if (arrived.join() !== names.join()) return outcome.broken("changed", "check.seen.otherArrived", { offered, arrived: arrived.join(", "), answered: "none" });
  if (answered.length) return outcome.broken("answer-lost", "check.seen.answerLost", { offered, chosen: answered[0] });
  return outcome.brokenUnless(other, "answer-lost", "check.seen.noneChosen", { offered });
}

/** The check compression: how the offer and the answer passed. Returns whether both ends compress. */
export function judgeCompression(outcome, described, answered) {
  const arrived = described.extensions.offered.some((line) => line.includes("permessage-deflate"));
  const { chosen } = described.extensions;
  if (!arrived) outcome.broken("offer-lost", "check.seen.deflateLost");
  else if (!chosen) outcome.differs("declined", "check.seen.deflateDeclined");
  else if (!answered) outcome.broken("answer-lost", "check.seen.deflateAnswerLost");
  else outcome.ok("check.seen.deflate");
  return arrived && Boolean(chosen) && answered;
}

/** How an echo differs from what was sent, as a text: null if it does not. */
export function difference(data, reply) {
  const kind = (one) => (typeof one === "string" ? "text" : "binary");
  if (kind(data) !== kind(reply)) return ["check.seen.otherKind", { came: kind(reply), sent: kind(data) }];
  const [a, b] = [data, reply].map((one) => (typeof one === "string" ? new TextEncoder().encode(one) : new Uint8Array(one)));
  if (a.length !== b.length) return ["check.seen.otherSize", { size: { size: b.length } }];
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? null : ["check.seen.byte", { at }];
}

/**
 * The check close, one way: `came[i]` is the close event of `codes[i]`, or null if there was no connection. The code null is a Close
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
  if (right.length) outcome.ok("check.seen.unchanged", { codes: list(ranges(right)), way: { key: way } });
  if (unreasoned.length) outcome.brokenUnless(other, "reason", "check.seen.reason", { codes: list(unreasoned), way: { key: way } });
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
