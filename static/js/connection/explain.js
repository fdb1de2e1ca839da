// What an end of a connection means: a title, what happened, why as far as a page can know it, and the next step. Pure.
import { queryOf } from "./url.js";

/** Keys that end the connection, or refuse it, as the URL asks. */
const ENDING = ["close", "abort", "fin", "freeze", "wire"];
const REFUSING = ["handshake-status", "handshake", "auth"];

const SILENT = 20_000; // ms: the shortest idle time after which a proxy is known to cut

/** The close codes that have a callout of their own: code -> kind. */
const KINDS = { 1001: "away", 1002: "protocol", 1007: "protocol", 1008: "policy", 4401: "policy", 1009: "large", 1011: "error", 1012: "restart", 1013: "overloaded" };

const cause = (grade, key, vars = {}) => ({ grade, key: `cause.${key}`, vars });

/**
 * Explains an end. `facts`: { end (as Socket reports it), url, host, silent (ms since the last message), heartbeat (is
 * it on), invalid }. Returns null when there is nothing to explain: a normal closure, or one by this page. Else
 * { kind, tone: "error" | "neutral", code, reason, causes: [{ grade, key, vars }], next: [action, ...] } where an action
 * is one of reconnect, alive, again, without, retry, stop, edit, view, limit, check, curl. The first is the next step.
 */
export function explain({ end, url, silent = 0, heartbeat = true, invalid = "" }) {
  if (invalid) return { kind: "invalid", tone: "error", causes: [], next: ["edit"] };
  if (!end || end.close) return null;
  const keys = new Map(queryOf(url));
  const pair = (names) => {
    const key = names.find((name) => keys.has(name));
    return key && { key, text: keys.get(key) === "" ? key : `${key}=${keys.get(key)}`, after: keys.get("after") };
  };
  if (!end.opened) return notOpened(end, pair(REFUSING));
  const asked = pair(ENDING);
  const without = asked ? ["without", "again"] : null;
  const certain = asked && cause("certain", asked.after ? "askedAfter" : "asked", { pair: asked.text, after: asked.after });
  if (!end.wasClean) {
    if (end.code === 1002 || end.code === 1007 || asked?.key === "wire") return { kind: "protocol", tone: "error", causes: [certain ?? cause("likely", "forbidden")], next: without ?? ["view", "reconnect"] };
    const causes = [];
    if (certain) causes.push(certain, cause("elsewhere", "cut"));
    else {
      if (silent >= SILENT) causes.push(cause("likely", heartbeat ? "idle" : "idleNoBeat", { s: Math.round(silent / 1000) }));
      causes.push(cause("possible", "network"), cause("ruledOut", "wasOpen"));
    }
    return { kind: "lost", tone: "error", causes, next: without ?? [...(silent >= SILENT ? ["alive"] : []), "reconnect", "check"] };
  }
  if (end.code === 1000 && !asked) return null;
  const kind = KINDS[end.code] ?? "code";
  const causes = [];
  if (certain) causes.push(certain);
  if (!certain && end.reason.startsWith("ws-echo: ")) causes.push(cause("certain", "server", { reason: end.reason }));
  const meaning = { away: "away", protocol: "forbidden", policy: "policy", large: "large", error: "error", restart: "retryLater", overloaded: "retryLater" }[kind];
  if (meaning) causes.push(cause(certain ? "elsewhere" : "likely", meaning));
  const next = { protocol: ["view", "reconnect"], large: ["limit", "reconnect"] }[kind] ?? ["reconnect"];
  return { kind, tone: kind === "protocol" ? "error" : "neutral", causes, next: without ?? next };
}

function notOpened(end, asked) {
  if (asked) {
    return { kind: "asked", tone: "error", causes: [cause("certain", end.answers ? "askedRefusal" : "asked", { pair: asked.text }), cause("elsewhere", "refusal")], next: ["without", "curl"] };
  }
  if (end.answers) return { kind: "refused", tone: "error", causes: [cause("certain", "answers"), cause("possible", "limits"), cause("possible", "query")], next: ["again", "curl"] };
  if (end.answers === false) return { kind: "gone", tone: "error", causes: [cause("likely", "absent"), cause("possible", "firewall")], next: ["retry", "stop"] };
  return { kind: "unknown", tone: "error", causes: [cause("possible", "absent"), cause("possible", "refusedThere"), cause("possible", "certificate")], next: ["again", "curl"] };
}

/** The explanation that a tab shows now, or null. */
export function explained(tab) {
  if (tab.imported || tab.dismissed || tab.open || tab.word === "connecting") return null;
  const { end } = tab;
  const url = tab.used?.url ?? tab.url;
  const last = end ? Math.max(end.lastSent ?? 0, end.lastReceived ?? 0) : 0;
  return explain({ end, url, silent: end?.opened ? end.at - (last || end.at - end.lasted) : 0, heartbeat: tab.heartbeat.on, invalid: tab.invalid });
}
