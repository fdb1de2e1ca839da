// The server's own view of the connection, from /watch/{key}: which frames it saw, lined up with what the page sent and
// received. A WebSocket keeps its order, so the n-th message of one side is the n-th of the other.

import { changed } from "../state.js";

/** A watch key that cannot be guessed. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (b) => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[b & 63]).join("");
}

/** One direction: rows of the page and messages of the server, paired in order whichever comes first. */
export class Pairing {
  #rows = [];
  #seen = [];
  row(row) {
    const seen = this.#seen.shift();
    if (seen) row.server = seen;
    else if (this.#rows.push(row) > 4096) this.#rows.shift();
  }
  /** The row that this message belongs to, or null while it is not there yet. */
  message(seen) {
    const row = this.#rows.shift();
    if (row) row.server = seen;
    else if (this.#seen.push(seen) > 4096) this.#seen.shift();
    return row ?? null;
  }
  /** The page's end of the connection is another one now. */
  clearRows() {
    this.#rows = [];
  }
  /** The server's end is. The two are told at different times, so each clears its own side. */
  clearSeen() {
    this.#seen = [];
  }
}

/** Counts the frames of one direction into messages: gives the message once its last frame has passed. */
export class Frames {
  #open = null;
  frame({ at, opcode, name, fin, rsv, masked, length, inflated }) {
    if (opcode === 0) {
      if (!this.#open) return null;
      this.#open.frames++;
      this.#open.length += length;
      this.#open.inflated += inflated;
    } else {
      this.#open = { at, name, frames: 1, length, inflated, masked, compressed: rsv[0] };
    }
    if (!fin) return null;
    const whole = this.#open;
    this.#open = null;
    return whole;
  }
}

/** The server's view of one tab's connection. */
export class ServerView {
  wanted = false; // the switch in the log's tools: a `watch` key goes into the next connection's URL
  handshake = null; // the `handshake` event of the present connection
  lost = 0; // events that the server could not deliver
  #tab;
  #source = null;
  #pairs = { received: new Pairing(), sent: new Pairing() }; // by what the server did

  constructor(tab) {
    this.#tab = tab;
  }

  /** Is the present connection watched? */
  get on() {
    return this.#source !== null;
  }

  /** Watches the connection that `url` will open. Resolves once the server answers, or after a second. */
  follow(url) {
    this.close();
    const { host, searchParams } = new URL(url);
    const key = searchParams.get("watch");
    if (!key || host !== location.host) return Promise.resolve();
    const source = new EventSource(new URL(`watch/${encodeURIComponent(key)}`, document.baseURI));
    this.#source = source;
    let frames = {};
    const on = (name, handle) =>
      source.addEventListener(name, (event) => {
        if (this.#source === source) handle(JSON.parse(event.data));
      });
    on("handshake", (detail) => {
      frames = { received: new Frames(), sent: new Frames() };
      for (const pair of Object.values(this.#pairs)) pair.clearSeen();
      this.handshake = detail;
      changed();
    });
    on("frame", (frame) => {
      if (frame.opcode >= 8) return this.#control(frame);
      const message = frames[frame.direction]?.frame(frame);
      if (message) this.#pairs[frame.direction].message(message);
      changed();
    });
    on("lost", ({ count }) => {
      this.lost += count;
      this.#tab.add("control", { note: { key: "note.lost", vars: { n: count } } });
    });
    return new Promise((resolve) => {
      source.addEventListener("open", resolve, { once: true });
      setTimeout(resolve, 1000);
    });
  }

  #control(frame) {
    this.#tab.add("control", { note: { key: `note.${frame.direction}`, vars: { name: frame.name } }, size: frame.length, server: frame });
  }

  /** The page's end of the connection is another one now. */
  opened() {
    for (const pair of Object.values(this.#pairs)) pair.clearRows();
  }
  sent(row) {
    if (this.on) this.#pairs.received.row(row);
  }
  received(row) {
    if (this.on) this.#pairs.sent.row(row);
  }
  close() {
    this.#source?.close();
    this.#source = null;
    this.handshake = null;
  }
}
