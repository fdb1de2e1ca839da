// The log as HAR 1.2 with `_webSocketMessages`, as Chrome's DevTools writes and reads it, and back. Pure.
//
// A message there: { type: "send" | "receive", time: seconds since the epoch, opcode, data }. Text has opcode 1; of
// every other opcode, data is base64.
import { toBase64 } from "../shared/bytes.js";
import { utf8Length } from "../shared/format.js";
import { newRow } from "./log.js";
import { BadFile, bytesOf } from "./jsonl.js";
import { stampOf, stampOfBytes } from "./pending.js";

const message = (row) => ({
  type: row.kind === "sent" ? "send" : "receive",
  time: row.at / 1000,
  opcode: row.type === "text" ? 1 : 2,
  data: row.type === "text" ? row.data : toBase64(row.data),
});

const header = (name, value) => (value ? [{ name, value: String(value) }] : []);

function entry({ url, start, took = 0, protocol, extensions }, rows) {
  const http = { httpVersion: "HTTP/1.1", cookies: [], headersSize: -1, bodySize: -1 };
  const { searchParams } = new URL(url);
  return {
    _resourceType: "websocket",
    _webSocketMessages: rows.map(message),
    startedDateTime: new Date(start).toISOString(),
    time: Math.max(took, rows.length ? rows.at(-1).at - start : 0),
    request: { method: "GET", url, headers: header("Sec-WebSocket-Protocol", protocol), queryString: [...searchParams].map(([name, value]) => ({ name, value })), ...http },
    response: {
      status: 101,
      statusText: "Switching Protocols",
      headers: [...header("Sec-WebSocket-Protocol", protocol), ...header("Sec-WebSocket-Extensions", extensions)],
      content: { size: 0, mimeType: "x-unknown" },
      redirectURL: "",
      ...http,
    },
    cache: {},
    timings: { blocked: -1, dns: -1, connect: -1, send: 0, wait: took, receive: 0, ssl: -1 },
  };
}

/** A HAR of these rows as a value for JSON: one entry a connection. `url` is for rows before the first that was opened. */
export function toHar(rows, url) {
  const entries = [];
  let connection = null;
  let messages = [];
  const end = () => connection && entries.push(entry(connection, messages));
  for (const row of rows) {
    const isMessage = (row.kind === "sent" || row.kind === "received") && row.data !== null;
    if (row.kind === "opened" || (isMessage && !connection)) {
      end();
      messages = [];
      const vars = row.kind === "opened" ? row.note?.vars : null;
      const took = Number.isFinite(vars?.took) ? vars.took : 0;
      connection = { url: URL.canParse(vars?.url) ? vars.url : url, start: row.at - took, took, protocol: vars?.protocol, extensions: vars?.extensions };
    }
    if (isMessage) messages.push(row);
  }
  end();
  return { log: { version: "1.2", creator: { name: "ws-echo", version: "1" }, pages: [], entries } };
}

const CONTROL = { 8: "Close", 9: "Ping", 10: "Pong" };

/** The row of a message, or null for one that the log has no kind for. Throws the key of what is wrong with it. */
function rowOf(message) {
  if (message === null || typeof message !== "object" || !Number.isFinite(message.time)) throw "import.time";
  const { type, opcode, data } = message;
  if (typeof data !== "string") throw "import.data";
  const at = message.time * 1000;
  const kind = { send: "sent", receive: "received" }[type];
  if (!kind) return newRow({ at, kind: "error", note: { key: "note.error" } });
  if (CONTROL[opcode]) return newRow({ at, kind: "control", note: { key: kind === "sent" ? "note.received" : "note.sent", vars: { name: CONTROL[opcode] } } });
  if (opcode === 1) return newRow({ at, kind, type: "text", size: utf8Length(data), data, stamp: kind === "received" ? stampOf(data) : null });
  const bytes = bytesOf(data);
  return newRow({ at, kind, type: "binary", size: bytes.length, data: bytes, stamp: kind === "received" ? stampOfBytes(bytes) : null });
}

const headerValue = (entry, wanted) => {
  const headers = Array.isArray(entry.response?.headers) ? entry.response.headers : [];
  const found = headers.find((one) => String(one?.name).toLowerCase() === wanted);
  return found ? String(found.value) : "";
};

/** Is this parsed JSON a HAR? */
export const isHar = (value) => Array.isArray(value?.log?.entries);

/** The rows of a HAR's WebSockets in the order of time. Throws BadFile. */
export function fromHar(har) {
  const rows = [];
  for (const entry of har.log.entries) {
    const messages = entry?._webSocketMessages;
    if (!Array.isArray(messages)) continue;
    const url = String(entry.request?.url ?? "");
    const started = Date.parse(entry.startedDateTime);
    const took = Number.isFinite(entry.timings?.wait) && entry.timings.wait > 0 ? entry.timings.wait : undefined;
    const first = Number.isFinite(messages[0]?.time) ? messages[0].time * 1000 : 0;
    const at = Number.isNaN(started) ? first : started + (took ?? 0);
    rows.push(newRow({ at, kind: "opened", note: { key: "note.opened", vars: { url, protocol: headerValue(entry, "sec-websocket-protocol"), extensions: headerValue(entry, "sec-websocket-extensions"), took } } }));
    messages.forEach((message, index) => {
      try {
        rows.push(rowOf(message));
      } catch (why) {
        throw typeof why === "string" ? new BadFile("import.message", { n: index + 1, url, why }) : why;
      }
    });
  }
  if (rows.length === 0) throw new BadFile("import.noMessages");
  return rows.sort((a, b) => a.at - b.at);
}
