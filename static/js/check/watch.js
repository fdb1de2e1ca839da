// The server's view of the connections of a check: a browser shows a page no control frame, and nothing of a connection that it
// failed. Only this page's own server can show it.
import { newKey, ServerView } from "../connection/watch.js";

const OPENS_WITHIN = 2000; // ms
const EVENTS = ["handshake", "frame", "end"];

class Watch {
  events = []; // { event, ...detail }
  #wanted = null;
  constructor(key, signal) {
    this.query = { watch: key };
    const source = new EventSource(ServerView.url(key));
    this.close = () => source.close();
    signal.addEventListener("abort", () => (this.close(), this.#wanted?.()), { once: true });
    for (const event of EVENTS) {
      source.addEventListener(event, ({ data }) => {
        this.events.push({ event, ...JSON.parse(data) });
        this.#wanted?.();
      });
    }
    this.opened = new Promise((resolve) => {
      source.addEventListener("open", () => resolve(true), { once: true });
      source.addEventListener("error", () => resolve(false), { once: true });
      setTimeout(resolve, OPENS_WITHIN, false);
    });
  }
  /** Resolves to what `find(events)` finds once it finds something, or to what it finds after `patience` ms. */
  until(find, patience) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wanted = null;
        resolve(find(this.events));
      };
      const timer = setTimeout(end, patience);
      this.#wanted = () => find(this.events) && end();
      this.#wanted();
    });
  }
}

/** Watches the connections of `target` that have `query` in their URL. Resolves to null if the server does not show them. */
export async function watch(target) {
  if (target.isOther || !target.isOwn) return null;
  const view = new Watch(newKey(), target.signal);
  if (await view.opened) return view;
  view.close();
  return null;
}
