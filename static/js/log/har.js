// The log as HAR 1.2 with `_webSocketMessages`, as Chrome's DevTools writes and reads it, and back. Pure.
// A message there is { type: "send" | "receive", time: seconds, opcode, data }; data is base64 unless opcode is 1.
import { toBase64 } from "../shared/bytes.js";
import { utf8Length } from "../shared/format.js";
import { BadFile, bytesOf } from "./jsonl.js";
import { newRow } from "./log.js";
import { stampOf, stampOfBytes } from "./pending.js";

const PROTOCOL = "Sec-WebSocket-Protocol";
const EXTENSIONS = "Sec-WebSocket-Extensions";

const message = ({ kind, at, type, data }) => ({
  type: kind === "sent" ? "send" : "receive",
  time: at / 1000,
  opcode: type === "text" ? 1 : 2,
  data: type === "text" ? data : toBase64(data),
});

function entry({ url, start, took, protocol, extensions }, rows) {
  const header = (name, value) => (value ? [{ name, value: String(value) }] : []);
  const http = { httpVersion: "HTTP/1.1", cookies: [], headersSize: -1, bodySize: -1 };
  const queryString = [...new URL(url).searchParams].map(([name, value]) => ({ name, value }));
  return {
    _resourceType: "websocket",
    _webSocketMessages: rows.map(message),
    startedDateTime: new Date(start).toISOString(),
    time: rows.length ? rows.at(-1).at - start : took,
    request: { ...http, method: "GET", url, headers: header(PROTOCOL, protocol), queryString },
    response: { ...http, status: 101, statusText: "Switching Protocols", headers: [...header(PROTOCOL, protocol), ...header(EXTENSIONS, extensions)], content: { size: 0, mimeType: "x-unknown" }, redirectURL: "" },
    cache: {},
    timings: { blocked: -1, dns: -1, connect: -1, send: 0, wait: took, receive: 0, ssl: -1 },
  };
}

/** These rows as a HAR, one entry a connection. `url` is for rows before the first that was opened. */
export function toHar(rows, url) {
  const connections = [];
  for (const row of rows) {
    const isMessage = (row.kind === "sent" || row.kind === "received") && row.data !== null;
    if (row.kind === "opened" || (isMessage && connections.length === 0)) {
      const vars = (row.kind === "opened" && row.note?.vars) || {};
      const took = Number.isFinite(vars.took) ? vars.took : 0;
      connections.push({ ...vars, url: URL.canParse(vars.url) ? vars.url : url, took, start: row.at - took, rows: [] });
    }
    if (isMessage) connections.at(-1).rows.push(row);
  }
  return { log: { version: "1.2", creator: { name: "ws-echo", version: "1" }, pages: [], entries: connections.map((one) => entry(one, one.rows)) } };
}

const CONTROL = { 8: "Close", 9: "Ping", 10: "Pong" };

/** The row of a message. Throws the key of what is wrong with it. */
function rowOf(message) {
  if (!Number.isFinite(message?.time)) throw "import.time";
  const { type, opcode, data } = message;
  if (typeof data !== "string") throw "import.data";
  const at = message.time * 1000;
  const kind = { send: "sent", receive: "received" }[type];
  if (!kind) return newRow({ at, kind: "error", note: { key: "note.error" } });
  if (CONTROL[opcode]) return newRow({ at, kind: "control", note: { key: kind === "sent" ? "note.received" : "note.sent", vars: { name: CONTROL[opcode] } } });
  const content = opcode === 1 ? data : bytesOf(data);
  const stamp = kind === "sent" ? null : opcode === 1 ? stampOf(data) : stampOfBytes(content);
  return newRow({ at, kind, type: opcode === 1 ? "text" : "binary", size: opcode === 1 ? utf8Length(data) : content.length, data: content, stamp });
}

function headerOf({ response }, wanted) {
  const headers = Array.isArray(response?.headers) ? response.headers : [];
  return String(headers.find((one) => String(one?.name).toLowerCase() === wanted.toLowerCase())?.value ?? "");
}

export const isHar = (value) => Array.isArray(value?.log?.entries);

/** The rows of a HAR's WebSockets in the order of time. Throws BadFile. */
export function fromHar(har) {
  const rows = [];
  for (const entry of har.log.entries) {
    const messages = entry?._webSocketMessages;
    if (!Array.isArray(messages)) continue;
    const url = String(entry.request?.url ?? "");
    const took = entry.timings?.wait > 0 ? Number(entry.timings.wait) : undefined;
    const at = Date.parse(entry.startedDateTime) + (took ?? 0) || Number(messages[0]?.time) * 1000 || 0;
    rows.push(newRow({ at, kind: "opened", note: { key: "note.opened", vars: { url, protocol: headerOf(entry, PROTOCOL), extensions: headerOf(entry, EXTENSIONS), took } } }));
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
