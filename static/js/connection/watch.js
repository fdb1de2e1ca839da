// The server's own view of the connection, from /watch/{key}: the frames that it saw, lined up with what the page sent
// and received.

import { changed } from "../state.js";
import { closeOf, Frames, Pairing } from "./pairing.js";

const OWN_WITHIN = 2000; // ms after opening in which the handshake event of this connection can still come
const LATE = 2000; // ms after an end in which its last events come

/** A watch key that cannot be guessed. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (b) => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[b & 63]).join("");
}

const NAMES = { ping: "Ping", pong: "Pong" };
const directions = (make) => ({ received: make(), sent: make() }); // by what the server did

/** The server's view of one tab's connection. */
export class ServerView {
  on = false; // the present or last connection is watched
  handshake = null; // its `handshake` event
  end = null; // its `end` event
  refused = false; // the server does not show its view
  #tab;
  #source = null;
  #pairs = directions(() => new Pairing());
  #closes = directions(() => new Pairing());
  #frames = directions(() => new Frames());
  #opened = 0; // epoch ms, 0 while the page's end is not open
  #over = false; // the page's end has ended
  #last = 0; // the time of the last row made of an event

  constructor(tab) {
    this.#tab = tab;
  }

  /** The URL of a watch key at this page's server. */
  static url(key) {
    return new URL(`watch/${encodeURIComponent(key)}`, document.baseURI).href;
  }

  /** Watches the connection that `url` will open. Resolves once the server answers, or after a second. */
  follow(url) {
    this.close();
    const { host, searchParams } = new URL(url);
    const key = searchParams.get("watch");
    if (!key || host !== location.host) return Promise.resolve();
    this.on = true;
    const source = new EventSource(ServerView.url(key));
    this.#source = source;
    const on = (name, handle) =>
      source.addEventListener(name, (event) => {
        if (this.#source !== source) return;
        handle(JSON.parse(event.data));
        changed();
      });
    on("handshake", (detail) => this.#handshake(detail));
    on("frame", (frame) => this.#isOurs(frame) && this.#frame(frame));
    on("end", (detail) => this.#isOurs(detail) && (this.end = detail));
    on("lost", ({ count }) => {
      for (const frames of Object.values(this.#frames)) frames.number = NaN;
      this.#tab.add("control", { note: { key: count === 1 ? "note.lost.one" : "note.lost", vars: { n: count } } });
    });
    return new Promise((resolve) => {
      source.addEventListener("open", resolve, { once: true });
      source.addEventListener("error", () => {
        if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
        this.on = false;
        this.refused = true;
        changed();
        resolve();
      });
      setTimeout(resolve, 1000);
    });
  }

  // Several connections can use one key. The page's own is the newest that opened while the page's end did.
  #handshake(detail) {
    const known = this.handshake;
    if (known) {
      const again = known.connection === detail.connection && known.at === detail.at;
      const settled = this.#opened > 0 && epoch() - this.#opened > OWN_WITHIN;
      if (again || settled || (!this.#over && detail.connection < known.connection)) return;
    }
    this.handshake = detail;
    this.end = null;
    this.#frames = directions(() => new Frames());
    for (const pair of [...Object.values(this.#pairs), ...Object.values(this.#closes)]) pair.clearSeen();
    this.#stamp();
  }
  #isOurs({ connection }) {
    return !this.handshake || this.handshake.connection === connection;
  }

  /** The server's time of the handshake lies between the page's attempt and its opening: a sample of the clocks. */
  #stamp() {
    if (this.#opened && this.handshake) this.#tab.timing.stamp(performance.timeOrigin + this.#tab.began, this.#opened, this.handshake.at);
  }

  #frame(frame) {
    const whole = this.#frames[frame.direction]?.frame(frame);
    if (!whole) return;
    const { seen, start } = whole;
    if (frame.opcode < 8) return this.#paired(frame.direction, this.#pairs[frame.direction].message(seen, start));
    if (frame.opcode > 8) return this.#row("control", frame.direction, NAMES[seen.name] ?? seen.name, seen);
    // The page has rows of its own for most Close frames: what is left once it has ended are the others.
    const row = this.#closes[frame.direction].message(seen, start);
    if (row) this.#paired(frame.direction, row);
    else if (this.#over) this.#flush();
  }

  /** Adds a row of the time at which the server saw it, by this browser's clock. */
  #row(kind, direction, name, seen) {
    const clock = this.#tab.timing.clock.estimate();
    const most = this.#over ? this.#tab.end.at - 0.001 : epoch(); // before the row of the end
    const at = clock ? seen.at + 0.5 - clock.offset : most; // the fraction of its time was cut off
    this.#last = Math.min(most, Math.max(this.#last, at));
    this.#tab.add(kind, { at: this.#last, size: seen.length, note: { key: `note.${direction}`, vars: { name } }, server: seen });
  }

  /** The server's time of a message bounds the offset of the clocks, and orders what the server does after it. */
  #paired(direction, row) {
    if (!row?.server) return;
    const { clock } = this.#tab.timing;
    // The page knows of most Close frames only by the end of the connection.
    if (row.data !== null) clock.add(...(direction === "sent" ? [-Infinity, row.at] : [row.at, Infinity]), row.server.at);
    if (direction === "received") this.#last = Math.max(this.#last, row.at);
  }

  #flush() {
    for (const [direction, pair] of Object.entries(this.#closes)) for (const seen of pair.clearSeen()) this.#row("close", direction, closeOf(seen), seen);
  }

  /** The page's end of the connection is another one now. */
  opened() {
    this.#opened = this.#last = performance.timeOrigin + this.#tab.opened.at;
    this.#over = false;
    for (const pair of [...Object.values(this.#pairs), ...Object.values(this.#closes)]) pair.clearRows();
    this.#stamp();
  }
  ended() {
    this.#over = true;
    this.#opened = 0;
    this.#flush();
    // A stream that stays open would take one of the six connections that a browser has for a server.
    const source = this.#source;
    setTimeout(() => this.#tab.state === "closed" && this.#source === source && source?.close(), LATE);
  }
  /** The rows of a message or a Close frame, which the server has `received` or `sent`. */
  add(row, direction) {
    if (!this.on) return;
    (row.kind === "close" ? this.#closes : this.#pairs)[direction].row(row);
    this.#paired(direction, row);
  }
  close() {
    this.#source?.close();
    this.#source = null;
    this.on = this.refused = false;
    this.handshake = this.end = null;
  }
}

const epoch = () => performance.timeOrigin + performance.now();
