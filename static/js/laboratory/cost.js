// What an exchange costs on the wire, and what that makes of many clients. Pure.
import { frameHeader } from "../shared/bytes.js";

/** Bytes each way of one message and its reply over a WebSocket, without compression. */
export function overWebSocket(message, reply) {
  return { up: message + frameHeader(message, true), down: reply + frameHeader(reply, false), payloadUp: message, payloadDown: reply };
}

/** `request=412, response=180`: what the server counted of a poll's two heads. */
export function headBytes(header) {
  const match = /request=(\d+), response=(\d+)/.exec(header ?? "");
  return match ? { request: Number(match[1]), response: Number(match[2]) } : null;
}

export function overHttp(heads, message, reply) {
  return { up: heads.request + message, down: heads.response + reply, payloadUp: message, payloadDown: reply };
}

/** A Server-Sent Event on a chunked response: `data: …`, its empty line, and the chunk's own lines round it. */
export function overEvents(data) {
  const event = "data: ".length + data + 2;
  return { up: 0, down: event + event.toString(16).length + 4, payloadUp: 0, payloadDown: data };
}

export const overhead = (cost) => cost.up + cost.down - cost.payloadUp - cost.payloadDown;

/** A WebSocket beside polling: { times, slower, fewer }, the second true if `times` is how much slower it is. */
export function compare(poll, ws) {
  const faster = poll.median / ws.median;
  return { times: Math.max(faster, 1 / faster), slower: faster < 1, fewer: overhead(poll.cost) / overhead(ws.cost) };
}

/** The comparison that everybody knows: 871 bytes of headers a poll, 2 bytes a frame (Lubbers and Greco, 2010). */
export const CLASSIC = { poll: 871, ws: 2 };
export const CLIENTS = [1000, 10_000, 100_000];

/** Overhead on the network in Mbit/s, of so many clients with one message a second each. */
export const mbits = (clients, bytes) => (clients * bytes * 8) / 1e6;

/** Rows of cells as a Markdown table. */
export function markdown([head, ...rows]) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i ? "--:" : "---"))), ...rows.map(line)].join("\n");
}
