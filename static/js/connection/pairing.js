// What the server's view says of a connection, lined up with the page's rows. Pure. A WebSocket keeps its order, so
// messages are paired in order, checked by their size and first bytes: events can be lost.

import { fromHex } from "../shared/bytes.js";

const FRONT = 64; // how far a pair is looked for from the oldest that waits on,
const BACK = 256; // and from the newest back: what lies before a pair has no other half
const MOST_WAITING = 20_000; // rows or messages without their other half
const MOST_FRAMES = 4096; // kept of one message

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a row's content is compared with: { bytes, text }, of the message's first bytes, given as hex. */
function beginning(start) {
  const bytes = fromHex(start);
  // `stream` leaves out a character whose bytes are not all there.
  const text = decoder.decode(bytes, { stream: true });
  decoder.decode();
  return { bytes, text };
}

/** Is `seen` the row's message? */
function fits({ size, data }, seen, { bytes, text }) {
  if (size !== seen.inflated) return false;
  if (data === null) return true;
  if (typeof data !== "string") return bytes.every((byte, i) => byte === data[i]);
  return data.startsWith(text) || (data.slice(0, text.length + 1).toWellFormed?.().startsWith(text) ?? false);
}

/** Takes the item that `test` accepts out of a list, and with it those before. Usually it is the first. */
function take(list, test) {
  let index = 0;
  const front = Math.min(FRONT, list.length);
  while (index < front && !test(list[index])) index++;
  if (index === front) {
    const back = Math.max(front, list.length - BACK);
    index = list.length - 1;
    while (index >= back && !test(list[index])) index--;
    if (index < back) return null;
  }
  return index === 0 ? list.shift() : list.splice(0, index + 1).at(-1);
}

/** One direction: rows of the page and messages of the server, paired in order whichever comes first. */
export class Pairing {
  #rows = [];
  #seen = [];
  row(row) {
    const found = take(this.#seen, ({ seen, start }) => fits(row, seen, start));
    if (found) row.server = found.seen;
    else if (this.#rows.push(row) > MOST_WAITING) this.#rows.shift();
  }
  /** The row that this message belongs to, or null while it is not there yet. `hex`: its first bytes. */
  message(seen, hex) {
    const start = beginning(hex);
    const row = take(this.#rows, (row) => fits(row, seen, start));
    if (row) row.server = seen;
    else if (this.#seen.push({ seen, start }) > MOST_WAITING) this.#seen.shift();
    return row;
  }
  /** The page's end of the connection is another one now. */
  clearRows() {
    this.#rows = [];
  }
  /** The server's end is. The two are told at different times, so each clears its own side. Returns what was waiting. */
  clearSeen() {
    return this.#seen.splice(0).map(({ seen }) => seen);
  }
}

/**
 * Collects the frames of one direction into messages: gives the message once its last frame has passed.
 *
 * A message: { at, name, number, masked, compressed, length, inflated, headers, count, frames }, of which `length` is
 * its bytes on the wire without those of the `headers`. Each of `frames` is { at, header, wire }: `wire`, the start of
 * the payload, is there only if it cannot be cut out of the message itself. Control frames are messages of one frame.
 */
export class Frames {
  #open = null;
  #start = "";
  number = 0; // of the last message; NaN once events were lost

  /** Returns { seen, start }, or null within a message. */
  frame(event) {
    const { at, opcode, name, fin, rsv, masked, length, inflated, start, header, wireStart } = event;
    const control = opcode >= 8;
    if (opcode === 0 && !this.#open) return null; // its first frame was before this watcher's time
    const message = control || opcode !== 0 ? { at, name, number: null, masked, compressed: rsv[0], length: 0, inflated: 0, headers: 0, count: 0, frames: [] } : this.#open;
    const frame = { at, header };
    if (control || message.compressed) frame.wire = wireStart;
    message.count++;
    message.length += length;
    message.inflated += inflated;
    message.headers += header.length / 2;
    if (message.frames.length < MOST_FRAMES) message.frames.push(frame);
    if (control) return { seen: message, start };
    if (opcode !== 0) this.#start = start;
    this.#open = fin ? null : message;
    if (!fin) return null;
    message.number = ++this.number || null;
    return { seen: message, start: this.#start };
  }
}

/** The code and the reason in a Close frame's payload, of which the first 64 bytes are known. */
export function closeOf({ length, frames: [{ wire }] }) {
  const bytes = fromHex(wire);
  if (bytes.length < 2) return "Close";
  const reason = new TextDecoder().decode(bytes.subarray(2));
  return `Close ${bytes[0] * 256 + bytes[1]}${reason && ` “${reason}${length > bytes.length ? "…" : ""}”`}`;
}
