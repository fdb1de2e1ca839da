// WebSocket connections of the checks: each step of one ends in time, whatever the far end does.

export const TIMEOUT = 10_000; // ms, as --timeout has it

/** One connection. */
export class Link {
  #came = [];
  #wanted = null;
  closed = null; // its close event
  constructor(url, protocols, signal) {
    this.began = performance.now();
    this.ws = new WebSocket(url, protocols);
    this.ws.binaryType = "arraybuffer";
    this.opened = new Promise((resolve) => {
      const settle = (open) => {
        this.took = performance.now() - this.began;
        clearTimeout(timer);
        resolve(open);
      };
      const timer = setTimeout(() => (settle(false), this.ws.close()), TIMEOUT);
      this.ws.onopen = () => settle(true);
      this.ws.onclose = (event) => {
        this.closed = event;
        settle(false);
        this.#settle();
      };
    });
    this.ws.onmessage = ({ data }) => {
      this.#came.push(data);
      this.#settle();
    };
    signal.addEventListener("abort", () => this.ws.close(), { once: true });
  }
  #settle() {
    this.#wanted?.();
  }
  /** Resolves when `ready()` is true, or to false after the timeout. */
  #until(ready, patience) {
    return new Promise((resolve) => {
      const end = (done) => {
        clearTimeout(timer);
        this.#wanted = null;
        resolve(done);
      };
      const timer = setTimeout(() => end(false), patience);
      this.#wanted = () => ready() && end(true);
      this.#wanted();
    });
  }
  /** The next message: { data }, or { closed }, or {} if nothing came in time. */
  async next(patience = TIMEOUT) {
    await this.#until(() => this.#came.length || this.closed, patience);
    if (this.#came.length) return { data: this.#came.shift() };
    return this.closed ? { closed: this.closed } : {};
  }
  /** The close event, or null if none came in time. */
  async end() {
    await this.#until(() => this.closed, TIMEOUT);
    return this.closed;
  }
  /** Closes it, so that the far end logs no error. It need not end in time. */
  leave() {
    if (!this.closed) this.ws.close(1000);
  }
}

/** Opens a connection. Resolves to a Link, whose `ok` says whether it is open, or to { error } if the browser does not try. */
export async function connect(url, protocols, signal) {
  signal.throwIfAborted();
  let link;
  try {
    link = new Link(url, protocols, signal);
  } catch ({ message }) {
    return { ok: false, took: 0, error: message };
  }
  link.ok = await link.opened;
  signal.throwIfAborted();
  return link;
}
