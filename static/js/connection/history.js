// The URLs of earlier connections, each with how it ended; kept in the browser.
import { store } from "../shared/browser.js";
import { DEFAULT_PROTOCOLS } from "./url.js";

const KEPT = "ws-echo.history";
const MOST = 20;

const valid = (value) => Array.isArray(value) && value.every((one) => typeof one?.url === "string" && typeof one.end === "string");

/** [{ url, end }], the newest first. `end` is "open", "refused", "gone" or a close code. */
export const history = store.json(KEPT, valid, []);

export function remember(url, end) {
  history.splice(0, history.length, ...[{ url, end }, ...history.filter((one) => one.url !== url)].slice(0, MOST));
  store.set(KEPT, JSON.stringify(history));
}

const PROTOCOLS = "ws-echo.protocols";
const strings = (value) => Array.isArray(value) && value.every((one) => typeof one === "string");

/** The default and the last three lists of subprotocols. */
export const usedProtocols = () => [...new Set([DEFAULT_PROTOCOLS, ...store.json(PROTOCOLS, strings, [])])];

export function rememberProtocols(text) {
  if (!text || text === DEFAULT_PROTOCOLS) return;
  const earlier = store.json(PROTOCOLS, strings, []).filter((one) => one !== text);
  store.set(PROTOCOLS, JSON.stringify([text, ...earlier].slice(0, 3)));
}

export function clearHistory() {
  history.length = 0;
  store.set(KEPT, "[]");
}
