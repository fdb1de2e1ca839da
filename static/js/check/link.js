// WebSocket connections of the checks: each step of one ends in time, whatever the far end does.

export const TIMEOUT = 10_000; // ms, as --timeout has it

const MOST = 64 << 20; // characters or bytes of messages that wait to be read: further ones are dropped

/** One connection. */
export class Link {
  #came = [];
  #waiting = 0; // their characters or bytes
  #wanted = null;
  #signal;
  closed = null; // its close event
  constructor(url, protocols, signal) {
    this.#signal = signal;
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
        this.#wanted?.();
      };
      signal.addEventListener("abort", () => {
        settle(false);
        this.ws.close();
        this.#wanted?.();
      }, { once: true });
    });
    this.ws.onmessage = ({ data }) => {
      const size = sizeOf(data);
      if (this.#waiting + size > MOST) return;
      this.#waiting += size;
      this.#came.push({ data, at: performance.now() });
      this.#wanted?.();
    };
  }
  /** Resolves when `ready()` is true, or after the patience. Rejects when the checks are stopped. */
  #until(ready, patience) {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#wanted = null;
        this.#signal.aborted ? reject(this.#signal.reason) : resolve();
      };
      const timer = setTimeout(end, patience);
      this.#wanted = () => (this.#signal.aborted || ready()) && end();
      this.#wanted();
    });
  }
  /** The next message: { data, at }, or { closed }, or {} if nothing came in time. */
  async next(patience = TIMEOUT) {
    await this.#until(() => this.#came.length || this.closed, patience);
    if (this.#came.length) {
      const message = this.#came.shift();
      this.#waiting -= sizeOf(message.data);
      return message;
    }
    return this.closed ? { closed: this.closed } : {};
  }
  /** The close event, or null if none came in time. */
  async end(patience = TIMEOUT) {
    await this.#until(() => this.closed, patience);
    return this.closed;
  }
  /** Closes it, so that the far end logs no error. It need not end in time. */
  leave() {
    if (!this.closed) this.ws.close(1000);
  }
}

/** An empty one takes room, too. */
const sizeOf = (data) => 64 + (data.byteLength ?? data.length);

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

const AT_ONCE = 6; // a browser delays each further connection that is not open yet

/** Does `open(item)` for each, a few at once. Resolves to the results in order. */
export async function inTurn(items, open) {
  const results = [];
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await open(items[index]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
