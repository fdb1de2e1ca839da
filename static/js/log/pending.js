// Which message does a reply answer? Replies come in order but not one for one: the server can be asked to drop,
// duplicate, delay or speak unasked. So a reply is matched by what it contains, against the messages still waiting.

import { toBase64 } from "../shared/bytes.js";

const STAMP = /,(\d{10,16})$/;
const LOOK = 256; // how far ahead a reply may answer; what it skips was dropped
const MOST = 20_000; // with reply=none nothing is ever answered: the oldest are forgotten

/** The server's milliseconds in a text reply, stamped or json; null when there are none. */
export function stampOf(text) {
  const match = STAMP.exec(text.length > 64 ? text.slice(-64) : text);
  if (match) return Number(match[1]);
  return jsonReply(text)?.repliedAt ?? null;
}

/** The eight big-endian bytes at the end of a stamped binary reply; null when they are no plausible time. */
export function stampOfBytes(bytes) {
  if (bytes.length < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  const ms = Number(view.getBigUint64(0));
  return ms > 1e12 && ms < 1e14 ? ms : null;
}

/** A reply's content and the server's stamp at its end, which is null if it has none: strings, or parts of its bytes. */
export function splitStamp({ kind, data, stamp }) {
  if (kind !== "received" || stamp === null) return [data, null];
  if (typeof data !== "string") return [data.subarray(0, -8), data.subarray(-8)];
  const text = String(stamp);
  return data.endsWith(`,${text}`) ? [data.slice(0, -text.length), text] : [data, null];
}

function jsonReply(text) {
  if (text[0] !== "{" || !text.includes('"repliedAt"')) return null;
  try {
    const value = JSON.parse(text);
    return typeof value?.repliedAt === "number" ? value : null;
  } catch {
    return null;
  }
}

function startsWith(bytes, prefix) {
  if (bytes.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}

/** Does `reply` answer `sent`? Both are a string or a Uint8Array. */
export function answers(reply, sent, json = typeof reply === "string" ? jsonReply(reply) : null) {
  if (typeof reply !== "string") {
    if (typeof sent === "string") return false;
    const extra = reply.length - sent.length;
    return (extra === 0 || extra === 8) && startsWith(reply, sent);
  }
  if (json) return json.data === (typeof sent === "string" ? sent : toBase64(sent));
  if (typeof sent !== "string") return false;
  if (reply === sent) return true;
  // A sent lone surrogate went over the wire as U+FFFD; toWellFormed says what the server saw.
  const seen = sent.toWellFormed?.() ?? sent;
  return reply === seen || reply.replace(STAMP, "").endsWith(seen);
}

export class Pending {
  #items = [];
  #first = 0;

  get size() {
    return this.#items.length - this.#first;
  }

  push(item) {
    this.#items.push(item);
    if (this.size > MOST) this.#advance(1);
  }

  /** The oldest waiting message that `reply` answers, or null. What stood before it is forgotten as unanswered. */
  take(reply) {
    const json = typeof reply === "string" ? jsonReply(reply) : null;
    const end = Math.min(this.#items.length, this.#first + LOOK);
    for (let i = this.#first; i < end; i++) {
      const item = this.#items[i];
      if (!answers(reply, item.data, json)) continue;
      this.#advance(i + 1 - this.#first);
      return item;
    }
    return null;
  }

  clear() {
    this.#items = [];
    this.#first = 0;
  }

  #advance(count) {
    this.#first += count;
    if (this.#first > 1024 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
  }
}

/** Links the replies among these rows, which are in the order of time, with the messages that they answer. */
export function pairUp(rows) {
  const pending = new Pending();
  for (const row of rows) {
    if (row.kind === "opened") pending.clear();
    else if (row.kind === "sent" && row.data !== null) pending.push({ data: row.data, row });
    else if (row.kind === "received" && row.data !== null) {
      const sent = pending.take(row.data)?.row;
      if (!sent) continue;
      row.pair = sent;
      sent.pair ??= row;
      row.rtt ??= row.at - sent.at;
    }
  }
}
