// The server's own view of the connection, from /watch/{key}: which frames it saw, lined up with what the page sent and
// received. A WebSocket keeps its order, so the n-th message of one side is the n-th of the other.

/** A key that nobody guesses. */
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

export class Watch {
  #source = null;

  /** `report(event, detail)` hears handshake, message (with direction), control, end, lost. */
  constructor(report) {
    this.report = report;
  }

  /** Begins to watch; resolves once the server is heard, or after a second in any case. */
  open(url) {
    this.close();
    const source = new EventSource(url);
    this.#source = source;
    let frames = {};
    const hear = (name, what) =>
      source.addEventListener(name, (event) => {
        if (this.#source === source) what(JSON.parse(event.data));
      });
    hear("handshake", (detail) => {
      frames = { received: new Frames(), sent: new Frames() };
      this.report("handshake", detail);
    });
    hear("frame", (frame) => {
      if (frame.opcode >= 8) return this.report("control", frame);
      const message = frames[frame.direction]?.frame(frame);
      if (message) this.report("message", { direction: frame.direction, ...message });
    });
    hear("end", (detail) => this.report("end", detail));
    hear("lost", (detail) => this.report("lost", detail));
    return new Promise((resolve) => {
      source.addEventListener("open", resolve, { once: true });
      setTimeout(resolve, 1000);
    });
  }

  close() {
    this.#source?.close();
    this.#source = null;
  }
}
