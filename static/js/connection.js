// One WebSocket at a time, and what became of it. Knows no page: it reports, others show.
//
// States: connecting, open, closing, closed, gone. "gone" means that a server that should be there is not: the
// connection tries again by itself, later each time. "closed" is an end that somebody asked for, or that trying again
// would not mend.

const BACKOFF = [500, 1000, 2000, 4000, 8000, 15000, 30000];
const STEADY = 5000; // an open connection that lasted so long was a real one: the next loss starts the backoff anew
const GOING_AWAY = new Set([1001, 1006, 1012, 1013]);

/** How long to wait before attempt n (from 0); `random` in 0..1 spreads many pages over the fifth around it. */
export function backoff(attempt, random) {
  const base = BACKOFF[Math.min(attempt, BACKOFF.length - 1)];
  return Math.round(base * (0.9 + 0.2 * random));
}

export class Connection {
  state = "closed";
  why = "never";
  #socket = null;
  #timer = 0;
  #attempt = 0;
  #target = null;
  #report;

  /** `report(name, detail)` hears: state, opened, message, error, closed, retry. */
  constructor(report) {
    this.#report = report;
    const now = () => this.#timer && this.#dial();
    addEventListener("online", now);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
  }

  get bufferedAmount() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /**
   * Opens `url`. `stay` false says that the URL itself asks for the connection to end badly, so that dialling again
   * would only repeat it. `probe` is an HTTP URL of the same server, asked when the handshake fails: the browser does
   * not tell a refusal from an absent server, an answer over HTTP does.
   */
  open({ url, protocols = [], stay = true, probe = null }) {
    this.#drop();
    this.#attempt = 0;
    this.#target = { url, protocols, stay, probe };
    this.#dial();
  }

  send(data) {
    if (this.state !== "open") return false;
    this.#socket.send(data);
    return true;
  }

  /** Throws what the browser throws on a code or reason that a page may not send. */
  close(code, reason) {
    if (this.#timer || !this.#socket) {
      this.#drop();
      this.#become("closed", "asked");
      return;
    }
    if (code === undefined) this.#socket.close();
    else this.#socket.close(code, reason);
    this.asked = true;
    if (this.state !== "closed") this.#become("closing", "asked");
  }

  #become(state, why, detail = {}) {
    this.state = state;
    this.why = why;
    this.#report("state", { state, why, ...detail });
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const socket = this.#socket;
    this.#socket = null;
    // Its events are no longer ours: the handlers below look at #socket first.
    if (socket && socket.readyState < WebSocket.CLOSING) socket.close();
  }

  #dial() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.asked = false;
    const { url, protocols } = this.#target;
    const began = performance.now();
    let socket;
    try {
      socket = new WebSocket(url, protocols);
    } catch (error) {
      this.#become("closed", "invalid", { message: error.message });
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    if (this.state !== "gone") this.#become("connecting", "dial");
    let opened = 0;
    const mine = () => this.#socket === socket;
    socket.onopen = () => {
      if (!mine()) return;
      opened = performance.now();
      this.#become("open", "open");
      this.#report("opened", {
        protocol: socket.protocol,
        extensions: socket.extensions,
        took: opened - began,
        url: socket.url,
      });
    };
    socket.onmessage = (event) => {
      const at = performance.now(); // before anything else: this is one end of the round trip
      if (mine()) this.#report("message", { data: event.data, at });
    };
    socket.onerror = () => {
      if (mine()) this.#report("error", { opened: opened > 0 });
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      if (!mine()) return;
      this.#socket = null;
      this.#report("closed", { code, reason, wasClean, opened: opened > 0, asked: this.asked });
      if (opened && performance.now() - opened > STEADY) this.#attempt = 0;
      this.#after({ code, reason, wasClean, opened: opened > 0 });
    };
  }

  async #after(end) {
    const { stay, probe } = this.#target;
    if (this.asked) return this.#become("closed", "asked", end);
    const retrying = this.state === "gone";
    if (end.opened || retrying) {
      if (stay && (retrying || GOING_AWAY.has(end.code))) return this.#retry(end);
      return this.#become("closed", end.wasClean ? "server" : "broken", end);
    }
    // Never opened. Only the page's own server can be asked why.
    const target = this.#target;
    const answers = probe ? await reachable(probe) : null;
    if (target !== this.#target || this.#socket || this.#timer || this.state === "closed") return;
    if (answers === false && stay) return this.#retry(end);
    this.#become("closed", answers ? "refused" : "failed", end);
  }

  #retry(end) {
    const wait = backoff(this.#attempt++, Math.random());
    this.#timer = setTimeout(() => this.#dial(), wait);
    this.#become("gone", end.opened ? "lost" : "absent", end);
    this.#report("retry", { wait, attempt: this.#attempt });
  }
}

async function reachable(url) {
  try {
    await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(3000) });
    return true;
  } catch {
    return false;
  }
}
