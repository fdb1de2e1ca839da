// One WebSocket at a time and its life. Knows neither page nor state: it reports events to its owner.
//
// States: connecting, open, closing, closed, waiting. "waiting" is the time before the next attempt after a loss that
// another attempt may mend; it ends by itself, later each time.

const BACKOFF = [500, 1000, 2000, 4000, 8000, 15000, 30000]; // ms
const STEADY = 5000; // ms: a connection that was open for so long starts the backoff anew
const RETRIED = new Set([1001, 1006, 1012, 1013]); // codes after which another attempt may succeed
const CLOSE_WAIT = 2000; // ms that a new connection waits for the closing handshake of the old one

/** Milliseconds before attempt n (from 0); `random` in 0..1 spreads many pages over the fifth around it. */
export function backoff(attempt, random) {
  const base = BACKOFF[Math.min(attempt, BACKOFF.length - 1)];
  return Math.round(base * (0.9 + 0.2 * random));
}

export class Socket {
  state = "closed";
  #socket = null;
  #timer = 0;
  #attempt = 0;
  #target = null;
  #close = null; // what this page has sent: { code, reason, why }
  #next = null; // the target to connect to once the present connection has ended
  #report;

  /**
   * `report(name, detail)` gets: state; opened {protocol, extensions, took}; message {data, at}; error; closing {code,
   * reason, why} when this page sends a Close; ended {code, reason, wasClean, opened, close, lasted, took, answers};
   * retry {wait, attempt}; invalid {message}. Times are of performance.now(), in ms.
   */
  constructor(report) {
    this.#report = report;
    const now = () => this.state === "waiting" && this.#dial();
    addEventListener("online", now);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
  }

  get bufferedAmount() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /**
   * Connects to `target`: { url, protocols, retry, probe }. An open connection is closed with 1000 first, and its end
   * is reported before the new attempt. `retry` false: the URL asks for the failure, another attempt would repeat it.
   * `probe` is an HTTP URL of the same server: the browser does not distinguish a refusal from an absent server, an
   * answer over HTTP does. `why` goes with the Close of the old connection.
   */
  open(target, why = "reconnect") {
    if (this.#socket) {
      this.#next = target;
      this.#sendClose(1000, "", why);
      setTimeout(() => this.#next === target && this.#abandon(), CLOSE_WAIT);
      return;
    }
    this.#stopTimer();
    this.#attempt = 0;
    this.#target = target;
    this.#dial();
  }

  send(data) {
    if (this.state !== "open") return false;
    this.#socket.send(data);
    return true;
  }

  /** Closes, or stops trying. Throws what the browser throws on a code or reason that a page may not send. */
  close(code, reason = "", why = "page") {
    this.#next = null;
    if (this.#socket) this.#sendClose(code, reason, why);
    else if (this.state === "waiting") {
      this.#stopTimer();
      this.#become("closed");
    }
  }

  /** Dials at once instead of waiting. */
  retryNow() {
    if (this.state === "waiting") this.#dial();
  }

  #become(state) {
    this.state = state;
    this.#report("state", { state });
  }

  #stopTimer() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #sendClose(code, reason, why) {
    const opened = this.state === "open";
    if (code === undefined) this.#socket.close();
    else this.#socket.close(code, reason);
    if (this.#close) return;
    this.#close = { code: code ?? 1005, reason, why };
    if (opened) this.#report("closing", this.#close);
    this.#become("closing");
  }

  /** The closing handshake has not ended in time: the connection counts as ended, its events no longer do. */
  #abandon() {
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onerror = null;
    socket.onclose({ code: 1006, reason: "", wasClean: false });
    socket.onclose = null;
  }

  #dial() {
    this.#stopTimer();
    this.#close = null;
    const { url, protocols } = this.#target;
    const began = performance.now();
    let socket;
    try {
      socket = new WebSocket(url, protocols);
    } catch (error) {
      this.#become("closed");
      this.#report("invalid", { message: error.message });
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#become("connecting");
    let opened = 0;
    socket.onopen = () => {
      opened = performance.now();
      if (this.#close) return;
      this.#become("open");
      this.#report("opened", { protocol: socket.protocol, extensions: socket.extensions, took: opened - began, at: opened });
    };
    socket.onmessage = (event) => {
      const at = performance.now(); // before anything else: this is one end of the round trip
      this.#report("message", { data: event.data, at });
    };
    socket.onerror = () => this.#report("error");
    socket.onclose = ({ code, reason, wasClean }) => {
      this.#socket = null;
      const now = performance.now();
      if (opened && now - opened > STEADY) this.#attempt = 0;
      const lasted = opened ? now - opened : 0;
      this.#ended({ code, reason, wasClean, opened: opened > 0, close: this.#close, lasted, took: now - began, answers: null });
    };
  }

  async #ended(end) {
    const target = this.#target;
    if (!end.opened && !end.close && target.probe) {
      // Until the probe has answered, the end is not explained; nobody else may dial meanwhile.
      end.answers = await answers(target.probe);
      if (this.#socket || this.#target !== target) return;
    }
    const { retry } = target;
    const again = retry && !end.close && !this.#next && (end.opened ? RETRIED.has(end.code) : end.answers === false);
    this.state = again ? "waiting" : "closed";
    this.#report("ended", end);
    this.#report("state", { state: this.state });
    if (this.#next) {
      const next = this.#next;
      this.#next = null;
      this.open(next);
    } else if (again && this.state === "waiting") {
      const wait = backoff(this.#attempt++, Math.random());
      this.#timer = setTimeout(() => this.#dial(), wait);
      this.#report("retry", { wait, attempt: this.#attempt });
    }
  }
}

async function answers(url) {
  try {
    await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(3000) });
    return true;
  } catch {
    return false;
  }
}
